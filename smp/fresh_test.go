package smp_test

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// TestHalfALineLeftOver: another program, or the echo of the device's boot text, has left half a line in the device's
// line buffer. The first request must not be lost in it.
func TestHalfALineLeftOver(t *testing.T) {
	boards := map[string]sim.Options{
		"application":      {},
		"two line buffers": {RXLines: 2, LineTime: 2 * time.Millisecond},
		"bootloader":       {Recovery: true},
	}
	for name, o := range boards {
		for _, left := range []string{"AT\r", "*** Booting Zephyr OS build v4.4.0 ***\r\r[00:00:00", "\x06\x09AAs"} {
			t.Run(name+", "+left, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					board, err := sim.NewDevice(o)
					if err != nil {
						t.Fatal(err)
					}
					defer board.Close()
					stream := board.Stream()
					if _, err := io.WriteString(stream, left); err != nil {
						t.Fatal(err)
					}
					c := smp.NewClient(transport.NewConn(stream, transport.Options{}), smp.Options{})
					defer c.Close()
					start := time.Now()
					if _, err := c.Negotiate(t.Context()); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(start); took > 100*time.Millisecond {
						t.Errorf("the first answer took %v", took)
					}
				})
			})
		}
	}
}

// TestHalfALineAtAReset is the same for what a command sends first after a reset.
func TestHalfALineAtAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		board, err := sim.NewDevice(sim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer board.Close()
		stream := board.Stream()
		if _, err := io.WriteString(stream, "AT\r"); err != nil {
			t.Fatal(err)
		}
		c := smp.NewClient(transport.NewConn(stream, transport.Options{}), smp.Options{})
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := c.AwaitApplication(ctx, time.Second/2); err != nil {
			t.Error(err)
		}
	})
}

// written is a stream that keeps what is written to it, and never gives anything.
type written struct {
	mu     sync.Mutex // guards all
	all    []byte
	closed chan struct{}
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, p...)
	return len(p), nil
}

func (w *written) Read([]byte) (int, error) { <-w.closed; return 0, io.EOF }
func (w *written) Close() error             { close(w.closed); return nil }

// TestEmptyLineOnlyBetweenLines has two of four requests on lines of their own. With raw framing an empty line would be
// taken for the beginning of a packet.
func TestEmptyLineOnlyBetweenLines(t *testing.T) {
	for _, raw := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := &written{closed: make(chan struct{})}
			c := smp.NewClient(transport.NewConn(w, transport.Options{Raw: raw}), smp.Options{})
			defer c.Close()
			if _, err := c.Negotiate(t.Context()); err == nil {
				t.Fatal("an answer from nowhere")
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			first, frames := []byte("\x04\x14\n\x06\x09"), 2
			if raw {
				first, frames = []byte{byte(smp.V2-1)<<3 | byte(smp.Read)}, 0
			}
			if n := bytes.Count(w.all, []byte("\x04\x14\n\x06\x09")); !bytes.HasPrefix(w.all, first) || n != frames {
				t.Errorf("raw %v: %d empty lines before frames, want %d, in %q", raw, n, frames, w.all)
			}
		})
	}
}
