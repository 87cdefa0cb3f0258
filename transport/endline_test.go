package transport_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/transport"
)

// kept is a stream that keeps what is written to it.
type kept struct{ bytes.Buffer }

func (k *kept) Close() error { return nil }

// TestEndLine sends a line that no receiver takes for one, where there are lines at all.
func TestEndLine(t *testing.T) {
	for raw, want := range map[bool]string{false: "\x04\x14\n", true: ""} {
		var wire kept
		var trace strings.Builder
		c := transport.NewConn(&wire, transport.Options{Raw: raw, Trace: &trace})
		if err := c.EndLine(); err != nil {
			t.Error(err)
		}
		c.Close()
		if got := wire.String(); got != want || c.Stats().SentBytes != uint64(len(want)) || c.Stats().SentPackets != 0 {
			t.Errorf("raw %v: sent %q, %+v, want %q", raw, got, c.Stats(), want)
		}
		if traced := strings.Contains(trace.String(), ` > text "\x04\x14\n"`); traced == raw {
			t.Errorf("raw %v: trace %q", raw, &trace)
		}
	}
}
