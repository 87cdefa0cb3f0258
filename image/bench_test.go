package image_test

import (
	"testing"

	"github.com/smpctl/smpctl/image"
)

func BenchmarkParse(b *testing.B) {
	file := parts{body: make([]byte, 1<<20)}.hashed(image.TLVSHA256)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := image.Parse(file); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckHash(b *testing.B) {
	m := mustParse(b, parts{body: make([]byte, 1<<20)}.hashed(image.TLVSHA256))
	b.SetBytes(int64(len(m.Bytes())))
	b.ReportAllocs()
	for b.Loop() {
		if err := m.CheckHash(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromHex(b *testing.B) {
	text := toHex(make([]byte, 1<<20), 0x0800_0000, 16)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := image.FromHex(text); err != nil {
			b.Fatal(err)
		}
	}
}
