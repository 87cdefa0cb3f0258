package smp_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// BenchmarkUploadWire uploads an image over a virtual UART in real time and reports the share of the wire's limit. The
// limit is the rate at which the best packet that fits the device's buffer crosses the wire, at 10 bits a byte, without
// a pause between packets.
func BenchmarkUploadWire(b *testing.B) {
	for _, baud := range []int{115200, 1_000_000} {
		img := imageOf(b, baud/2) // some five seconds
		for _, buffer := range []int{384, 2048} {
			for _, window := range []int{1, 0} {
				b.Run(fmt.Sprintf("baud=%d/buffer=%d/window=%d", baud, buffer, window), func(b *testing.B) {
					var took time.Duration
					for b.Loop() {
						took += uploadWire(b, img, baud, buffer, window)
					}
					reportWire(b, img, took/time.Duration(b.N), baud, buffer)
				})
			}
		}
	}
}

func uploadWire(b *testing.B, img *image.Image, baud, buffer, window int) time.Duration {
	d, err := sim.NewDevice(sim.Options{Baud: baud, BufSize: buffer, SlotSize: 1 << 20})
	if err != nil {
		b.Error(err)
		return 0
	}
	defer d.Close()
	c := smp.NewClient(transport.NewConn(d.Stream(), transport.Options{Baud: baud}), smp.Options{Window: window})
	defer c.Close()
	if _, err := c.Negotiate(b.Context()); err != nil {
		b.Error(err)
	}
	start := time.Now()
	if _, err := c.Image.Upload(b.Context(), img.Bytes(), smp.ImageUpload{Hash: img.Hash()}); err != nil {
		b.Error(err)
	}
	return time.Since(start)
}

func reportWire(b *testing.B, img *image.Image, took time.Duration, baud, buffer int) {
	const overhead = 4 + smp.HeaderLen + 16 // framing in the buffer, SMP header, CBOR of a later chunk below 64 KiB
	frame := time.Duration(transport.FrameLen(buffer-4, 0)) * 10 * time.Second / time.Duration(baud)
	limit := float64(buffer-overhead) / frame.Seconds()
	got := float64(len(img.Bytes())) / took.Seconds()
	b.ReportMetric(got/1e3, "kB/s")
	b.ReportMetric(got/limit, "of-wire")
	b.ReportMetric(0, "ns/op")
}

// imageOf is an unsigned image of some size.
func imageOf(b testing.TB, size int) *image.Image {
	data := image.Header{HeaderSize: 32, ImageSize: uint32(size), Version: image.Version{Major: 2}}.Append(nil)
	for range size {
		data = append(data, byte(len(data)*7))
	}
	sum := sha256.Sum256(data)
	data = binary.LittleEndian.AppendUint16(data, 0x6907)
	data = binary.LittleEndian.AppendUint16(data, 4+4+sha256.Size)
	data = binary.LittleEndian.AppendUint16(data, uint16(image.TLVSHA256))
	data = binary.LittleEndian.AppendUint16(data, sha256.Size)
	img, err := image.Parse(append(data, sum[:]...))
	if err != nil {
		b.Fatal(err)
	}
	return img
}
