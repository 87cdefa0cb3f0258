package smp_test

import (
	"bytes"
	"io"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// collector is a driver that hands over every millisecond what has come since.
type collector struct {
	io.ReadWriteCloser
	mu   sync.Mutex
	held []byte
}

func (c *collector) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.held) == 0 {
		time.AfterFunc(time.Millisecond, c.hand)
	}
	c.held = append(c.held, p...)
	return len(p), nil
}

func (c *collector) hand() {
	c.mu.Lock()
	p := bytes.Clone(c.held)
	c.held = c.held[:0]
	c.mu.Unlock()
	_, _ = c.ReadWriteCloser.Write(p)
}

// TestRawUploadToDriverThatCollects has packets with nothing between them arrive together at a device that loses both
// then: it is found out once. Where they arrive one by one, several stay in flight.
func TestRawUploadToDriverThatCollects(t *testing.T) {
	for name, test := range map[string]struct {
		wire   func(io.ReadWriteCloser) io.ReadWriteCloser
		atMost int // bytes sent again
	}{
		"byte by byte": {func(s io.ReadWriteCloser) io.ReadWriteCloser { return s }, 0},
		"in pieces":    {func(s io.ReadWriteCloser) io.ReadWriteCloser { return &collector{ReadWriteCloser: s} }, 3 * 384},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				data, err := os.ReadFile("../testdata/app-2.0.0.bin")
				if err != nil {
					t.Fatal(err)
				}
				d, err := sim.NewDevice(sim.Options{Raw: true})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				c := smp.NewClient(transport.NewConn(test.wire(d.Stream()), transport.Options{Raw: true}), smp.Options{})
				defer c.Close()
				began := time.Now()
				up, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{})
				if err != nil || up.Resent > test.atMost {
					t.Errorf("upload: %v, %d bytes sent again, at most %d wanted", err, up.Resent, test.atMost)
				}
				t.Logf("%d bytes, %d again, in %v", len(data), up.Resent, time.Since(began))
			})
		})
	}
}
