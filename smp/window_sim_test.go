package smp

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

// flash is a device that follows the server's rule of img_mgmt_upload_inspect (Zephyr zephyr_img_mgmt.c), and checks what
// must never happen to it.
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
	flash flash
	chunk int // bytes of a full chunk

	lossy, restarts, short, spurious float64 // probabilities

	requests, replies []roundTrip // on the wire, in order
	sends             int
	maxSends          int
}

type roundTrip struct {
	c   chunk
	off int // of the reply
}

// run drives the window until it ends, as the uploader does.
func (s *simulation) run() error {
	for !s.w.finished && s.w.failed == nil {
		if err := s.fill(); err != nil {
			return err
		}
		s.step()
		if s.w.doubtful {
			s.w.resolve(s.flash.complete)
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
	if s.w.failed != nil && !errors.Is(s.w.failed, ErrStalled) {
		return s.w.failed
	}
	return nil
}

// fill sends what the window gives, and checks its promises.
func (s *simulation) fill() error {
	limit := s.w.pace.depth.max
	for {
		c, ok := s.w.take(func(off int) int { return off - off%s.chunk + s.chunk })
		if !ok {
			return nil
		}
		s.sends++
		s.requests = append(s.requests, roundTrip{c: c})
		n := len(s.w.flight)
		switch {
		case n > limit:
			return fmt.Errorf("%d chunks in flight, limit %d", n, limit)
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
		s.w.lose(s.w.flight[0]) // its answer is only late
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
		s.w.ack(x.c, x.off)
	default: // nothing is on its way any more: a sign of life shows that
		for len(s.w.flight) > 0 {
			s.w.lose(s.w.flight[0])
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
				if s.w.failed != nil {
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
	s := &simulation{rng: rng, chunk: 32 * (1 + rng.IntN(6)), w: newWindow(len(image), newPace(1+rng.IntN(8), 1+rng.IntN(8))), flash: flash{image: image}}
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
		w := newWindow(1+int(size)%512, newPace(max(int(limit), 1), 5))
		sends, bound := 0, (maxReturns+2)*(w.size+1)*(maxLosses+1)*max(int(limit), 1)
		for len(script) >= 2 {
			op, arg := script[0], int(script[1])
			script = script[2:]
			c, ok := w.take(func(off int) int { return off + 1 + arg%64 })
			if !ok && len(w.flight) == 0 && !w.finished && w.failed == nil && !w.doubtful {
				t.Fatalf("nothing in flight, nothing to send, no end: %s", describe(w))
			}
			if ok {
				if sends++; w.finished || w.failed != nil || c.off < 0 || c.off >= c.end || c.end > w.size {
					t.Fatalf("chunk %v of %d, finished %v, failed %v", c, w.size, w.finished, w.failed)
				}
			}
			operate(w, op, arg)
			if n := len(w.flight); n > max(int(limit), 1) || w.wanted < 0 || w.wanted > w.size || w.depth < 1 || w.depth > w.pace.depth.max {
				t.Fatalf("%d in flight, window %s", n, describe(w))
			}
			if op%8 == pause { // the driver limits these
				bound += max(int(limit), 1)
			}
			if sends > bound {
				t.Fatalf("%d chunks sent for %d bytes: %s", sends, w.size, describe(w))
			}
		}
	})
}

// operate does one thing to a window.
func operate(w *window, op byte, arg int) {
	if w.doubtful {
		w.resolve(op&1 == 1)
		return
	}
	if len(w.flight) == 0 {
		return
	}
	c := w.flight[int(op>>4)%len(w.flight)]
	switch op % 8 {
	case 0, 1:
		w.ack(c, c.end)
	case 2:
		w.ack(c, c.off)
	case 3:
		w.ack(c, w.wanted+arg-128)
	case 4:
		w.ack(c, 0)
	case 5:
		w.ack(c, arg*w.size/255)
	case 6:
		w.lose(c)
	case pause:
		w.pause(c)
	}
}

const pause = 7
