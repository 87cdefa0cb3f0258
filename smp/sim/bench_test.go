package sim_test

import (
	"io"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// uploadPackets are the requests of a whole upload, as large as the default buffer allows.
func uploadPackets(b *testing.B) (packets [][]byte, size int) {
	file := buildWith("2.0.0", 128<<10, image.Header{})
	h := &host{t: b}
	for off := 0; off < len(file); {
		n := min(320, len(file)-off)
		packets = append(packets, h.request(smp.Write, smp.GroupImage, 1, chunkOf(file, off, n, nil)))
		off += n
	}
	return packets, len(file)
}

// BenchmarkLink uploads one chunk after the other.
func BenchmarkLink(b *testing.B) {
	packets, size := uploadPackets(b)
	d := newDevice(b, sim.Options{})
	k := d.Link()
	defer k.Close()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range packets {
			if err := k.WritePacket(p); err != nil {
				b.Fatal(err)
			}
			if _, err := k.ReadPacket(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkStream does the same with framing.
func BenchmarkStream(b *testing.B) {
	packets, size := uploadPackets(b)
	var frames [][]byte
	for _, p := range packets {
		frames = append(frames, transport.AppendFrame(nil, p, 0))
	}
	d := newDevice(b, sim.Options{})
	s := d.Stream()
	defer s.Close()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range frames {
			if _, err := s.Write(f); err != nil {
				b.Fatal(err)
			}
			readLine(b, s)
		}
	}
}

// readLine reads an answer, which is one line here.
func readLine(b *testing.B, r io.Reader) {
	var buf [256]byte
	for n := 0; n == 0 || buf[n-1] != '\n'; {
		m, err := r.Read(buf[n:])
		if err != nil {
			b.Fatal(err)
		}
		n += m
	}
}
