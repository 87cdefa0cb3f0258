package transport_test

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/transport"
)

func TestConnLineGap(t *testing.T) {
	const gap = 10 * time.Millisecond
	for _, tt := range []struct {
		name    string
		packet  int
		options transport.Options
		lines   int
	}{
		{"one line", 50, transport.Options{}, 1},
		{"five lines", 380, transport.Options{}, 5},
		{"raw", 380, transport.Options{Raw: true}, 1},
		{"longer than a write may take", 60_000, transport.Options{Baud: 1_000_000}, 646},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				stream := &countedStream{ReadWriteCloser: near}
				c := transport.NewConn(stream, tt.options)
				defer c.Close()
				go io.Copy(io.Discard, far)
				c.SetLineGap(gap)
				p := make([]byte, tt.packet)
				p[2], p[3] = byte((tt.packet-8)>>8), byte(tt.packet-8)
				start := time.Now()
				for range 2 {
					if err := c.WritePacket(p); err != nil {
						t.Fatal(err)
					}
				}
				want := time.Duration(2*tt.lines-1) * gap // between the two packets too
				if tt.options.Raw {
					want = 0
				}
				if took, n := time.Since(start), int(stream.writes.Load()); took != want || n != 2*tt.lines {
					t.Errorf("two packets took %v and %d writes, want %v and %d", took, n, want, 2*tt.lines)
				}
			})
		})
	}
}

func TestConnCloseDuringLineGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := pipe(t, transport.Options{})
		go io.Copy(io.Discard, far)
		c.SetLineGap(time.Hour)
		first := later(func() error { return c.WritePacket(make([]byte, 300)) })
		time.Sleep(time.Second)
		c.Close()
		got := <-first
		got.check(t, "WritePacket", transport.ErrClosed, time.Second)
	})
}
