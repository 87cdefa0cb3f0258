package transport

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"time"
)

// slowWrite is how long a write may take before the trace says so. A device that erases flash may refuse data for that
// long and recover.
const slowWrite = 3 * time.Second

// writer is the sending half of a Conn. It has no goroutine: whoever calls stays in the stream's Write.
type writer struct {
	turn  chan struct{} // holds a token while a caller uses frame and last
	frame []byte
	last  time.Time // when a line with a gap behind it was written

	gap atomic.Int64 // time.Duration between the starts of two lines
}

// send writes one packet or text.
func (c *Conn) send(what string, kind traceKind, p []byte) error {
	select {
	case c.out.turn <- struct{}{}:
	case <-c.closed:
		return ErrClosed
	}
	defer func() { <-c.out.turn }()
	// Not before the turn: the caller before may just have met the end.
	if err := c.ended(); err != nil {
		return sendError(what, err)
	}
	c.encode(kind, p)
	c.record(kind, p)
	if c.trace != nil {
		slow := time.AfterFunc(slowWrite,
			func() { c.trace.note(fmt.Sprintf("%s: not taken within %v", what, slowWrite)) })
		defer slow.Stop()
	}
	err := c.writeFrame(c.out.frame)
	if isClosed(c.closed) {
		return ErrClosed // a write that ends because Close throws its bytes away looks like a success
	}
	if err != nil {
		return sendError(what, c.fail(err))
	}
	c.count(kind, len(c.out.frame))
	return nil
}

// writeFrame writes a frame at once, or line by line if there is to be a gap.
func (c *Conn) writeFrame(frame []byte) error {
	gap := time.Duration(c.out.gap.Load())
	if gap <= 0 {
		return c.writeAll(frame)
	}
	for line := range bytes.Lines(frame) {
		if err := c.pause(gap - time.Since(c.out.last)); err != nil {
			return err
		}
		if err := c.writeAll(line); err != nil {
			return err
		}
		c.out.last = time.Now()
	}
	return nil
}

func (c *Conn) writeAll(p []byte) error {
	n, err := c.rwc.Write(p)
	if err == nil && n < len(p) {
		err = fmt.Errorf("short write: %d of %d bytes", n, len(p))
	}
	return err
}

// pause waits between two lines, unless the connection ends.
func (c *Conn) pause(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.closed:
		return ErrClosed
	}
}

// ended returns why the connection is of no further use, or nil.
func (c *Conn) ended() error {
	if isClosed(c.closed) {
		return ErrClosed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

func (c *Conn) encode(kind traceKind, p []byte) {
	c.out.frame = c.out.frame[:0]
	if kind == sentPacket && c.framing.lines {
		c.out.frame = AppendFrame(c.out.frame, p, c.options.LineLength)
	} else {
		c.out.frame = append(c.out.frame, p...)
	}
}

// record traces and remembers what is about to be sent: before the write, because the answer may be there before the
// write returns.
func (c *Conn) record(kind traceKind, p []byte) {
	if kind == sentPacket {
		c.mu.Lock()
		c.reception.asked.add(p)
		c.mu.Unlock()
		c.trace.packet(kind, p)
	} else {
		c.trace.text(kind, p)
	}
}

func (c *Conn) count(kind traceKind, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.SentBytes += uint64(bytes)
	if kind == sentPacket {
		c.stats.SentPackets++
	}
}

// sendError says what was asked, except where the error is the state of the connection.
func sendError(what string, err error) error {
	if err == ErrClosed {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
