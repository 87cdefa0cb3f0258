package congestion_test

import (
	"fmt"
	"math"
	"time"
)

// model is a device on paper, and the way to it.
type model struct {
	buffers int           // packet buffers; requests queued, in work, and an answer take one each
	size    int           // bytes of a packet buffer
	pool    int           // line buffers
	drain   time.Duration // that a full line takes to leave its buffer
	blocks  bool          // no line leaves it while the processor writes flash
	flash   float64       // bytes per second
	fixed   time.Duration // of work for each chunk, besides writing
	baud    float64
	latency time.Duration // one way
	request float64       // share of the requests lost
	answer  float64       // share of the answers lost
	line    float64       // share of the request lines lost
	upload  int           // bytes
}

func (m model) String() string {
	return fmt.Sprintf("%d x %d bytes, %d lines of %v (blocked %v), flash %.0f B/s + %v, %.0f baud, latency %v, "+
		"lost %.1f %% + %.1f %%, lines %.1f %%, %d bytes",
		m.buffers, m.size, m.pool, m.drain, m.blocks, m.flash, m.fixed, m.baud, m.latency,
		100*m.request, 100*m.answer, 100*m.line, m.upload)
}

const (
	lineBytes = 93  // of a packet in one line
	fullLine  = 127 // bytes on the wire
	overhead  = 36  // bytes of a packet that are no data: framing, header, CBOR
	shortLine = 60  // bytes on the wire of an answer, and of a probe
	never     = time.Duration(math.MaxInt64)
)

func (m model) lines() int { return (m.size + lineBytes - 1) / lineBytes }

// room is how much data a packet of so many lines has.
func (m model) room(lines int) int { return min(lines*lineBytes, m.size) - overhead }

func (m model) bytes(n int) time.Duration { return time.Duration(float64(n) * 10 / m.baud * 1e9) }

// packet is a request or its answer.
type packet struct {
	id, off, end int // of a chunk; of a probe end is 0
	lines        int
	first        time.Duration // when its first line begins at the device
	step         time.Duration // from one line to the next
	got          int           // lines that were drained in order
	lost         bool
	refused      bool
	wanted       int // in the answer
	at           time.Duration
}

// queue is a FIFO that keeps its memory.
type queue[T any] struct {
	items []T
	head  int
}

func (q *queue[T]) push(v T)  { q.items = append(q.items, v) }
func (q *queue[T]) len() int  { return len(q.items) - q.head }
func (q *queue[T]) front() *T { return &q.items[q.head] }
func (q *queue[T]) pop() T {
	v := q.items[q.head]
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return v
}
func (q *queue[T]) clear() { q.items, q.head = q.items[:0], 0 }

// wire is how many bytes a line of the packet takes.
func (p *packet) wire(line int) int {
	switch rest := p.end - p.off + overhead - line*lineBytes; {
	case p.end == 0:
		return shortLine
	case rest >= lineBytes:
		return fullLine
	default:
		return 3 + (rest+2)/3*4
	}
}

// device is a model at work. Four things happen to it: a line boundary, a drained line, the end of work, the end of
// an answer.
type device struct {
	model
	roll func(p float64) bool
	now  time.Duration

	wire     queue[*packet] // not wholly arrived
	line     int            // of the first of them, on the wire now or next
	begun    bool
	kept     bool          // the present line has a buffer
	boundary time.Duration // next end or beginning of a line

	used    int // line buffers
	waiting queue[drained]
	drains  time.Duration // when the present line is drained

	free    int     // packet buffers
	partial *packet // has a buffer and lacks lines
	ready   queue[*packet]
	work    *packet
	done    time.Duration // when it is
	sending *packet       // answer
	sent    time.Duration // when it is

	wanted  int
	answers queue[*packet] // on their way to the host
}

type drained struct {
	p    *packet
	line int
}

func (d *device) reset(m model, roll func(float64) bool) {
	d.model, d.roll, d.now = m, roll, 0
	d.wire.clear()
	d.waiting.clear()
	d.ready.clear()
	d.answers.clear()
	d.line, d.begun, d.used, d.wanted = 0, false, 0, 0
	d.free, d.partial, d.work, d.sending = m.buffers, nil, nil, nil
	d.boundary, d.drains, d.done, d.sent = never, never, never, never
}

// arrive puts a packet on its way to the device.
func (d *device) arrive(p *packet) {
	d.wire.push(p)
	if d.wire.len() == 1 {
		d.line, d.begun, d.boundary = 0, false, p.first
	}
}

// next is the time of the next event.
func (d *device) next() time.Duration {
	return min(d.boundary, d.drains, d.done, d.sent)
}

// step lets what is due at now happen.
func (d *device) step(now time.Duration) {
	d.now = now
	if d.drains <= now {
		d.drainLine()
	}
	if d.done <= now {
		d.finishWork()
	}
	if d.sent <= now {
		d.finishAnswer()
	}
	if d.boundary <= now {
		d.crossBoundary()
	}
	d.startDrain()
	d.startWork()
}

func (d *device) crossBoundary() {
	p := *d.wire.front()
	if !d.begun {
		d.begun = true
		if d.kept = d.used < d.pool; d.kept {
			d.used++
		}
		d.boundary = d.now + d.bytes(p.wire(d.line))
		return
	}
	switch {
	case d.kept && d.roll(d.model.line):
		d.used--
	case d.kept:
		d.waiting.push(drained{p, d.line})
	}
	d.begun = false
	if d.line++; d.line < p.lines {
		d.boundary = p.first + time.Duration(d.line)*p.step
		return
	}
	d.wire.pop()
	d.line, d.boundary = 0, never
	if d.wire.len() > 0 {
		d.boundary = (*d.wire.front()).first
	}
}

func (d *device) startDrain() {
	if d.drains == never && d.waiting.len() > 0 && !(d.blocks && d.work != nil) {
		l := d.waiting.front()
		d.drains = d.now + d.drain*time.Duration(l.p.wire(l.line))/fullLine
	}
}

func (d *device) drainLine() {
	l := d.waiting.pop()
	d.drains = never
	d.used--
	p := l.p
	if l.line == 0 {
		switch {
		case d.partial != nil:
			d.partial = nil // its buffer is used again
		case d.free > 0:
			d.free--
		default:
			return
		}
		d.partial = p
	}
	if d.partial != p || p.got != l.line {
		return
	}
	if p.got++; p.got < p.lines {
		return
	}
	d.partial = nil
	if p.lost {
		d.free++
		return
	}
	d.ready.push(p)
}

func (d *device) startWork() {
	lines := d.drains != never || d.waiting.len() > 0
	if d.work != nil || d.sending != nil || d.ready.len() == 0 || d.blocks && lines {
		return
	}
	p := d.ready.pop()
	took := 50 * time.Microsecond
	switch {
	case d.buffers > 1 && d.free == 0:
		p.refused = true
	case p.end > 0:
		took += d.fixed
		if p.off == d.wanted {
			took += time.Duration(float64(p.end-p.off) / d.flash * 1e9)
		}
	}
	if d.buffers > 1 && !p.refused {
		d.free-- // for the answer
	}
	d.work, d.done = p, d.now+took
}

func (d *device) finishWork() {
	p := d.work
	if p.end > 0 && p.off == d.wanted && !p.refused {
		d.wanted = p.end
	}
	p.wanted = d.wanted
	d.work, d.done = nil, never
	d.sending, d.sent = p, d.now+d.bytes(shortLine)
}

func (d *device) finishAnswer() {
	p := d.sending
	d.sending, d.sent = nil, never
	d.free++ // the request's, or the answer's
	if d.buffers > 1 && !p.refused {
		d.free++
	}
	if !d.roll(d.answer) {
		p.at = d.now + d.latency
		d.answers.push(p)
	}
}
