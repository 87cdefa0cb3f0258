package smp_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// BenchmarkFileWire copies a file over a virtual UART in real time and reports the share of the wire's limit: the rate
// at which the best packet that fits the device's buffer crosses the wire, at 10 bits a byte, without a pause between
// packets. Of a download the answers count, which Zephyr makes a little shorter than its buffer.
func BenchmarkFileWire(b *testing.B) {
	const baud, size = 115200, 40_000
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for _, buffer := range []int{384, 2048} {
		d, err := sim.NewDevice(sim.Options{Baud: baud, BufSize: buffer})
		if err != nil {
			b.Fatal(err)
		}
		defer d.Close()
		c := smp.NewClient(transport.NewConn(d.Stream(), transport.Options{Baud: baud}), smp.Options{})
		defer c.Close()
		if _, err := c.Negotiate(b.Context()); err != nil {
			b.Fatal(err)
		}
		const name = "/lfs1/x"
		b.Run(fmt.Sprintf("upload/buffer=%d", buffer), func(b *testing.B) {
			for b.Loop() {
				if _, err := c.FS.Upload(b.Context(), name, data, smp.FileUpload{Restart: true}); err != nil {
					b.Fatal(err)
				}
			}
			overhead := 4 + smp.HeaderLen + 16 + len("dname") + 1 + len(name)
			reportFile(b, size, buffer-4, buffer-overhead, baud)
		})
		b.Run(fmt.Sprintf("download/buffer=%d", buffer), func(b *testing.B) {
			for b.Loop() {
				if _, err := c.FS.Download(b.Context(), name, io.Discard, smp.FileDownload{}); err != nil {
					b.Fatal(err)
				}
			}
			const unused = 50 // Zephyr's reserve for heads (fs_mgmt_config.h)
			reportFile(b, size, buffer-unused+smp.HeaderLen+17, buffer-unused, baud)
		})
	}
}

// reportFile compares the rate with that of packets, of so many bytes with so many bytes of the file in each.
func reportFile(b *testing.B, size, packet, payload, baud int) {
	frame := time.Duration(transport.FrameLen(packet, 0)) * 10 * time.Second / time.Duration(baud)
	got := float64(size*b.N) / b.Elapsed().Seconds()
	b.ReportMetric(got/1e3, "kB/s")
	b.ReportMetric(got/(float64(payload)/frame.Seconds()), "of-wire")
	b.ReportMetric(0, "ns/op")
}
