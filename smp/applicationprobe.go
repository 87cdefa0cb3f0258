package smp

import (
	"context"
	"errors"
	"time"
)

// foreignOp is an operation that the protocol does not have.
const foreignOp Op = 4

// applicationProbe is the packet that an application answers and a bootloader does not hear. It is no request: Zephyr
// answers it with a refusal (subsys/mgmt/mcumgr/smp/src/smp.c: smp_process_request_packet), MCUboot drops it before it
// counts as a wish for serial recovery (boot_serial.c: boot_serial_input). Applications of another make may drop it too,
// so silence proves nothing.
//
// Zephyr's raw framing drops an operation that does not exist before anybody could refuse it, but takes the one of an
// answer, which MCUboot's raw framing drops (serial_util.c: mcumgr_serial_process_frag; boot_serial.c:
// boot_serial_input_raw). The refusal has the operation of an answer to a write, so an echo is not taken for it.
//
// It has no payload. Raw framing drops a header with an operation that it does not take, and whatever has come with it
// so far: a byte behind it would be taken for the beginning of the next packet, and every request after it would be
// lost.
func (c *Client) applicationProbe() []byte {
	h := Header{Version: V1, Op: foreignOp, Group: osParams.group, Command: osParams.id}
	if c.link.Overhead() == 0 { // no console framing
		h.Op = ReadResponse
	}
	return h.Append(nil)
}

// AwaitApplication sends an application probe once in every interval, until one is answered or the context ends: a
// packet that is no request, which Zephyr refuses and MCUboot does not hear. It is for the time after a
// reset, because it is the one packet that may be sent then at any moment: it never keeps a bootloader from starting
// the application.
//
// It blocks until then; the error is the end of the context, or that of the link. Applications of another make may drop
// probes too, so silence does not prove that there is none. After an answer, and until [Client.Restarted], the client
// sends the same probe wherever it would otherwise ask for the parameters to see whether the device is alive.
func (c *Client) AwaitApplication(ctx context.Context, interval time.Duration) error {
	_, err := c.repeat(ctx, c.applicationProbe(), interval)
	if err == nil {
		c.mu.Lock()
		c.probed = true
		c.mu.Unlock()
	}
	return err
}

// answersProbes reports whether the application has answered an application probe.
func (c *Client) answersProbes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.probed
}

// CatchBootloader asks for the parameters in protocol version 1, once in every interval, until anything answers or the
// context ends, and returns the payload of the answer, not looked into: what answers may be the application too, and
// [Client.Who] tells. It blocks until then; the error is the end of the context, or that of the link.
//
// It is for MCUboot's wait window: for a moment after each boot the bootloader takes any request as a wish for serial
// recovery (BOOT_SERIAL_WAIT_FOR_DFU, 500 ms by default). Every version of it answers this one, if only with a refusal.
func (c *Client) CatchBootloader(ctx context.Context, interval time.Duration) ([]byte, error) {
	h := Header{Version: V1, Op: osParams.op, Length: 1, Group: osParams.group, Command: osParams.id}
	return c.repeat(ctx, append(h.Append(nil), emptyMap), interval)
}

// maxRepeated is how many packets of one repeat may wait for an answer. The older ones were lost.
const maxRepeated = 8

// repeat sends a request once in every interval until one of them is answered.
func (c *Client) repeat(ctx context.Context, packet []byte, interval time.Duration) ([]byte, error) {
	done := make(chan *call, 2*maxRepeated)
	var calls []*call
	defer func() {
		for _, cl := range calls {
			c.withdraw(cl)
		}
	}()
	next := time.NewTimer(0)
	defer next.Stop()
	for fresh := true; ; {
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
		if len(calls) == maxRepeated {
			c.withdraw(calls[0])
			calls = calls[1:]
		}
		cl = &call{packet: append([]byte(nil), packet...), done: done, fresh: fresh}
		fresh = !fresh
		switch err := c.start(cl, noLimit); {
		case err == nil:
			calls = append(calls, cl)
		case !errors.Is(err, ErrNoReply): // else the link takes nothing for now, and the next may pass
			return nil, err
		}
	}
}
