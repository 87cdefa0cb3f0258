package transport_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/transport"
)

// benchmarkSizes are the largest packets for buffers of 384 and 2048 bytes.
var benchmarkSizes = []int{380, 2044}

func BenchmarkAppendFrame(b *testing.B) {
	for _, size := range benchmarkSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			packet := makePacket(size)
			dst := make([]byte, 0, transport.FrameLen(size, 0))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				transport.AppendFrame(dst, packet, 0)
			}
		})
	}
}

func BenchmarkDecoder(b *testing.B) {
	for _, size := range benchmarkSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			frame := transport.AppendFrame(nil, makePacket(size), 0)
			d := &transport.Decoder{}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if packet, _ := d.Next(frame); len(packet) != size {
					b.Fatalf("packet of %d bytes, want %d", len(packet), size)
				}
			}
		})
	}
}

// BenchmarkConnWritePacket writes to a stream that takes everything at once: what is left is the cost of the
// connection.
func BenchmarkConnWritePacket(b *testing.B) {
	for _, size := range benchmarkSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			packet := makePacket(size)
			c := transport.NewConn(discard{}, transport.Options{})
			defer c.Close()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.WritePacket(packet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkConnReadPacket reads from a stream that always has the next answer: what is left is the cost of the
// connection.
func BenchmarkConnReadPacket(b *testing.B) {
	request := []byte{0x0a, 0, 0, 0, 0, 1, 0x42, 1} // makePacket is its answer
	log := strings.Repeat("[00:00:01.000,000] <inf> app: the quick brown fox\r\n", 90)
	for _, size := range benchmarkSizes {
		for _, tt := range []struct {
			name, before string
			asked        bool
		}{{"asked", "", true}, {"unasked", "", false}, {"behind text", log, true}} {
			b.Run(fmt.Sprint(tt.name, "/", size), func(b *testing.B) {
				stream := append([]byte(tt.before), transport.AppendFrame(nil, makePacket(size), 0)...)
				c := transport.NewConn(discard{stream}, transport.Options{})
				defer c.Close()
				if tt.asked {
					if err := c.WritePacket(request); err != nil {
						b.Fatal(err)
					}
				}
				b.SetBytes(int64(len(stream)))
				b.ReportAllocs()
				for b.Loop() {
					if packet, err := c.ReadPacket(); len(packet) != size {
						b.Fatalf("packet of %d bytes, %v, want %d", len(packet), err, size)
					}
				}
			})
		}
	}
}
