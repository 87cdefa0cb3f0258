package smp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/smpctl/smpctl/smp/internal/congestion"
)

// transfer carries a payload over a client: it is the part with packets and time. What is sent next, the window
// decides; how much at a time, congestion control; what is lost, loss detection; when it is over, progress.
type transfer struct {
	c          *Client
	payload    payload
	window     *window
	congestion *congestion.Control
	loss       *lossDetection
	progress   progress
	onProgress func(Progress) // may be nil

	most     int  // bytes of the largest packet that the device's buffer takes
	fragile  bool // the first loss ends pipelining
	idle     []*sent
	download bool  // requests are of one line, and find out nothing about gaps
	late     int   // probes sent at the end of this silence
	doubted  *sent // the chunk of which the window's doubt is
	began    time.Time
	highest  int // end of the furthest chunk sent
	resumed  int // offset at which an earlier transfer was taken up
	resent   int // bytes that were sent more than once
}

// transferOptions adjust a transfer.
type transferOptions struct {
	size       int  // bytes of the payload
	start      int  // offset to begin at
	limit      int  // bytes of the largest packet
	recovery   bool // MCUboot's serial recovery is the server
	download   bool // the device decides how large the packets are that matter
	params     Params
	onProgress func(Progress)
}

// mostInFlight is more than fills any serial line; each loss costs as much data as there is in flight.
const mostInFlight = 8

// How long the device may take for a chunk that makes it work, before it counts as silent.
const (
	firstChunkTimeout = 60 * time.Second // erases the slot
	lastChunkTimeout  = 30 * time.Second // checks the image
)

// lateProbes is how many probes go out at last, when after such a silence nothing can be waiting in the device.
const lateProbes = 3

func newTransfer(c *Client, p payload, o transferOptions) *transfer {
	t := &transfer{
		c: c, payload: p, window: &window{size: o.size, wanted: o.start, next: o.start, finished: o.start == o.size},
		loss:       newLossDetection(c, 2*len(c.pending)), // open calls, and those that ended when they were given up
		onProgress: o.onProgress, most: min(o.limit, maxPayload), highest: o.start, began: time.Now(), download: o.download,
	}
	t.loss.most = min(maxProbeTimeout, t.timeout()/4)
	if c.options.Rate == 0 { // nobody knows how long the first chunk is on its way
		t.loss.least = minDoubt
	}
	limits := congestion.Config{
		InFlight: min(max(o.params.BufferCount-1, 1), mostInFlight), // an answer needs a buffer too
		Spare:    max(o.params.BufferCount-2, 1),                    // and a probe another
		Lines:    t.lines(t.most),
		Gap:      c.lineGap(),
		Gaps:     c.widestGap(),
	}
	if c.options.Window > 0 {
		limits.InFlight, limits.Fixed = min(max(o.params.BufferCount-1, 1), c.options.Window), true
	}
	switch {
	case o.recovery && c.room() > 1 && c.options.Window != 1: // perhaps it is deaf while it writes flash
		limits.InFlight, limits.Spare, t.fragile = 2, 1, true
	case c.options.Window == 0:
		t.fragile = c.isBare() // perhaps it loses what arrives together
	}
	if o.download {
		limits.Lines, limits.Gaps = 1, limits.Gap                    // requests are short
		t.loss.rtt = rtt{smoothed: c.roundTrip() + c.wire(t.most)/2} // an answer fills a buffer
	}
	t.congestion = congestion.New(limits)
	return t
}

// run returns when the device has accepted the last byte.
func (t *transfer) run(ctx context.Context) error {
	defer t.loss.stop()
	if !t.download {
		defer func() { t.c.setLineGap(t.congestion.Limits().Gap) }()
	}
	t.progress.since = time.Now()
	for !t.window.finished {
		if err := t.step(ctx); err != nil {
			return t.explain(err)
		}
	}
	if err := t.payload.finish(); err != nil {
		return t.explain(err)
	}
	return nil
}

// step sends what may be sent, and takes one piece of news.
func (t *transfer) step(ctx context.Context) error {
	if err := ended(ctx); err != nil {
		return err
	}
	if err := t.fill(); err != nil {
		return err
	}
	if t.loss.requests() > 0 {
		news, err := t.loss.wait(ctx, t.deadline())
		if err != nil {
			return err
		}
		if err := t.take(ctx, news); err != nil {
			return err
		}
	}
	if t.window.doubtful && t.loss.requests() == 0 {
		return t.recheck(ctx)
	}
	return nil
}

// fill sends chunks as long as the window gives some and the device has room.
func (t *transfer) fill() error {
	limits := t.congestion.Limits()
	if limit := t.packetLimit(limits); !t.payload.fit(limit) {
		return fmt.Errorf("%w: a packet of %d bytes has no room for a chunk", ErrTooLarge, limit)
	}
	for t.loss.requests() == 0 || t.c.spareRoom() {
		c, ok := t.window.take(limits.InFlight, t.payload.end)
		if !ok {
			return nil
		}
		if err := t.send(c, limits); err != nil {
			return err
		}
	}
	return nil
}

// packetLimit is the size in bytes of the largest packet now.
func (t *transfer) packetLimit(l congestion.Limits) int {
	return min(t.most, l.Lines*lineBytes-t.c.link.Overhead())
}

// lines is how many lines a packet takes.
func (t *transfer) lines(packet int) int {
	return (packet + t.c.link.Overhead() + lineBytes - 1) / lineBytes
}

func (t *transfer) send(c chunk, limits congestion.Limits) error {
	s := t.spare()
	s.buf.Reset()
	s.buf.Write(emptyHeader[:])
	if err := appendCBOR(&s.buf, t.payload.request(c)); err != nil {
		return err
	}
	s.chunk, s.packet, s.gap = c, s.buf.Bytes(), limits.Gap
	t.payload.header(len(s.packet) - HeaderLen).Append(s.packet[:0])
	if err := t.c.start(&s.call, noLimit); err != nil {
		return err
	}
	t.loss.sending(s)
	s.how = t.congestion.OnSent(len(t.window.flight), t.lines(len(s.packet)), s.at.Sub(t.began))
	if c.off < t.highest {
		t.resent += min(c.end, t.highest) - c.off
	}
	t.highest = max(t.highest, c.end)
	return nil
}

var emptyHeader [HeaderLen]byte

// spare returns memory for a request. An answer may come before the writer is done with its request: such a one is left
// alone.
func (t *transfer) spare() *sent {
	for i, s := range t.idle {
		if !s.queued.Load() {
			t.idle = slices.Delete(t.idle, i, i+1)
			return s
		}
	}
	return &sent{call: call{done: t.loss.done}}
}

// deadline is when the device counts as silent if nothing comes.
func (t *transfer) deadline() time.Time {
	timeout := t.chunkTimeout() + time.Duration(t.late)*t.c.options.Timeout
	if t.loss.deaf() { // what may be no more than a loss
		timeout /= 2
	}
	return t.loss.quiet.Add(t.loss.carry + timeout)
}

// explain adds how far the transfer came, except to a refusal, which names the command itself.
func (t *transfer) explain(err error) error {
	var refused *DeviceError
	var nonsense *ProtocolError
	if errors.As(err, &refused) || errors.As(err, &nonsense) {
		return err
	}
	return fmt.Errorf("%s at %d of %d bytes: %w", t.payload.name(), t.window.wanted, t.window.size, err)
}

func (t *transfer) tuning() Tuning {
	limits := t.congestion.Limits()
	return Tuning{
		InFlight: limits.InFlight, PacketLimit: t.packetLimit(limits), LineGap: t.c.lineInterval(limits.Gap),
		RoundTrip: t.loss.rtt.smoothed, Lost: t.progress.lost,
	}
}
