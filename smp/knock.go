package smp

import (
	"context"
	"errors"
	"time"
)

// maxKnocks is how many requests of [Client.Knock] may wait for an answer. The older ones were lost.
const maxKnocks = 8

// Knock asks for the parameters in protocol version 1, once in every interval, until anything answers or the context ends, and
// returns the payload of the answer, not looked into.
//
// It is for MCUboot's wait window: for a moment after each boot the bootloader takes any request as a wish for serial recovery
// (BOOT_SERIAL_WAIT_FOR_DFU, 500 ms by default). Every version of it answers this one, if only with a refusal.
func (c *Client) Knock(ctx context.Context, interval time.Duration) ([]byte, error) {
	h := Header{Version: V1, Op: osParams.op, Length: 1, Group: osParams.group, Command: osParams.id}
	packet := append(h.Append(nil), emptyMap)
	done := make(chan *call, 2*maxKnocks)
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
		if len(calls) == maxKnocks {
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
