package transport

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"time"
)

// writer is the sending half of a Conn. A write to a serial port can block for
// ever and nothing ends it, neither Close nor flushing the port. So writes
// are made by a goroutine of their own, and callers wait only as long as they like.
type writer struct {
	turn  chan struct{} // holds a token while a caller uses the fields below
	frame []byte
	timer *time.Timer
	busy  bool // the last frame is still being written

	work chan []byte // capacity 1: frames for the goroutine
	done chan error  // capacity 1: one answer for each frame

	gap  atomic.Int64 // time.Duration between the starts of two lines
	last time.Time    // when the goroutine wrote a line with a gap
}

func (c *Conn) startWriter() {
	w := &c.out
	w.turn = make(chan struct{}, 1)
	w.work = make(chan []byte, 1)
	w.done = make(chan error, 1)
	w.timer = time.NewTimer(0)
	w.timer.Stop()
	go c.writeLoop()
}

// writeLoop ends when the connection is closed. It is the one goroutine that may
// stay behind then: stuck in a Write that the driver never ends.
func (c *Conn) writeLoop() {
	for {
		select {
		case <-c.closed:
			return
		case frame := <-c.out.work:
			// A select with both ready picks at random.
			if isClosed(c.closed) {
				return
			}
			c.out.done <- c.writeFrame(frame)
		}
	}
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

// send writes one packet or text within the time limit.
func (c *Conn) send(what string, kind TraceKind, p []byte) error {
	size := len(p)
	if kind == SentPacket && c.framing.lines {
		size = FrameLen(len(p), c.options.LineLength)
	}
	limit := c.writeLimit(size) + c.gaps(size)
	start := time.Now()
	if err := c.takeTurn(limit); err != nil {
		return sendError(what, err)
	}
	defer func() { <-c.out.turn }()
	// Not before the turn: the caller before may just have met the end.
	if err := c.ended(); err != nil {
		return sendError(what, err)
	}
	c.out.timer.Reset(limit - time.Since(start))
	defer c.out.timer.Stop()

	if c.out.busy {
		// An earlier frame timed out and still sits in the driver.
		if err := c.await(); err != nil {
			return sendError(what, err)
		}
	}
	c.encode(kind, p)
	c.record(kind, p)
	c.out.busy = true
	c.out.work <- c.out.frame
	if err := c.await(); err != nil {
		if err == ErrWriteTimeout {
			c.trace.note(sendError(what, err).Error())
		}
		return sendError(what, err)
	}
	c.count(kind, len(c.out.frame))
	return nil
}

// takeTurn waits until no other caller is sending.
func (c *Conn) takeTurn(limit time.Duration) error {
	select {
	case c.out.turn <- struct{}{}: // the usual case, without a timer
		return nil
	default:
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case c.out.turn <- struct{}{}:
		return nil
	case <-timer.C:
		return ErrWriteTimeout
	case <-c.closed:
		return ErrClosed
	}
}

// await waits for the goroutine's answer to the frame given to it, the time limit,
// or the end of the connection.
func (c *Conn) await() error {
	select {
	case err := <-c.out.done:
		c.out.busy = false
		if err != nil {
			return c.fail(err)
		}
		return nil
	case <-c.closed:
		return ErrClosed
	case <-c.gone:
		return c.ended()
	case <-c.out.timer.C:
		return ErrWriteTimeout
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

func (c *Conn) encode(kind TraceKind, p []byte) {
	c.out.frame = c.out.frame[:0]
	if kind == SentPacket && c.framing.lines {
		c.out.frame = AppendFrame(c.out.frame, p, c.options.LineLength)
	} else {
		c.out.frame = append(c.out.frame, p...)
	}
}

// record traces what is about to be sent: before the write, because the answer
// may be traced before the write returns.
func (c *Conn) record(kind TraceKind, p []byte) {
	if kind == SentPacket {
		c.trace.packet(kind, p)
	} else {
		c.trace.text(kind, p)
	}
}

func (c *Conn) count(kind TraceKind, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.SentBytes += uint64(bytes)
	if kind == SentPacket {
		c.stats.SentPackets++
	}
}

// writeLimit returns how long sending size bytes may take.
func (c *Conn) writeLimit(size int) time.Duration {
	if c.options.WriteTimeout > 0 {
		return c.options.WriteTimeout
	}
	baud := c.options.Baud
	if baud <= 0 {
		baud = DefaultBaud
	}
	const bitsPerByte = 10 // start and stop bit included
	onWire := time.Duration(size) * bitsPerByte * time.Second / time.Duration(baud)
	return writeSlack + 2*onWire
}

// gaps returns how long the gaps between the lines of a frame of size bytes take.
func (c *Conn) gaps(size int) time.Duration {
	lineLength := max(c.options.LineLength, minLineLength)
	if c.options.LineLength == 0 {
		lineLength = DefaultLineLength
	}
	return time.Duration(size/lineLength+1) * time.Duration(c.out.gap.Load())
}

// sendError says what was asked, except where the error is the state of the connection.
func sendError(what string, err error) error {
	if err == ErrClosed {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}
