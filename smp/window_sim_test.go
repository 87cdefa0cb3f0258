package smp

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// flash is a device that follows the server's rule of img_mgmt_upload_inspect (Zephyr zephyr_img_mgmt.c), and checks
// what must never happen to it.
type flash struct {
	image    []byte // what is being uploaded
	slot     []byte
	active   bool // an upload is in progress
	complete bool // the slot holds a whole upload, not erased since
	err      error
}

// write takes a chunk and returns the offset that the device wants next. It accepts at most this many bytes.
func (f *flash) write(c chunk, most int) int {
	if c.off == 0 && !f.active {
		if f.complete && c.end < len(f.image) { // a file of one chunk comes again as a whole, with nothing lost
			f.err = errors.New("a complete upload was erased")
		}
		f.active, f.complete, f.slot = true, false, nil
	}
	if !f.active {
		return 0
	}
	if c.off != len(f.slot) {
		return len(f.slot)
	}
	f.slot = append(f.slot, f.image[c.off:min(c.end, c.off+most)]...)
	if len(f.slot) < len(f.image) {
		return len(f.slot)
	}
	if !bytes.Equal(f.slot, f.image) {
		f.err = errors.New("wrong data marked as complete")
	}
	f.active, f.complete = false, true
	return len(f.image)
}

// restart forgets what is not in flash for good.
func (f *flash) restart() {
	if f.active {
		f.active, f.slot = false, nil
	}
}

// simulation is one random upload over an ordered link that loses packets both ways.
type simulation struct {
	rng   *rand.Rand
	w     *window
	most  int // chunks in flight
	p     progress
	flash flash
	chunk int // bytes of a full chunk

	lossy, restarts, short, spurious float64 // probabilities

	requests, replies []roundTrip // on the wire, in order
	stalled           error
	sends             int
	maxSends          int
}

type roundTrip struct {
	c   chunk
	off int // of the reply
}

// run drives the window until it ends, as a transfer does.
func (s *simulation) run() error {
	for !s.w.finished && s.stalled == nil {
		if err := s.fill(); err != nil {
			return err
		}
		s.step()
		if s.w.doubtful {
			s.judge(s.w.resolve(map[bool]int{true: s.w.size, false: 0}[s.flash.complete]))
		}
		if s.flash.err != nil {
			return s.flash.err
		}
		if s.sends > s.maxSends {
			return fmt.Errorf("%d chunks sent and no end", s.sends)
		}
	}
	if s.w.finished && !s.flash.complete {
		return errors.New("finished, and the device does not have the upload")
	}
	return nil
}

// judge keeps count of what the window made of news. No time passes, so that losses in a row end an upload at once.
func (s *simulation) judge(v verdict) {
	switch v {
	case verdictWhole, verdictElsewhere:
		s.p.moved(s.w.wanted, time.Time{})
	case verdictLost:
		_, s.stalled = s.p.loss(s.w.wanted, time.Time{}.Add(stallTime))
	case verdictBack:
		s.stalled = s.p.setback(s.w.wanted)
	}
}

// fill sends what the window gives, and checks its promises.
func (s *simulation) fill() error {
	for {
		c, ok := s.w.take(s.most, func(off int) int { return off - off%s.chunk + s.chunk })
		if !ok {
			return nil
		}
		s.sends++
		s.requests = append(s.requests, roundTrip{c: c})
		n := len(s.w.flight)
		switch {
		case n > s.most:
			return fmt.Errorf("%d chunks in flight, limit %d", n, s.most)
		case n > 1 && (s.w.flight[0].off == 0 || c.end == s.w.size):
			return fmt.Errorf("the first or last chunk travels with others: %v", s.w.flight)
		case n > 1 && s.w.flight[n-2].end != c.off:
			return fmt.Errorf("a gap in the flight: %v", s.w.flight)
		}
	}
}

// step lets one thing happen.
func (s *simulation) step() {
	switch {
	case len(s.w.flight) > 0 && s.chance(s.spurious):
		s.judge(s.w.lose(s.w.flight[0])) // its answer is only late
	case len(s.requests) > 0 && (len(s.replies) == 0 || s.chance(0.5)):
		x := s.requests[0]
		s.requests = s.requests[1:]
		if s.chance(s.restarts) {
			s.flash.restart()
		}
		if s.chance(s.lossy) {
			return
		}
		most := s.w.size
		if s.chance(s.short) {
			most = s.rng.IntN(s.chunk)
		}
		x.off = s.flash.write(x.c, most)
		if !s.chance(s.lossy) {
			s.replies = append(s.replies, x)
		}
	case len(s.replies) > 0:
		x := s.replies[0]
		s.replies = s.replies[1:]
		s.judge(s.w.ack(x.c, x.off))
	default: // nothing is on its way any more: a probe shows that
		for len(s.w.flight) > 0 {
			s.judge(s.w.lose(s.w.flight[0]))
		}
	}
}

func (s *simulation) chance(p float64) bool { return s.rng.Float64() < p }

func TestWindowSimulation(t *testing.T) {
	tests := []struct {
		name                             string
		lossy, restarts, short, spurious float64
		runs                             int
		mostStalled                      float64 // share of the runs that may give up
	}{
		{name: "perfect link", runs: 2000},
		{name: "2% lost each way", lossy: 0.02, runs: 10000, mostStalled: 0.0005},
		{name: "10% lost each way", lossy: 0.1, runs: 5000, mostStalled: 0.02},
		{name: "restarts", lossy: 0.02, restarts: 0.01, runs: 5000, mostStalled: 0.2},
		{name: "short accepts", lossy: 0.02, short: 0.1, runs: 5000, mostStalled: 0.01},
		{name: "early timers", lossy: 0.02, spurious: 0.1, runs: 5000, mostStalled: 0.05},
		{name: "everything", lossy: 0.05, restarts: 0.005, short: 0.05, spurious: 0.05, runs: 5000, mostStalled: 0.3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stalled := 0
			for seed := range uint64(tt.runs) {
				s := newSimulation(seed)
				s.lossy, s.restarts, s.short, s.spurious = tt.lossy, tt.restarts, tt.short, tt.spurious
				if err := s.run(); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if s.stalled != nil {
					stalled++
				}
				if n := chunks(s.w.size, s.chunk); tt.name == "perfect link" && s.sends != n {
					t.Fatalf("seed %d: %d chunks sent, want %d", seed, s.sends, n)
				}
			}
			if share := float64(stalled) / float64(tt.runs); share > tt.mostStalled {
				t.Errorf("%d of %d runs gave up, want at most %v", stalled, tt.runs, tt.mostStalled)
			} else {
				t.Logf("%d of %d runs gave up", stalled, tt.runs)
			}
		})
	}
}

func newSimulation(seed uint64) *simulation {
	rng := rand.New(rand.NewPCG(seed, 1))
	image := make([]byte, 1+rng.IntN(3000))
	for i := range image {
		image[i] = byte(rng.Uint32())
	}
	s := &simulation{rng: rng, chunk: 32 * (1 + rng.IntN(6)), w: &window{size: len(image)}, most: 1 + rng.IntN(8),
		flash: flash{image: image}}
	s.maxSends = 20 * (chunks(len(image), s.chunk) + 10)
	return s
}

func chunks(size, chunk int) int { return (size + chunk - 1) / chunk }

// FuzzWindow plays any device and any driver: whatever they do, nothing panics and the upload ends.
func FuzzWindow(f *testing.F) {
	f.Add(uint16(300), uint8(4), []byte{0, 1, 0, 0, 1, 0, 1})
	f.Add(uint16(10), uint8(1), []byte{0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2})
	f.Add(uint16(64), uint8(8), bytes.Repeat([]byte{0, 0, 9, 17, 3, 250, 4, 33}, 40))
	f.Fuzz(func(t *testing.T, size uint16, limit uint8, script []byte) {
		s := &simulation{w: &window{size: 1 + int(size)%512}, most: max(int(limit), 1)}
		w := s.w
		sends, bound := 0, (maxReturns+2)*(w.size+1)*(maxLosses+1)*s.most
		for len(script) >= 2 && s.stalled == nil {
			op, arg := script[0], int(script[1])
			script = script[2:]
			c, ok := w.take(s.most, func(off int) int { return off + 1 + arg%64 })
			if !ok && len(w.flight) == 0 && !w.finished && !w.doubtful {
				t.Fatalf("nothing in flight, nothing to send, no end: %s", describe(w))
			}
			if ok {
				if sends++; w.finished || c.off < 0 || c.off >= c.end || c.end > w.size {
					t.Fatalf("chunk %v of %d, finished %v", c, w.size, w.finished)
				}
			}
			s.operate(op, arg)
			if n := len(w.flight); n > s.most || w.wanted < 0 || w.wanted > w.size {
				t.Fatalf("%d in flight, window %s", n, describe(w))
			}
			if op%8 == postponed { // the driver limits these
				bound += s.most
			}
			if sends > bound {
				t.Fatalf("%d chunks sent for %d bytes: %s", sends, w.size, describe(w))
			}
		}
	})
}

// operate does one thing to a window.
func (s *simulation) operate(op byte, arg int) {
	w := s.w
	if w.doubtful {
		s.judge(w.resolve(int(op&1) * w.size))
		return
	}
	if len(w.flight) == 0 {
		return
	}
	c := w.flight[int(op>>4)%len(w.flight)]
	switch op % 8 {
	case 0, 1:
		s.judge(w.ack(c, c.end))
	case 2:
		s.judge(w.ack(c, c.off))
	case 3:
		s.judge(w.ack(c, min(max(w.wanted+arg-128, 0), w.size)))
	case 4:
		s.judge(w.ack(c, 0))
	case 5:
		s.judge(w.ack(c, arg*w.size/255))
	case 6:
		s.judge(w.lose(c))
	case postponed:
		w.postpone(c)
	}
}

const postponed = 7
