package smp_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// rawInput is how raw packets are taken, byte by byte: a header with an operation that is not taken drops what has come
// so far, and whatever follows begins the next packet.
type rawInput struct {
	packet []byte
	most   byte // the largest operation that is taken
}

// take adds a byte and returns a packet that it completes.
func (r *rawInput) take(b byte) []byte {
	const header = 8
	r.packet = append(r.packet, b)
	if len(r.packet) < header {
		return nil
	}
	if op := r.packet[0] & 7; op > r.most || op%2 > r.most%2 {
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

// rawServer has raw framing. It refuses what is no request, and answers an echo.
func rawServer(most byte) func(l *link, request []byte) {
	input := &rawInput{most: most}
	hello := answering(encode(reply{"r": "hello"}))
	return func(l *link, request []byte) {
		for _, b := range request {
			switch packet := input.take(b); {
			case packet == nil:
			case packet[0]&1 != 0:
				refusal := response(packet, encode(reply{"rc": 8}))
				refusal[0] = byte(smp.WriteResponse)
				l.reply(refusal)
			default:
				hello(l, packet)
			}
		}
	}
}

// TestApplicationProbeLeavesRawFramingWhole sends probes to MCUboot with raw framing, which does not answer them, and has
// it answer the requests after that.
func TestApplicationProbeLeavesRawFramingWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := smp.NewClient(newLink(rawServer(2)), smp.Options{})
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

// TestRawApplicationAnswersProbes wants the first probe answered by Zephyr, which drops an operation above 3 where there
// is no console framing.
func TestRawApplicationAnswersProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := smp.NewClient(newLink(rawServer(3)), smp.Options{})
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.AwaitApplication(ctx, 2*time.Second); err != nil {
			t.Error(err)
		}
	})
}

// TestEchoIsNoAnswerToAProbe has a line that gives back what was sent.
func TestEchoIsNoAnswerToAProbe(t *testing.T) {
	for _, overhead := range []int{0, 4} {
		synctest.Test(t, func(t *testing.T) {
			l := newLink(func(l *link, request []byte) { l.reply(request) })
			l.overhead = overhead
			c := smp.NewClient(l, smp.Options{})
			defer c.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if err := c.AwaitApplication(ctx, time.Second); err == nil {
				t.Errorf("overhead %d: the echo was taken for an answer", overhead)
			}
		})
	}
}
