package smp

import (
	"context"
	"errors"
	"time"
)

// maxHails is how many requests of [Client.Knock] or [Client.Hail] may wait for an answer. The older ones were lost.
const maxHails = 8

// Knock asks for the parameters in protocol version 1, once in every interval, until anything answers or the context ends, and
// returns the payload of the answer, not looked into.
//
// It is for MCUboot's wait window: for a moment after each boot the bootloader takes any request as a wish for serial recovery
// (BOOT_SERIAL_WAIT_FOR_DFU, 500 ms by default). Every version of it answers this one, if only with a refusal.
func (c *Client) Knock(ctx context.Context, interval time.Duration) ([]byte, error) {
	h := Header{Version: V1, Op: osParams.op, Length: 1, Group: osParams.group, Command: osParams.id}
	return c.repeat(ctx, append(h.Append(nil), emptyMap), interval)
}

// foreignOp is an operation that the protocol does not have.
const foreignOp Op = 4

// Hail waits for the application: it sends a request that only an application hears, once in every interval, until anything
// answers or the context ends. It is the one request that may be sent at any time after a reset, for it never keeps a
// bootloader from starting the application.
//
// Its operation does not exist. Zephyr answers such a packet with a refusal (subsys/mgmt/mcumgr/smp/src/smp.c:
// smp_process_request_packet); MCUboot drops it before it counts as a wish for serial recovery (boot_serial.c:
// boot_serial_input). With raw framing both drop it. An application of another make may drop it too, so silence proves nothing.
//
// Once it was answered, and until [Client.Restarted], the client asks for signs of life in the same way.
func (c *Client) Hail(ctx context.Context, interval time.Duration) error {
	_, err := c.repeat(ctx, hail.Append(nil), interval)
	if err == nil {
		c.mu.Lock()
		c.hailed = true
		c.mu.Unlock()
	}
	return err
}

// hail has no payload. Raw framing drops a header with an operation that it does not know, and whatever has come with it so
// far: a byte behind it would be taken for the beginning of the next packet, and every request after it would be lost.
var hail = Header{Version: V1, Op: foreignOp, Group: osParams.group, Command: osParams.id}

// hears reports whether the application has answered a hail.
func (c *Client) hears() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hailed
}

// repeat sends a request once in every interval until one of them is answered.
func (c *Client) repeat(ctx context.Context, packet []byte, interval time.Duration) ([]byte, error) {
	done := make(chan *call, 2*maxHails)
	var calls []*call
	defer func() {
		for _, cl := range calls {
			c.withdraw(cl)
		}
	}()
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		cl, err := await(ctx, done, next.C)
		switch {
		case err != nil:
			return nil, err
		case cl != nil:
			return cl.body, cl.err
		}
		next.Reset(interval)
		if n := len(calls); n > 0 && calls[n-1].queued.Load() {
			continue // all would come at once when the link takes data again
		}
		if len(calls) == maxHails {
			c.withdraw(calls[0])
			calls = calls[1:]
		}
		cl = &call{packet: append([]byte(nil), packet...), done: done}
		switch err := c.start(cl, noLimit); {
		case err == nil:
			calls = append(calls, cl)
		case !errors.Is(err, ErrNoReply): // else the link takes nothing for now, and the next may pass
			return nil, err
		}
	}
}
