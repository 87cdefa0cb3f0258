package sim

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Wire says what goes wrong on a byte link between host and device, as plain data: what [Faults] are to the device, a
// Wire is to what lies between. The zero value is a perfect link. The same seed and the same bytes give the same
// faults.
//
// Lines end with a newline. Frames are those of the console framing (Zephyr
// subsys/mgmt/mcumgr/transport/src/serial_util.c): a line that begins with 06 09, and the lines after it.
type Wire struct {
	Seed uint64 // of the random source

	// Probabilities from 0 to 1, in both directions.
	Flip       float64 // for each byte: one bit is wrong
	LoseByte   float64 // for each byte
	LoseLine   float64 // for each line
	DoubleLine float64 // for each line: it comes twice

	// Probabilities from 0 to 1, towards the host.
	LogBetween float64 // for each line: other text comes before it, colours and framing bytes included
	LogInside  float64 // for each line: other text cuts it in two
	Echo       float64 // for each write: the host gets its own bytes back
	Late       float64 // for each frame: it comes later by LateBy, and the next ones overtake it
	Stall      float64 // for each frame: it and everything after it comes later by StallFor

	// Probability from 0 to 1, towards the device.
	StallWrite float64 // for each write: it blocks for StallWriteFor

	LateBy, StallFor, StallWriteFor time.Duration // 0: 3 s

	// HangUpAfter is the number of bytes, of both directions together, after which the link ends: Read gives [io.EOF]
	// once it has delivered what had arrived, and Write [io.ErrClosedPipe]. 0: never.
	HangUpAfter int
}

// Wrap puts the faults between the host and a stream such as [Device.Stream], which it owns from then on: Close closes
// it. It has one goroutine, which ends when the stream's Read does.
func (w Wire) Wrap(inner io.ReadWriteCloser) io.ReadWriteCloser {
	w.LateBy, w.StallFor, w.StallWriteFor = or(w.LateBy, defaultDelay), or(w.StallFor, defaultDelay),
		or(w.StallWriteFor, defaultDelay)
	f := &faulty{
		w: w, inner: inner, broken: make(chan struct{}), news: make(chan struct{}, 1),
		in:  damage{w, rand.New(rand.NewPCG(w.Seed, 1))},
		out: damage{w, rand.New(rand.NewPCG(w.Seed, 2))},
	}
	go f.pump()
	return f
}

// faulty is a link with faults.
type faulty struct {
	w      Wire
	inner  io.ReadWriteCloser
	broken chan struct{} // closed at the end of the link
	once   sync.Once
	closed error // what Read gives after that; set before

	// Of the pump.
	in   damage
	late time.Duration // of the present frame
	free time.Time     // when the stall is over

	writing sync.Mutex // guards out
	out     damage

	reading sync.Mutex // guards rest
	rest    []byte

	news   chan struct{} // holds a token after a change of what follows
	mu     sync.Mutex    // guards what follows
	queue  []delivery    // on their way to the host, earliest first
	end    error         // of the stream, after the queue
	passed int           // bytes, of both directions
}

// Read waits for bytes to the host.
func (f *faulty) Read(p []byte) (int, error) {
	f.reading.Lock()
	defer f.reading.Unlock()
	for len(f.rest) == 0 {
		data, wait, err := f.next()
		switch {
		case len(data) > 0:
			f.rest = data
		case isClosed(f.broken):
			return 0, f.closed
		case err != nil:
			return 0, err
		default:
			f.sleep(wait)
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// next gives what has arrived, or else the time until something does.
func (f *faulty) next() (data []byte, wait time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) == 0 {
		return nil, time.Hour, f.end
	}
	if wait := time.Until(f.queue[0].due); wait > 0 {
		return nil, wait, nil
	}
	data = f.queue[0].data
	f.queue = f.queue[1:]
	return data, 0, nil
}

// sleep waits for news or the end of the link, at most for the given time.
func (f *faulty) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-f.broken:
	case <-f.news:
	case <-t.C:
	}
}

// Write sends bytes to the device, or what is left of them.
func (f *faulty) Write(p []byte) (int, error) {
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.out.happens(f.w.StallWrite) {
		pause(f.w.StallWriteFor, f.broken)
	}
	if isClosed(f.broken) {
		return 0, io.ErrClosedPipe
	}
	passed := f.pass(len(p))
	var damaged []byte
	for line := range bytes.Lines(p[:passed]) {
		damaged = append(damaged, f.out.line(line)...)
	}
	if f.out.happens(f.w.Echo) {
		f.post(delivery{bytes.Clone(p[:passed]), time.Now()})
	}
	if _, err := f.inner.Write(damaged); err != nil {
		return 0, err
	}
	if passed < len(p) {
		f.hangUp(io.EOF)
		return passed, io.ErrClosedPipe
	}
	return len(p), nil
}

// Close ends the link and the stream. It may be called again.
func (f *faulty) Close() error { return f.hangUp(io.ErrClosedPipe) }

func (f *faulty) hangUp(err error) error {
	var closing error
	f.once.Do(func() {
		f.closed = err
		close(f.broken)
		closing = f.inner.Close()
	})
	return closing
}

// pass counts bytes, and gives how many of them come before the hang-up.
func (f *faulty) pass(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.w.HangUpAfter > 0 {
		n = min(n, f.w.HangUpAfter-f.passed)
	}
	f.passed += n
	return n
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// maxHeld is how much text without a newline waits for one.
const maxHeld = 4096

// pump takes lines off the stream until it ends.
func (f *faulty) pump() {
	buf := make([]byte, 4096)
	var line []byte
	for {
		n, err := f.inner.Read(buf)
		for piece := range bytes.Lines(buf[:n]) {
			line = append(line, piece...)
			if len(line) > maxHeld || piece[len(piece)-1] == '\n' {
				f.arrived(line)
				line = line[:0]
			}
		}
		if err != nil {
			f.arrived(line)
			f.mu.Lock()
			f.end = err
			f.mu.Unlock()
			f.tell()
			return
		}
	}
}

// arrived puts what the faults leave of a line on its way to the host.
func (f *faulty) arrived(line []byte) {
	if len(line) == 0 {
		return
	}
	passed := f.pass(len(line))
	if passed < len(line) {
		defer f.hangUp(io.EOF)
	}
	now := time.Now()
	if bytes.Contains(line, []byte{0x06, 0x09}) {
		f.late = 0
		if f.in.happens(f.w.Late) {
			f.late = f.w.LateBy
		}
		if f.in.happens(f.w.Stall) {
			f.free = now.Add(f.w.StallFor)
		}
	}
	if f.free.After(now) {
		now = f.free
	}
	if data := f.in.mixed(line[:passed]); len(data) > 0 {
		f.post(delivery{data, now.Add(f.late)})
	}
}

// post queues a delivery behind those that are due no later.
func (f *faulty) post(p delivery) {
	f.mu.Lock()
	if len(f.queue) < outboxSize {
		i, _ := slices.BinarySearchFunc(f.queue, p.due, func(q delivery, due time.Time) int {
			if q.due.After(due) {
				return 1
			}
			return -1
		})
		f.queue = slices.Insert(f.queue, i, p)
	}
	f.mu.Unlock()
	f.tell()
}

func (f *faulty) tell() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}
