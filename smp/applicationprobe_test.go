package smp_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// rawInput is how Zephyr and MCUboot take raw packets, byte by byte: a header with an operation that is no request
// drops what has come so far, and whatever follows begins the next packet.
type rawInput struct{ packet []byte }

// take adds a byte and returns a packet that it completes.
func (r *rawInput) take(b byte) []byte {
	const header = 8
	r.packet = append(r.packet, b)
	if len(r.packet) < header {
		return nil
	}
	if op := r.packet[0] & 7; op != 0 && op != 2 {
		r.packet = nil
		return nil
	}
	if len(r.packet) < header+int(r.packet[2])<<8+int(r.packet[3]) {
		return nil
	}
	whole := r.packet
	r.packet = nil
	return whole
}

// TestApplicationProbeLeavesRawFramingWhole sends probes to a server with raw framing, which does not answer them, and
// has it answer the requests after that.
func TestApplicationProbeLeavesRawFramingWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		input := &rawInput{}
		hello := answering(encode(reply{"r": "hello"}))
		l := newLink(func(l *link, request []byte) {
			for _, b := range request {
				packet := input.take(b)
				if _, _, err := smp.ParseHeader(packet); err == nil {
					hello(l, packet)
				}
			}
		})
		c := smp.NewClient(l, smp.Options{})
		defer c.Close()
		for probes := range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(probes)*time.Second+time.Millisecond)
			if err := c.AwaitApplication(ctx, time.Second); err == nil {
				t.Fatal("a probe was answered")
			}
			cancel()
			if got, err := c.OS.Echo(t.Context(), "hello"); err != nil || got != "hello" {
				t.Fatalf("echo after %d probes = %q, %v; want hello", probes+1, got, err)
			}
		}
	})
}
