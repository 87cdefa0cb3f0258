package smp_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHeaderOnTheWire(t *testing.T) {
	tests := []struct {
		name   string
		packet string // hex
		want   smp.Header
	}{
		{"read, version 1", "0000000100010200a0",
			smp.Header{Version: smp.V1, Op: smp.Read, Length: 1, Group: smp.GroupImage, Sequence: 2}},
		{"read, version 2", "0800000100000106a0",
			smp.Header{Version: smp.V2, Op: smp.Read, Length: 1, Sequence: 1, Command: 6}},
		{"read response, version 1", "01000006000102 06bf62726308ff",
			smp.Header{Version: smp.V1, Op: smp.ReadResponse, Length: 6, Group: smp.GroupImage, Sequence: 2,
				Command: 6}},
		{"write, version 2", "0a00000900004200a1616465 68656c6c6f",
			smp.Header{Version: smp.V2, Op: smp.Write, Length: 9, Sequence: 0x42}},
		{"write response, version 2", "0b00000a00004200bf61726568656c6c6fff",
			smp.Header{Version: smp.V2, Op: smp.WriteResponse, Length: 10, Sequence: 0x42}},
		{"group of an application", "0a00000100410303a0",
			smp.Header{Version: smp.V2, Op: smp.Write, Length: 1, Group: 65, Sequence: 3, Command: 3}},
		{"reserved version, undefined op, flags", "1fff0000fffffeff",
			smp.Header{Version: 4, Op: 7, Flags: 0xff, Group: 0xffff, Sequence: 0xfe, Command: 0xff}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packet := unhex(t, stripSpaces(tt.packet))
			got, payload, err := smp.ParseHeader(packet)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if again := append(got.Append(nil), payload...); !bytes.Equal(again, packet) {
				t.Errorf("Append(ParseHeader(%x)) = %x", packet, again)
			}
		})
	}
}

func stripSpaces(s string) string { return string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)) }

func TestHeaderVersionAuto(t *testing.T) {
	got := smp.Header{Op: smp.Write}.Append([]byte{0x55})
	if want := []byte{0x55, 2, 0, 0, 0, 0, 0, 0, 0}; !bytes.Equal(got, want) {
		t.Errorf("Append = %x, want %x", got, want)
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	tests := []struct{ name, packet, want string }{
		{"nothing", "", "packet of 0 bytes is shorter than a header"},
		{"seven bytes", "08000001000001", "packet of 7 bytes is shorter than a header"},
		{"payload missing", "0800000100000106", "header announces 1 bytes of payload, 0 follow"},
		{"giant length", "0900ffff00000106bfff", "header announces 65535 bytes of payload, 2 follow"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, payload, err := smp.ParseHeader(unhex(t, tt.packet))
			if err == nil || err.Error() != tt.want || payload != nil {
				t.Errorf("ParseHeader = %x, %v, want error %q", payload, err, tt.want)
			}
		})
	}
}

func TestParseHeaderIgnoresSurplus(t *testing.T) {
	_, payload, err := smp.ParseHeader(unhex(t, "0900000200000106bfff0102"))
	if err != nil || !bytes.Equal(payload, []byte{0xbf, 0xff}) {
		t.Errorf("ParseHeader = %x, %v", payload, err)
	}
}

func TestNames(t *testing.T) {
	got := []string{smp.Auto.String(), smp.V1.String(), smp.V2.String(), smp.Read.String(), smp.ReadResponse.String(),
		smp.Write.String(), smp.WriteResponse.String(), smp.Op(7).String()}
	want := []string{"auto", "1", "2", "read", "read response", "write", "write response", "op 7"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func FuzzParseHeader(f *testing.F) {
	for _, s := range []string{"", "0800000100000106a0", "0b00000a00004200bf61726568656c6c6fff", "ffffffffffffffff",
		"0900000200000106bfff0102"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		h, payload, err := smp.ParseHeader(packet)
		if err != nil {
			if payload != nil {
				t.Errorf("ParseHeader(%x) gives a payload with error %v", packet, err)
			}
			return
		}
		if int(h.Length) != len(payload) {
			t.Errorf("ParseHeader(%x): length %d, payload of %d bytes", packet, h.Length, len(payload))
		}
		want := append([]byte(nil), packet[:smp.HeaderLen+len(payload)]...)
		want[0] &= 0x1f // the reserved bits are not kept
		if got := append(h.Append(nil), payload...); !bytes.Equal(got, want) {
			t.Errorf("round trip of %x = %x, want %x", packet, got, want)
		}
	})
}
