package image

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestCompressRoundTrip(t *testing.T) {
	random := make([]byte, 300<<10) // more than a dictionary
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	for name, body := range map[string][]byte{
		"empty":         {},
		"one byte":      {1},
		"random":        random,
		"zeros":         make([]byte, 1<<20),
		"repeated":      bytes.Repeat(random[:1000], 500),
		"BL everywhere": bytes.Repeat([]byte{0x12, 0xf3, 0x34, 0xfd}, 1000),
	} {
		for _, thumb := range []bool{false, true} {
			before := slices.Clone(body)
			stored, err := compress(body, thumb)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(body, before) {
				t.Errorf("%s: compress changed its input", name)
			}
			got, err := decompress(stored, len(body), thumb)
			if err != nil || !bytes.Equal(got, body) {
				t.Errorf("%s, filter %v: %d bytes, %v, want what was compressed", name, thumb, len(got), err)
			}
			if again, _ := compress(body, thumb); !bytes.Equal(stored, again) {
				t.Errorf("%s: compressed twice, two results", name)
			}
		}
	}
}

func TestDecompressRefuses(t *testing.T) {
	body := bytes.Repeat([]byte("abcdefgh"), 1000)
	good, err := compress(body, false)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int, b byte) []byte {
		c := slices.Clone(good)
		c[at] = b
		return c
	}
	tests := []struct {
		name   string
		stored []byte
		size   int
		want   Kind
	}{
		{"nothing", nil, 0, ErrBadCompression},
		{"half a header", good[:1], 0, ErrBadCompression},
		{"header only", good[:2], len(body), ErrBadCompression},
		{"cut short", good[:len(good)-2], len(body), ErrBadCompression},
		{"no end mark", good[:len(good)-1], len(body), ErrBadCompression},
		{"bytes behind the end", append(slices.Clone(good), 0), len(body), ErrBadCompression},
		{"dictionary of 192 KiB", changed(0, 0x0b), len(body), ErrBadCompression},
		{"dictionary of 4 GiB", changed(0, 40), len(body), ErrBadCompression},
		{"no dictionary size", changed(0, 41), len(body), ErrBadCompression},
		{"not LZMA2", []byte("\x0a\x66not a stream"), len(body), ErrBadCompression},
		{"one byte more than announced", good, len(body) - 1, ErrDecompSizeMismatch},
		{"one byte less than announced", good, len(body) + 1, ErrDecompSizeMismatch},
	}
	for _, tt := range tests {
		if _, err := decompress(tt.stored, tt.size, false); !errors.Is(err, tt.want) {
			t.Errorf("%s: decompress = %v, want kind %q", tt.name, err, tt.want)
		}
	}
}

// TestArmThumb holds against what xz's filter makes of the same bytes (liblzma,
// LZMA_FILTER_ARMTHUMB).
func TestArmThumb(t *testing.T) {
	plain := []byte{
		0x00, 0xbf, // nop
		0x00, 0xf0, 0x01, 0xf8, // bl +2
		0xff, 0xf7, 0xfe, 0xff, // bl to itself
		0x70, 0x47, // bx lr
		0x00, 0xf0, // half a pair
	}
	const want = "00bf00f004f800f003f8704700f0"
	got := slices.Clone(plain)
	armThumbEncode(got)
	if s := fmt.Sprintf("%x", got); s != want {
		t.Errorf("armThumbEncode = %s, want %s", s, want)
	}
	armThumbDecode(got)
	if !bytes.Equal(got, plain) {
		t.Errorf("armThumbDecode = %x, want %x", got, plain)
	}
}

func FuzzArmThumb(f *testing.F) {
	f.Add([]byte{0x00, 0xf0, 0x01, 0xf8})
	f.Add(bytes.Repeat([]byte{0xff, 0xf7, 0xfe, 0xff, 0xf0}, 9))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := slices.Clone(b)
		armThumbEncode(got)
		armThumbDecode(got)
		if !bytes.Equal(got, b) {
			t.Errorf("%x becomes %x", b, got)
		}
	})
}

// FuzzDecompress holds that any stream ends within its bound, in memory too.
func FuzzDecompress(f *testing.F) {
	for _, body := range [][]byte{nil, make([]byte, 5000), []byte("a short one")} {
		stored, err := compress(body, false)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(stored, uint16(len(body)))
	}
	f.Fuzz(func(t *testing.T, stored []byte, size uint16) {
		body, err := decompress(stored, int(size), true)
		if e := (*Error)(nil); err != nil && !errors.As(err, &e) {
			t.Errorf("error of type %T", err)
		}
		if err == nil && len(body) != int(size) {
			t.Errorf("%d bytes, want %d", len(body), size)
		}
	})
}
