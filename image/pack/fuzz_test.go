package pack_test

import (
	"testing"

	"github.com/smpctl/smpctl/image/pack"
)

// FuzzParse reads anything. What can be read and then written reads back the same, and takes no more memory than the
// limits say.
func FuzzParse(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(readFile(f, "package/"+v.File))
	}
	f.Add(manifested(f, plainA, plainB))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := pack.Parse(b)
		kindOf(t, err)
		if err != nil {
			return
		}
		size := 0
		for _, m := range p.Members {
			size += len(m.Data)
			if _, err := m.Load(); err != nil {
				kindOf(t, err)
			}
		}
		if size > 64*len(b) {
			t.Fatalf("%d bytes became %d", len(b), size)
		}
		written, err := p.Bytes()
		if err != nil {
			kindOf(t, err)
			return
		}
		again, err := pack.Parse(written)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		for i, m := range again.Members {
			if o := p.Members[i]; m.Image != o.Image || m.Slot != o.Slot || string(m.Data) != string(o.Data) {
				t.Fatalf("member %d differs", i)
			}
		}
	})
}

// FuzzContainer fuzzes the header that is read by hand: parse then write gives the same bytes if its numbers are as
// short as they can be.
func FuzzContainer(f *testing.F) {
	f.Add(readFile(f, "package/dfu_multi_image.bin")[2:34], 6423)
	f.Add([]byte("\xa1\x63img\x81\xa2\x64size\x18\x01\x62id\x01"), 1)
	f.Fuzz(func(t *testing.T, header []byte, images int) {
		if images < 0 || images > 1<<16 || len(header) > 1<<16-1 {
			return
		}
		b := append([]byte{byte(len(header)), byte(len(header) >> 8)}, header...)
		p, err := pack.Parse(append(b, make([]byte, images)...))
		if kindOf(t, err); err != nil || p.Format != pack.MultiImage {
			return
		}
		if _, err := p.Bytes(); err != nil {
			t.Fatal(err)
		}
	})
}
