package smp_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// BenchmarkUploadWire uploads an image over a virtual UART in real time and reports the share of the wire's limit. The limit is the
// rate at which the best packet that fits the device's buffer crosses the wire, at 10 bits a byte, without a pause between packets.
func BenchmarkUploadWire(b *testing.B) {
	data, err := os.ReadFile(filepath.Join("..", "testdata", "app-2.0.0.bin"))
	if err != nil {
		b.Fatal(err)
	}
	img, err := image.Load(data)
	if err != nil {
		b.Fatal(err)
	}
	for _, baud := range []int{115200, 1_000_000} {
		for _, buffer := range []int{384, 2048} {
			for _, window := range []int{1, 3} {
				b.Run(fmt.Sprintf("baud=%d/buffer=%d/window=%d", baud, buffer, window), func(b *testing.B) {
					uploadWire(b, img, baud, buffer, window)
				})
			}
		}
	}
}

func uploadWire(b *testing.B, img *image.Image, baud, buffer, window int) {
	var took time.Duration
	for b.Loop() {
		d, err := sim.NewDevice(sim.Options{Baud: baud, BufSize: buffer})
		if err != nil {
			b.Fatal(err)
		}
		c := smp.NewClient(transport.NewConn(d.Stream(), transport.Options{Baud: baud}), smp.Options{Window: window})
		if _, err := c.Negotiate(b.Context()); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if _, err := c.Image.Upload(b.Context(), img.Bytes(), smp.ImageUpload{Hash: img.Hash()}); err != nil {
			b.Fatal(err)
		}
		took += time.Since(start)
		c.Close()
		d.Close()
	}
	const overhead = 4 + smp.HeaderLen + 16 // framing in the buffer, SMP header, CBOR of a later chunk below 64 KiB
	frame := time.Duration(transport.FrameLen(buffer-4, 0)) * 10 * time.Second / time.Duration(baud)
	limit := float64(buffer-overhead) / frame.Seconds()
	got := float64(len(img.Bytes())*b.N) / took.Seconds()
	b.ReportMetric(got/1e3, "kB/s")
	b.ReportMetric(got/limit, "of-wire")
	b.ReportMetric(0, "ns/op")
}
