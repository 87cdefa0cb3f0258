package smp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

// call is one request on its way. It ends in exactly one of three ways: a reply, the death of the link, or withdrawal
// by its owner, whose timer and context decide when that is. The first two arrive on done.
type call struct {
	packet []byte       // the request; must not change while the call is queued
	done   chan<- *call // must have room for every call that may end on it
	header Header       // of the request, set by start
	order  uint64       // of being started, the same
	body   []byte       // the reply's payload
	spoken Version      // the reply's version
	err    error        // why there is no reply
	gap    int          // of lineGaps, between its lines
	fresh  bool         // on a line of its own: see [Client.writePacket]
	sent   chan<- error // if not nil, gets what WritePacket returned; must have room for it

	queued atomic.Bool // the writer has not done with packet yet, even if the call has ended
}

// errNoRoom says that the device holds as many requests as it may.
var errNoRoom = errors.New("the device has no room for another request")

// noLimit lets a request go however many the device holds.
const noLimit = 1 << 10

// room is the number of requests that the device can hold: an answer needs a buffer too. One more than that, and Zephyr
// 4.4.0 writes through a null pointer (subsys/mgmt/mcumgr/transport/src/serial_util.c). MCUboot has one packet buffer,
// but eight for lines (boot/zephyr/serial_adapter.c), of which each holds a byte or little more with raw framing. A
// device that was not asked yet is only sent what its prober chooses.
func (c *Client) room() int {
	params, _, ok := c.negotiatedParams()
	switch {
	case !ok:
		return noLimit
	case params.BufferCount == 1 && c.link.Overhead() > 0:
		return 2
	}
	return max(params.BufferCount-1, 1)
}

// startInTurn starts the call as soon as the device has room for it.
func (c *Client) startInTurn(ctx context.Context, cl *call) error {
	c.inTurn.Add(1)
	defer c.inTurn.Add(-1)
	for {
		if err := c.start(cl, c.room()); !errors.Is(err, errNoRoom) {
			return err
		}
		select {
		case <-c.freed:
		case <-ctx.Done():
			return ended(ctx)
		}
	}
}

// spareRoom reports whether a transfer may send another request: there is room, and nobody waits for it.
func (c *Client) spareRoom() bool {
	return c.outstanding()+int(min(c.inTurn.Load(), 1)) < c.room()
}

// free wakes one of those that wait for room.
func (c *Client) free() {
	select {
	case c.freed <- struct{}{}:
	default:
	}
}

// start gives the call a free sequence number and hands it to the writer, unless limit calls wait for their answers. It
// never blocks.
func (c *Client) start(cl *call, limit int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		c.free()
		return c.err
	}
	switch waiting := c.waiting(); {
	case waiting >= limit:
		return errNoRoom
	case waiting+1 < limit:
		c.free() // for the next one in line
	}
	for range c.pending {
		c.sequence++
		if c.pending[c.sequence] == nil {
			break
		}
	}
	if c.pending[c.sequence] != nil {
		return errors.New("256 requests wait for their answers")
	}
	cl.packet[6] = c.sequence
	cl.header, _, _ = ParseHeader(cl.packet)
	cl.queued.Store(true)
	select {
	case c.writes <- cl:
		c.pending[c.sequence] = cl
		c.started++
		cl.order = c.started
		return nil
	default:
		cl.queued.Store(false)
		return fmt.Errorf("%w: the link takes no more data", ErrNoReply)
	}
}

// outstanding is the number of requests that the device may hold.
func (c *Client) outstanding() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting()
}

// waiting is the number of calls that wait for their answers. c.mu is held.
func (c *Client) waiting() int {
	n := 0
	for _, cl := range c.pending {
		if cl != nil {
			n++
		}
	}
	return n
}

// withdraw ends a call that its owner no longer waits for. It reports whether the call was still open; if not, it has
// already been delivered.
func (c *Client) withdraw(cl *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending[cl.header.Sequence] != cl {
		return false
	}
	c.pending[cl.header.Sequence] = nil
	c.free()
	return true
}

// open reports whether the call still waits for its answer.
func (c *Client) open(cl *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending[cl.header.Sequence] == cl
}

// overtaken reports whether a request that was started later has been answered, so that this one is lost: servers answer
// in the order of requests.
func (c *Client) overtaken(cl *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cl.order < c.answered
}

// unsent reports whether the link has not taken the request yet.
func (c *Client) unsent(cl *call) bool { return cl.queued.Load() && c.open(cl) }

// write sends calls in the order in which they were started, until the link ends.
func (c *Client) write() {
	for {
		select {
		case cl := <-c.writes:
			err := c.send(cl)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				continue // the device takes no data for now; the request's own time decides
			}
			if err != nil {
				c.end(fmt.Errorf("%w: %w", ErrClosed, err))
				return
			}
		case <-c.dead:
			return
		}
	}
}

// send writes the packet, unless the call has ended meanwhile.
func (c *Client) send(cl *call) error {
	defer cl.queued.Store(false)
	if !c.open(cl) {
		return nil
	}
	// This may be stuck in the operating system for good when the port's driver is; the goroutine is then left
	// behind, and every call still ends by its owner's timer.
	err := c.writePacket(cl)
	if cl.sent != nil {
		cl.sent <- err
	}
	return err
}

// read delivers replies until the link ends.
func (c *Client) read() {
	for {
		packet, err := c.link.ReadPacket()
		if err != nil {
			c.end(fmt.Errorf("%w: %w", ErrClosed, err))
			return
		}
		c.deliver(packet)
	}
}

// deliver hands a packet to the call that it answers. Anything else is dropped: a late answer, a request that the
// device echoed, or noise is no error of the request that happens to wait.
func (c *Client) deliver(packet []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, body, err := ParseHeader(packet)
	if err != nil {
		c.unmatched++
		return
	}
	cl := c.pending[h.Sequence]
	if cl == nil || !h.answers(cl.header) {
		c.unmatched++
		return
	}
	c.pending[h.Sequence] = nil
	c.answered = max(c.answered, cl.order)
	c.free()
	cl.body, cl.spoken = append(cl.body[:0], body...), h.Version
	cl.done <- cl // never blocks: see call.done
}

// end fails every open call and closes the link, both once. It returns when the link is closed.
func (c *Client) end(err error) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = err
		for i, cl := range c.pending {
			if cl != nil {
				c.pending[i] = nil
				cl.err = err
				cl.done <- cl
			}
		}
		close(c.dead)
		c.free()
	}
	c.mu.Unlock()
	c.closing.Do(func() { c.closeErr <- c.link.Close() })
}
