package transport_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

// decodeRaw feeds pieces to a raw decoder; a nil piece is an idle line.
func decodeRaw(d *transport.RawDecoder, pieces ...[]byte) decoded {
	var text strings.Builder
	d.Text = func(p []byte) { text.Write(p) }
	var packets []string
	for _, p := range pieces {
		if p == nil {
			d.Reset()
		} else {
			packets = append(packets, nextAll(d, p)...)
		}
	}
	return decoded{packets, text.String(), d.Stats()}
}

// inPieces cuts every piece into pieces of n bytes and keeps the idle times.
func inPieces(n int, pieces [][]byte) (cut [][]byte) {
	for _, p := range pieces {
		if p == nil {
			cut = append(cut, nil)
		}
		for ; len(p) > n; p = p[n:] {
			cut = append(cut, p[:n])
		}
		if len(p) > 0 {
			cut = append(cut, p)
		}
	}
	return cut
}

func TestRawDecoderVectors(t *testing.T) {
	for _, v := range readVectors(t, "raw.txt") {
		t.Run(v.name, func(t *testing.T) {
			want := decoded{stats: transport.Stats{Packets: uint64(len(v.packets)), Bytes: uint64(len(v.wire))}}
			for _, p := range v.packets {
				want.packets = append(want.packets, hex.EncodeToString(p))
			}
			for _, step := range []int{len(v.wire), 1, 7, 64} {
				got := decodeRaw(&transport.RawDecoder{}, inPieces(step, [][]byte{v.wire})...)
				if diff := cmp.Diff(want, got, compareDecoded); diff != "" {
					t.Errorf("in pieces of %d bytes, -want +got:\n%s", step, diff)
				}
			}
		})
	}
}

func TestRawDecoderStreams(t *testing.T) {
	type stats = transport.Stats
	long := makePacket(8 + 65535)
	tests := []struct {
		name    string
		pieces  [][]byte // nil is an idle line
		packets [][]byte
		text    string
		damage  stats
	}{
		{"header alone", [][]byte{mustHex("0b00000000004200")}, [][]byte{mustHex("0b00000000004200")}, "", stats{}},
		{"version 1", [][]byte{refusal}, [][]byte{refusal}, "", stats{}},
		{"flags of old servers", [][]byte{mustHex("0101000100000006a0")}, [][]byte{mustHex("0101000100000006a0")}, "",
			stats{}},
		{"longest packet", [][]byte{long, hello}, [][]byte{long, hello}, "", stats{}},
		{"idle lines around packets", [][]byte{nil, hello, nil, refusal, nil}, [][]byte{hello, refusal}, "", stats{}},

		{"text loses all until idle", [][]byte{[]byte("Boot\n"), hello, nil, refusal}, [][]byte{refusal},
			"Boot\n" + string(hello), stats{BadHeader: 1}},
		{"text behind a packet", [][]byte{append(bytes.Clone(hello), "log"...), refusal, nil, hello},
			[][]byte{hello, hello}, "log" + string(refusal), stats{BadHeader: 1}},
		{"echo of a request", [][]byte{mustHex("0a00000900004200a161646568656c6c6f"), nil, hello}, [][]byte{hello},
			string(mustHex("0a00000900004200a161646568656c6c6f")), stats{BadHeader: 1}},
		{"console frame", [][]byte{[]byte(helloFrame), nil, hello}, [][]byte{hello}, helloFrame, stats{BadHeader: 1}},
		{"reserved bit", [][]byte{mustHex("2b00000000004200"), nil, hello}, [][]byte{hello},
			"\x2b\x00\x00\x00\x00\x00\x42\x00", stats{BadHeader: 1}},
		{"undefined version", [][]byte{mustHex("1300000000004200"), nil, hello}, [][]byte{hello},
			"\x13\x00\x00\x00\x00\x00\x42\x00", stats{BadHeader: 1}},
		{"undefined operation", [][]byte{mustHex("0d00000000004200"), nil, hello}, [][]byte{hello},
			"\x0d\x00\x00\x00\x00\x00\x42\x00", stats{BadHeader: 1}},

		{"header cut short", [][]byte{hello[:5], nil, refusal}, [][]byte{refusal}, "", stats{Incomplete: 1}},
		{"packet cut short", [][]byte{hello[:12], nil, refusal}, [][]byte{refusal}, "", stats{Incomplete: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := decoded{text: test.text, stats: test.damage}
			for _, p := range test.packets {
				want.packets = append(want.packets, hex.EncodeToString(p))
			}
			want.stats.Packets = uint64(len(test.packets))
			want.stats.Bytes = uint64(len(bytes.Join(test.pieces, nil)))
			want.stats.TextBytes = uint64(len(test.text))
			for _, step := range []int{1 << 20, 1, 3} {
				got := decodeRaw(&transport.RawDecoder{}, inPieces(step, test.pieces)...)
				if diff := cmp.Diff(want, got, compareDecoded); diff != "" {
					t.Fatalf("in pieces of %d bytes, -want +got:\n%s", step, diff)
				}
			}
		})
	}
}

func TestRawDecoderDoesNotAllocate(t *testing.T) {
	d := &transport.RawDecoder{}
	stream := bytes.Repeat(makePacket(2044), 3)
	allocs := testing.AllocsPerRun(100, func() { nextAllQuietly(t, d, stream, 3) })
	if allocs != 0 {
		t.Errorf("%v allocations for three packets, want 0", allocs)
	}
}

// nextAllQuietly is nextAll without making anything of the packets.
func nextAllQuietly(t testing.TB, d interface {
	Next([]byte) (packet, rest []byte)
}, p []byte, want int) {
	n := 0
	var packet []byte
	for packet, p = d.Next(p); packet != nil; packet, p = d.Next(p) {
		n++
	}
	if n != want {
		t.Fatalf("got %d packets, want %d", n, want)
	}
}

func FuzzRawDecoder(f *testing.F) {
	for i, v := range readVectors(f, "raw.txt") {
		f.Add(v.wire, hello, uint64(i))
	}
	f.Add([]byte("uart:~$ "), hello, uint64(1))
	f.Add([]byte("\x0b\x00\xff\xff"), refusal, uint64(2))
	f.Fuzz(func(t *testing.T, noise, packet []byte, seed uint64) {
		whole := decodeRaw(&transport.RawDecoder{}, noise)
		split := decodeRaw(&transport.RawDecoder{}, inPieces(int(1+seed%13), [][]byte{noise})...)
		if diff := cmp.Diff(whole, split, compareDecoded); diff != "" {
			t.Errorf("in pieces of %d bytes, -whole +split:\n%s", 1+seed%13, diff)
		}

		// After an idle line a packet is found whatever came before it.
		packet = repaired(packet)
		packet = packet[:8+int(packet[2])<<8+int(packet[3])]
		packet[0] = packet[0]&0b01_000 | 0b011
		got := decodeRaw(&transport.RawDecoder{}, noise, nil, packet)
		want := append(whole.packets, hex.EncodeToString(packet))
		if diff := cmp.Diff(want, got.packets); diff != "" {
			t.Errorf("packets, -want +got:\n%s", diff)
		}
		if got.stats.Bytes != uint64(len(noise)+len(packet)) || got.stats.TextBytes != uint64(len(got.text)) {
			t.Errorf("stats %+v do not fit %d bytes with %d of text", got.stats, len(noise)+len(packet), len(got.text))
		}
	})
}
