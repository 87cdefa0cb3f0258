package cborhead_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/smpctl/smpctl/internal/cborhead"
)

// TestHeads goes through the examples of RFC 8949, appendix A, and the borders of the five lengths.
func TestHeads(t *testing.T) {
	tests := []struct {
		text  string
		major cborhead.Major
		n     uint64
	}{
		{"00", cborhead.Unsigned, 0},
		{"17", cborhead.Unsigned, 23},
		{"1818", cborhead.Unsigned, 24},
		{"18ff", cborhead.Unsigned, 255},
		{"190100", cborhead.Unsigned, 256},
		{"19ffff", cborhead.Unsigned, 65535},
		{"1a00010000", cborhead.Unsigned, 65536},
		{"1affffffff", cborhead.Unsigned, 1<<32 - 1},
		{"1b0000000100000000", cborhead.Unsigned, 1 << 32},
		{"1bffffffffffffffff", cborhead.Unsigned, 1<<64 - 1},
		{"3903e7", cborhead.Negative, 999},
		{"44", cborhead.Bytes, 4},
		{"63", cborhead.Text, 3},
		{"9819", cborhead.Array, 25},
		{"a1", cborhead.Map, 1},
		{"d818", cborhead.Tag, 24},
		{"f5", cborhead.Simple, 21},
		{"f8ff", cborhead.Simple, 255},
	}
	for _, tt := range tests {
		want, err := hex.DecodeString(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := cborhead.Append([]byte{1}, tt.major, tt.n); !bytes.Equal(got[1:], want) {
			t.Errorf("Append(%d, %d) = %x, want %s", tt.major, tt.n, got[1:], tt.text)
		}
		if got := cborhead.Len(tt.n); got != len(want) {
			t.Errorf("Len(%d) = %d, want %d", tt.n, got, len(want))
		}
		h, rest, ok := cborhead.Read(append(want, 'x'))
		if !ok || h.Major != tt.major || h.N != tt.n || string(rest) != "x" {
			t.Errorf("Read(%s) = %+v, %q, %t, want major %d, %d, %q", tt.text, h, rest, ok, tt.major, tt.n, "x")
		}
		for n := range want {
			if _, _, ok := cborhead.Read(want[:n]); ok {
				t.Errorf("Read(%x), cut off: ok", want[:n])
			}
		}
	}
}

func TestOddHeads(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want cborhead.Head
		ok   bool
	}{
		{"longer than needed", []byte{0x19, 0, 5}, cborhead.Head{Info: 25, N: 5}, true},
		{"indefinite map", []byte{0xbf}, cborhead.Head{Major: cborhead.Map, Info: cborhead.Indefinite}, true},
		{"break", []byte{cborhead.Break}, cborhead.Head{Major: cborhead.Simple, Info: cborhead.Indefinite}, true},
		{"half a float", []byte{0xf9, 0x3c, 0}, cborhead.Head{Major: cborhead.Simple, Info: cborhead.Half, N: 0x3c00},
			true},
		{"reserved", []byte{0x1c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, cborhead.Head{}, false},
		{"reserved, the last", []byte{0xfe}, cborhead.Head{}, false},
	}
	for _, tt := range tests {
		if h, _, ok := cborhead.Read(tt.b); h != tt.want || ok != tt.ok {
			t.Errorf("%s: Read(%x) = %+v, %t, want %+v, %t", tt.name, tt.b, h, ok, tt.want, tt.ok)
		}
	}
}
