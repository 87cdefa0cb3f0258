package transport_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

// decoded is everything a decoder says about a stream.
type decoded struct {
	packets []string // hex
	text    string
	stats   transport.Stats
}

var compareDecoded = cmp.AllowUnexported(decoded{})

// decode feeds stream to d in pieces of step bytes, or of random sizes if step is 0.
func decode(d *transport.Decoder, stream []byte, step int) decoded {
	var text strings.Builder
	d.Text = func(p []byte) { text.Write(p) }
	random := rand.New(rand.NewPCG(1, uint64(len(stream))))
	var packets []string
	for len(stream) > 0 {
		n := step
		if n == 0 {
			n = 1 + random.IntN(40)
		}
		n = min(n, len(stream))
		packets = append(packets, nextAll(d, stream[:n])...)
		stream = stream[n:]
	}
	return decoded{packets, text.String(), d.Stats()}
}

// nextAll returns all packets that end in p, in hex.
func nextAll(d interface {
	Next([]byte) (packet, rest []byte)
}, p []byte) (packets []string) {
	var packet []byte
	for packet, p = d.Next(p); packet != nil; packet, p = d.Next(p) {
		packets = append(packets, hex.EncodeToString(packet))
	}
	return packets
}

// checkDecoded decodes the stream whole, byte by byte, at random and cut in two
// at every place, and compares everything with want.
func checkDecoded(t *testing.T, stream []byte, want decoded) {
	t.Helper()
	for _, step := range []int{len(stream), 1, 2, 7, 0} {
		got := decode(&transport.Decoder{}, stream, step)
		if diff := cmp.Diff(want, got, compareDecoded); diff != "" {
			t.Fatalf("in pieces of %d bytes, -want +got:\n%s", step, diff)
		}
	}
	for at := 1; at < len(stream) && len(stream) < 4096; at++ {
		got := decode2(stream[:at], stream[at:])
		if diff := cmp.Diff(want, got, compareDecoded); diff != "" {
			t.Fatalf("cut at %d, -want +got:\n%s", at, diff)
		}
	}
}

func decode2(first, second []byte) decoded {
	d := &transport.Decoder{}
	a := decode(d, first, len(first))
	b := decode(d, second, len(second))
	return decoded{append(a.packets, b.packets...), a.text + b.text, b.stats}
}

func TestDecoderVectors(t *testing.T) {
	for _, file := range []string{"computed.txt", "zephyr.txt", "shell.txt", "mcuboot.txt"} {
		for _, v := range readVectors(t, file) {
			t.Run(file+"/"+v.name, func(t *testing.T) {
				want := decoded{text: string(v.text)}
				for _, p := range v.packets {
					want.packets = append(want.packets, hex.EncodeToString(p))
				}
				if v.foreign != nil {
					want.stats.BadLength = 1
				}
				want.stats.Packets = uint64(len(v.packets))
				want.stats.Bytes = uint64(len(v.wire))
				want.stats.TextBytes = uint64(len(v.text))
				checkDecoded(t, v.wire, want)
			})
		}
	}
}

// The answers of the tests below, and their frames.
var (
	hello      = mustHex("0b00000a00004200bf61726568656c6c6fff")
	helloFrame = "\x06\x09ABQLAAAKAABCAL9hcmVoZWxsb/8s+w==\n"
	refusal    = mustHex("0100000600010206bf62726308ff")
	refusFrame = "\x06\x09ABABAAAGAAECBr9icmMI/9a6\n"
	letters    = mustHex("0a00006900004300a161647864" +
		strings.Repeat(hex.EncodeToString([]byte("abcdefghijklmnopqrstuvwxyz")), 4)[:200])
	lettersTop = "\x06\x09AHMKAABpAABDAKFhZHhkYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWZnaGlq" +
		"a2xtbm9wcXJzdHV2d3h5emFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6\n"
	lettersEnd = "\x04\x14YWJjZGVmZ2hpamtsbW5vcHFyc3R1dmtZ\n"
)

func TestDecoderStreams(t *testing.T) {
	type stats = transport.Stats
	tests := []struct {
		name    string
		stream  string
		packets [][]byte
		text    string
		damage  stats // only what counts damage; the rest follows from the case
	}{
		{"nothing", "", nil, "", stats{}},
		{"only text", "hello\r\n", nil, "hello\r\n", stats{}},
		{"a frame", helloFrame, [][]byte{hello}, "", stats{}},
		{"two frames in one read", helloFrame + refusFrame, [][]byte{hello, refusal}, "", stats{}},
		{"two lines", lettersTop + lettersEnd, [][]byte{letters}, "", stats{}},

		// Consoles.
		{"garbage before the marker on the same line", "uart:~$ " + helloFrame, [][]byte{hello}, "uart:~$ ", stats{}},
		{"colour around a frame", "\x1b[1;32m" + helloFrame + "\x1b[m", [][]byte{hello}, "\x1b[1;32m\x1b[m", stats{}},
		{"carriage returns", crlf(lettersTop + lettersEnd), [][]byte{letters}, "", stats{}},
		{"two carriage returns", strings.Replace(helloFrame, "\n", "\r\r\n", 1), [][]byte{hello}, "", stats{}},
		{"log line between the lines of a packet", lettersTop + "<inf> tick\r\n" + lettersEnd, [][]byte{letters},
			"<inf> tick\r\n", stats{}},
		{"echo of the request before the answer", lettersTop + lettersEnd + helloFrame, [][]byte{letters, hello}, "",
			stats{}},
		{"bytes of a marker in the text", "\x06 \x04 \x09 \x14 \x06\x14 \x04\x09 " + helloFrame, [][]byte{hello},
			"\x06 \x04 \x09 \x14 \x06\x14 \x04\x09 ", stats{}},
		{"half a marker before a frame", "\x06" + helloFrame, [][]byte{hello}, "\x06", stats{}},
		{"the other half marker before a frame", "\x04" + helloFrame, [][]byte{hello}, "\x04", stats{}},
		{"many half markers before a frame", "\x06\x04\x06\x06" + helloFrame, [][]byte{hello}, "\x06\x04\x06\x06",
			stats{}},

		// Lines that run into each other.
		{"start marker inside a line", "\x06\x09ABQLAAAK" + helloFrame, [][]byte{hello}, "", stats{CutLines: 1}},
		{"text and a start marker inside a line", "\x06\x09ABQL<err> x " + helloFrame, [][]byte{hello}, "ABQL<err> x ",
			stats{CutLines: 1}},
		{"continuation marker inside a line", lettersTop + "\x04\x14YWJj" + lettersEnd, [][]byte{letters}, "",
			stats{CutLines: 1}},
		{"marker, then the frame", "\x06\x09" + helloFrame, [][]byte{hello}, "", stats{CutLines: 1}},
		{"first byte of a marker inside a line", "\x06\x09ABQL\x06" + helloFrame, [][]byte{hello}, "ABQL\x06",
			stats{CutLines: 1}},
		{"packet cut short by others", lettersTop + helloFrame + helloFrame + refusFrame,
			[][]byte{hello, hello, refusal}, "", stats{Incomplete: 1}},
		{"packet cut short by others inside its second line",
			lettersTop + "\x04\x14YWJj" + helloFrame + helloFrame + helloFrame,
			[][]byte{hello, hello, hello}, "", stats{CutLines: 1, Incomplete: 1}},
		{"packets cut short one after the other", lettersTop + lettersTop + lettersTop + lettersEnd, [][]byte{letters},
			"", stats{Incomplete: 1}},

		// Text with the bytes of a marker between the lines of a packet: none of this may cost the packet.
		{"start marker in log text", lettersTop + "<wrn> got \x06\x09 and more\r\n" + lettersEnd, [][]byte{letters},
			"<wrn> got  and more", stats{BadBase64: 1}},
		{"start marker at the end of a log line", lettersTop + "<wrn> got \x06\x09\r\n" + lettersEnd, [][]byte{letters},
			"<wrn> got ", stats{}},
		{"start marker, then what looks like base64", lettersTop + "<wrn> got \x06\x09text\r\n" + lettersEnd,
			[][]byte{letters}, "<wrn> got ", stats{}},
		{"start marker, then a length of nothing", lettersTop + "<wrn> got \x06\x09AAAA\n" + lettersEnd,
			[][]byte{letters}, "<wrn> got ", stats{BadLength: 1}},
		{"start markers line after line", lettersTop + strings.Repeat("\x06\x09text\n", 5) + lettersEnd,
			[][]byte{letters}, "", stats{Incomplete: 4}},
		{"start marker and no newline before the next line", lettersTop + "got \x06\x09 x " + lettersEnd,
			[][]byte{letters}, "got  x ", stats{CutLines: 1}},
		{"continuation marker in log text", lettersTop + "<wrn> got \x04\x14 and more\r\n" + lettersEnd,
			[][]byte{letters}, "<wrn> got  and more", stats{BadBase64: 1}},
		{"continuation marker at the end of a log line", lettersTop + "<wrn> got \x04\x14\n" + lettersEnd,
			[][]byte{letters}, "<wrn> got ", stats{StrayLines: 1}},
		{"continuation marker, then what looks like base64", lettersTop + "<wrn> got \x04\x14text\n" + lettersEnd,
			[][]byte{letters}, "<wrn> got ", stats{StrayLines: 1}},
		{"both markers", lettersTop + "\x06\x09\x04\x14\x06\x09 and \x04\x14!\n" + lettersEnd, [][]byte{letters},
			" and !", stats{CutLines: 3, BadBase64: 1}},
		{"prompt before a continuation", lettersTop + "uart:~$ " + lettersEnd, [][]byte{letters}, "uart:~$ ", stats{}},
		{"another frame between the lines", lettersTop + helloFrame + lettersEnd, [][]byte{hello, letters}, "",
			stats{}},
		{"another frame of two lines between the lines", lettersTop + lettersTop + lettersEnd + lettersEnd,
			[][]byte{letters, letters}, "", stats{}},

		// Continuation lines.
		{"continuation without start", lettersEnd + helloFrame, [][]byte{hello}, "", stats{StrayLines: 1}},
		{"continuation after the end", helloFrame + lettersEnd + refusFrame, [][]byte{hello, refusal}, "",
			stats{StrayLines: 1}},
		{"continuation with text and without start", "\x04\x14oops!\n", nil, "oops!", stats{StrayLines: 1}},
		{"second line lost", lettersTop + refusFrame + refusFrame + refusFrame + lettersEnd,
			[][]byte{refusal, refusal, refusal}, "", stats{Incomplete: 1, StrayLines: 1}},

		// Legal, if unusual, encoders.
		{"padded line in the middle", "\x06\x09ABQLAAAKAABCAA==\n\x04\x14v2FyZWhlbGxv/yz7\n", [][]byte{hello}, "",
			stats{}},
		{"crc alone in the last line", "\x06\x09ABQLAAAKAABCAL9hcmVoZWxsb/8=\n\x04\x14LPs=\n", [][]byte{hello}, "",
			stats{}},
		{"empty line of a packet", "\x06\x09\n\x04\x14ABQLAAAKAABCAL9hcmVoZWxsb/8s+w==\n", [][]byte{hello}, "",
			stats{}},
		{"half a length in the first line", "\x06\x09AA==\n\x04\x14FAsAAAoAAEIAv2FyZWhlbGxv/yz7\n", [][]byte{hello}, "",
			stats{}},

		// Damage.
		{"crc off by one bit", "\x06\x09ABQLAAAKAABCAL9hcmVoZWxsb/8s+g==\n" + refusFrame, [][]byte{refusal}, "",
			stats{BadCRC: 1}},
		{"one bit of the packet flipped", "\x06\x09ABQLAAAKAABCAL9hcmVoZWxsb/4s+w==\n" + refusFrame, [][]byte{refusal},
			"", stats{BadCRC: 1}},
		{"illegal character", "\x06\x09ABQLAAAK*ABCAL9hcmVoZWxsb/8s+w==\n" + refusFrame, [][]byte{refusal},
			"ABQLAAAK*ABCAL9hcmVoZWxsb/8s+w==", stats{BadBase64: 1}},
		{"carriage return inside a line", "\x06\x09ABQL\rAAAKAABCAL9hcmVoZWxsb/8s+w==\n" + refusFrame,
			[][]byte{refusal}, "ABQL\rAAAKAABCAL9hcmVoZWxsb/8s+w==", stats{BadBase64: 1}},
		{"incomplete base64 group", "\x06\x09ABQLAAAKAABCAL9hcmVoZWxsb/8s+w\n" + refusFrame, [][]byte{refusal}, "",
			stats{BadBase64: 1}},
		{"padding in the middle of a line", "\x06\x09ABQLAA==AABCAL9hcmVoZWxsb/8s+w==\n" + refusFrame,
			[][]byte{refusal}, "", stats{BadBase64: 1}},
		{"log text inside a line", "\x06\x09ABQLAAAK<inf> tick\n" + refusFrame, [][]byte{refusal}, "ABQLAAAK<inf> tick",
			stats{BadBase64: 1}},
		{"the rest of a spoilt packet", "\x06\x09AHMK*\n" + lettersEnd + helloFrame, [][]byte{hello}, "AHMK*",
			stats{BadBase64: 1, StrayLines: 1}},

		// LEN is 20 in the frame of hello.
		{"length too large", "\x06\x09ABULAAAKAABCAL9hcmVoZWxsb/8s+w==\n" + refusFrame, [][]byte{refusal}, "", stats{}},
		{"length too large, filled up by a continuation", "\x06\x09ABULAAAKAABCAL9hcmVoZWxsb/8s+w==\n\x04\x14AQ==\n",
			nil, "", stats{BadCRC: 1}},
		{"length too small", "\x06\x09ABMLAAAKAABCAL9hcmVoZWxsb/8s+w==\n" + refusFrame, [][]byte{refusal}, "",
			stats{BadLength: 1}},
		{"length 9", "\x06\x09AAkLAAAKAABCAA==\n" + refusFrame, [][]byte{refusal}, "", stats{BadLength: 1}},
		{"length 0", "\x06\x09AAA=\n" + refusFrame, [][]byte{refusal}, "", stats{BadLength: 1}},
		{"length 65535 and nothing else", "\x06\x09//8=\n" + refusFrame, [][]byte{refusal}, "", stats{}},

		// The header's own length. Zephyr decodes the surplus too.
		{"header claims more than there is", frame(mustHex("0b00000b00004200bf61726568656c6c6fff")) + refusFrame,
			[][]byte{refusal}, "", stats{BadLength: 1}},
		{"header claims less than there is", frame(mustHex("0b00000900004200bf61726568656c6c6fff")),
			[][]byte{mustHex("0b00000900004200bf61726568656c6c6fff")}, "", stats{}},
		{"header alone", frame(mustHex("0b00000000004200")), [][]byte{mustHex("0b00000000004200")}, "", stats{}},

		{"unfinished line", strings.TrimSuffix(helloFrame, "\n"), nil, "", stats{}},
		{"unfinished packet", lettersTop, nil, "", stats{}},
		{"half a marker at the end", "text\x06", nil, "text", stats{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := decoded{text: test.text, stats: test.damage}
			for _, p := range test.packets {
				want.packets = append(want.packets, hex.EncodeToString(p))
			}
			want.stats.Packets = uint64(len(test.packets))
			want.stats.Bytes = uint64(len(test.stream))
			want.stats.TextBytes = uint64(len(test.text))
			checkDecoded(t, []byte(test.stream), want)
		})
	}
}

// TestDecoderLooksAtNoPayload has packets that only the layers above may judge.
func TestDecoderLooksAtNoPayload(t *testing.T) {
	want := []string{
		"0a00000900004200a161646568656c6c6f",                            // a request of our own, echoed
		"0b00000a00004100bf61726568656c6c6fff",                          // stale sequence number
		"0300000a00004200bf61726568656c6c6fff",                          // version 1
		"0b00000600004200bf62726300ff",                                  // rc 0, indefinite map
		"0b00000500004200a162726300",                                    // rc 0, definite map
		"0b00001800010701bf636572" + "72bf6567726f757001627263181effff", // err, short by its header
		"0b00000b00010701a2626f6666001a00000000",                        // what is no map at all
		"ff00000100ffffffff",                                            // reserved bits, op 7
	}
	for i, s := range want {
		p := mustHex(s)
		binary.BigEndian.PutUint16(p[2:], uint16(len(p)-8))
		want[i] = hex.EncodeToString(p)
	}
	var stream []byte
	for _, s := range want {
		stream = transport.AppendFrame(stream, mustHex(s), 0)
	}
	checkDecoded(t, stream, decoded{
		packets: want,
		stats:   transport.Stats{Packets: uint64(len(want)), Bytes: uint64(len(stream))},
	})
}

func TestDecoderLongLines(t *testing.T) {
	const longest = 8 << 10 // base64 characters
	fits := makePacket(longest/4*3 - 4)
	tooLong := makePacket(longest/4*3 - 3)
	tests := []struct {
		name    string
		stream  string
		packets [][]byte
		damage  transport.Stats
	}{
		{"packet of 4 KiB in one line", frame1(makePacket(4096)), [][]byte{makePacket(4096)}, transport.Stats{}},
		{"longest line", frame1(fits) + helloFrame, [][]byte{fits, hello}, transport.Stats{}},
		{"over the longest line", frame1(tooLong) + helloFrame, [][]byte{hello}, transport.Stats{LongLines: 1}},
		{"a marker and no newline ever", "\x06\x09" + strings.Repeat("A", 3*longest) + helloFrame, [][]byte{hello},
			transport.Stats{LongLines: 1}},
		{"marker right at the limit", "\x06\x09" + strings.Repeat("A", longest) + helloFrame, [][]byte{hello},
			transport.Stats{LongLines: 1}},
		{"marker across the limit", "\x06\x09" + strings.Repeat("A", longest-1) + helloFrame, [][]byte{hello},
			transport.Stats{CutLines: 1}},
		{"long line of text between the lines",
			lettersTop + "\x06\x09" + strings.Repeat("A", longest+1) + "\n" + lettersEnd, [][]byte{letters},
			transport.Stats{LongLines: 1}},
		{"long continuation", lettersTop + "\x04\x14" + strings.Repeat("A", longest+1) + "\n" + lettersEnd,
			[][]byte{letters}, transport.Stats{LongLines: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var want []string
			for _, p := range test.packets {
				want = append(want, hex.EncodeToString(p))
			}
			whole := decode(&transport.Decoder{}, []byte(test.stream), len(test.stream))
			if diff := cmp.Diff(want, whole.packets); diff != "" {
				t.Errorf("packets, -want +got:\n%s", diff)
			}
			damage := whole.stats
			damage.Packets, damage.Bytes, damage.TextBytes = 0, 0, 0
			if diff := cmp.Diff(test.damage, damage); diff != "" {
				t.Errorf("damage, -want +got:\n%s", diff)
			}
			checkDecoded(t, []byte(test.stream), whole)
		})
	}
}

// TestDecoderMemory feeds what makes a decoder gather bytes and checks that it
// stops, and that it does not make garbage for ever either.
func TestDecoderMemory(t *testing.T) {
	hostile := []struct {
		name  string
		piece string
	}{
		{"endless line", strings.Repeat("A", 4096)},
		{"endless packet of short lines", "\x04\x14" + strings.Repeat("A", 64) + "\n"},
		{"endless packet of long lines", "\x04\x14" + strings.Repeat("A", 8<<10) + "\n"},
		{"empty lines", strings.Repeat("\x04\x14\n", 1000)},
		{"packets without end", "\x06\x09//8=\n" + strings.Repeat("\x04\x14"+strings.Repeat("A", 8188)+"\n", 10)},
		{"packets without end in one another",
			"\x06\x09//8=\n" + strings.Repeat("\x04\x14"+strings.Repeat("A", 8188)+"\n", 9) +
				"\x06\x09//8=\n" + strings.Repeat("\x04\x14"+strings.Repeat("A", 8188)+"\n", 9)},
		{"half markers", strings.Repeat("\x06\x04", 2048)},
		{"markers", strings.Repeat("\x06\x09", 2048)},
		{"text", strings.Repeat("log ", 1024)},
	}
	for _, test := range hostile {
		t.Run(test.name, func(t *testing.T) {
			d := &transport.Decoder{Text: func([]byte) {}}
			piece := []byte(test.piece)
			feed := func() { nextAll(d, piece) }
			before := heap()
			nextAll(d, []byte("\x06\x09//8=\n"))
			for range 4 << 20 / len(piece) {
				feed()
			}
			const limit = 210 << 10 // "about 200 KiB" and what the test itself leaves
			if grown := heap() - before; grown > limit {
				t.Errorf("decoder holds %d bytes after 4 MiB, want no more than %d", grown, limit)
			}
			if allocs := testing.AllocsPerRun(100, feed); allocs != 0 {
				t.Errorf("%v allocations for each piece, want 0", allocs)
			}
			runtime.KeepAlive(d)
		})
	}
}

// heap returns the bytes in use on the heap.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestStatsDamaged(t *testing.T) {
	s := transport.Stats{
		Packets: 1 << 20, Bytes: 1 << 21, TextBytes: 1 << 22, SentPackets: 1 << 23, SentBytes: 1 << 24,
		Incomplete: 1, CutLines: 2, StrayLines: 4, LongLines: 8, BadBase64: 16, BadLength: 32, BadCRC: 64,
		BadHeader: 128,
	}
	if got := s.Damaged(); got != 255 {
		t.Errorf("Damaged() = %d, want 255", got)
	}
}

func FuzzDecoder(f *testing.F) {
	for _, file := range []string{"computed.txt", "zephyr.txt", "shell.txt", "mcuboot.txt"} {
		for i, v := range readVectors(f, file) {
			f.Add(v.wire, hello, uint64(i), i*9)
		}
	}
	f.Add([]byte("\x06\x09ABQL"), []byte("x"), uint64(1), 0)
	f.Add([]byte("\x06\x09//8=\n\x04\x14AAAA\n\x04"), makePacket(300), uint64(2), 7)
	f.Add([]byte(lettersTop+"\x04\x14YWJj\x06"), letters, uint64(3), 64)
	f.Add([]byte("<wrn> \x06\x09 and \x04\x14"), letters, uint64(5), 0)
	f.Add([]byte("\x06\x09"+strings.Repeat("A", 8191)+"\x06"), letters, uint64(4), 64)
	f.Fuzz(func(t *testing.T, noise, packet []byte, seed uint64, lineLen int) {
		packet = repaired(packet)
		stream := transport.AppendFrame(bytes.Clone(noise), packet, lineLen)

		whole := decode(&transport.Decoder{}, stream, len(stream))
		split := decodeRandomly(stream, seed)
		if diff := cmp.Diff(whole, split, compareDecoded); diff != "" {
			t.Errorf("whole and split with seed %d differ, -whole +split:\n%s", seed, diff)
		}
		n := len(whole.packets)
		if n == 0 || whole.packets[n-1] != hex.EncodeToString(packet) {
			t.Errorf("the frame after the noise was not found")
		}
		if whole.stats.Packets != uint64(n) || whole.stats.Bytes != uint64(len(stream)) ||
			whole.stats.TextBytes != uint64(len(whole.text)) || len(whole.text) > len(noise) {
			t.Errorf("stats %+v do not fit %d packets, %d bytes, %d of text in %d of noise",
				whole.stats, n, len(stream), len(whole.text), len(noise))
		}
		among := amidText(stream[len(noise):], noise)
		if diff := cmp.Diff(decode(&transport.Decoder{}, among, len(among)), decodeRandomly(among, seed),
			compareDecoded); diff != "" {
			t.Errorf("among text, whole and split with seed %d differ, -whole +split:\n%s", seed, diff)
		}
		if got := decode(&transport.Decoder{}, among, len(among)).packets; len(got) != 1 ||
			got[0] != hex.EncodeToString(packet) {
			t.Errorf("with text before every line: %d packets, want the one", len(got))
		}
		for _, s := range whole.packets {
			if p := mustHex(s); len(p) < 8 || len(p) < 8+int(binary.BigEndian.Uint16(p[2:])) {
				t.Errorf("packet %s is shorter than its header says", s)
			}
		}
	})
}

// amidText puts text before every line of a frame, but for the many lines of a long one. There may be markers in it,
// but not the lines of a frame.
func amidText(frame, text []byte) []byte {
	const most = 50 // times
	for _, marker := range []string{"\x06\x09", "\x04\x14"} {
		text = bytes.ReplaceAll(text, []byte(marker), []byte(marker+"!"))
	}
	var stream []byte
	n := 0
	for line := range bytes.Lines(frame) {
		if n++; n <= most {
			stream = append(stream, text...)
		}
		stream = append(stream, line...)
	}
	return stream
}

func decodeRandomly(stream []byte, seed uint64) decoded {
	random := rand.New(rand.NewPCG(seed, 0))
	d := &transport.Decoder{}
	var all decoded
	for len(stream) > 0 {
		n := min(1+random.IntN(1+random.IntN(300)), len(stream))
		piece := decode(d, stream[:n], n)
		all = decoded{append(all.packets, piece.packets...), all.text + piece.text, piece.stats}
		stream = stream[n:]
	}
	return all
}

// repaired makes a packet of p: at least a header, and a length that is there.
func repaired(p []byte) []byte {
	p = bytes.Clone(p)
	for len(p) < 8 {
		p = append(p, 0)
	}
	p = p[:min(len(p), transport.MaxFramed)]
	if have := len(p) - 8; int(binary.BigEndian.Uint16(p[2:])) > have {
		binary.BigEndian.PutUint16(p[2:], uint16(have))
	}
	return p
}

// frame returns the frame of a packet, and frame1 one of a single line.
func frame(packet []byte) string { return string(transport.AppendFrame(nil, packet, 0)) }

func frame1(packet []byte) string { return string(transport.AppendFrame(nil, packet, 1<<20)) }

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}
