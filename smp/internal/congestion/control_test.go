package congestion_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp/internal/congestion"
)

// toy is a device that answers one chunk every 10 ms, and loses what it does not take.
type toy struct {
	c     *congestion.Control
	takes func(inFlight int, l congestion.Limits) bool
	now   time.Duration
	lost  int
}

const toyTime = 10 * time.Millisecond

// flight sends as many chunks as are allowed at once, and takes their answers. What follows a lost one is dropped.
func (y *toy) flight() {
	var stamps [64]congestion.Sent
	l := y.c.Limits()
	for i := range l.InFlight {
		stamps[i] = y.c.OnSent(i+1, l.Lines, y.now)
	}
	for i, s := range stamps[:l.InFlight] {
		y.now += toyTime
		if !y.takes(i+1, congestion.Limits{InFlight: s.InFlight, Lines: s.Lines, Gap: s.Gap}) {
			y.lost++
			y.c.OnLoss(s, y.now+time.Duration(l.InFlight-i)*toyTime)
			y.now += time.Duration(l.InFlight-i) * toyTime
			return
		}
		y.c.OnAck(s, s.Lines*93, y.now)
	}
}

// TestLimitsFound plays devices that lose whatever is more than they take, and nothing else.
func TestLimitsFound(t *testing.T) {
	everything := congestion.Config{InFlight: 3, Spare: 2, Lines: 5, Gaps: 2}
	for _, tt := range []struct {
		name   string
		config congestion.Config
		takes  func(inFlight int, l congestion.Limits) bool
		want   congestion.Limits
	}{
		{"takes everything", everything,
			func(int, congestion.Limits) bool { return true }, congestion.Limits{InFlight: 3, Lines: 5}},
		{"two line buffers, no gap possible", congestion.Config{InFlight: 3, Spare: 2, Lines: 5},
			func(_ int, l congestion.Limits) bool { return l.Lines <= 2 }, congestion.Limits{InFlight: 3, Lines: 2}},
		{"one line buffer, no gap possible", congestion.Config{InFlight: 3, Spare: 2, Lines: 23},
			func(_ int, l congestion.Limits) bool { return l.Lines == 1 }, congestion.Limits{InFlight: 3, Lines: 1}},
		{"two line buffers, a gap helps", everything,
			func(_ int, l congestion.Limits) bool { return l.Lines <= 2 || l.Gap > 0 },
			congestion.Limits{InFlight: 3, Lines: 5, Gap: 1}},
		{"one at a time", everything,
			func(n int, _ congestion.Limits) bool { return n == 1 }, congestion.Limits{InFlight: 1, Lines: 5}},
		{"one buffer", congestion.Config{InFlight: 1, Spare: 1, Lines: 11, Gaps: 2},
			func(_ int, l congestion.Limits) bool { return l.Lines <= 8 }, congestion.Limits{InFlight: 1, Lines: 7}},
		{"a gap in use already", congestion.Config{InFlight: 3, Spare: 2, Lines: 5, Gaps: 2, Gap: 1},
			func(_ int, l congestion.Limits) bool { return l.Gap > 0 },
			congestion.Limits{InFlight: 3, Lines: 5, Gap: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			y := &toy{c: congestion.New(tt.config), takes: tt.takes}
			at := map[congestion.Limits]int{} // flights
			for range 4000 {
				at[y.c.Limits()]++
				y.flight()
			}
			if at[tt.want] < 3400 {
				t.Errorf("%d of 4000 flights at %v; all: %v", at[tt.want], tt.want, at)
			}
		})
	}
}

// TestNoise sees that losses which have nothing to do with the limits hardly change them.
func TestNoise(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 7))
		y := &toy{c: congestion.New(congestion.Config{InFlight: 3, Spare: 2, Lines: 11, Gaps: 2})}
		y.takes = func(int, congestion.Limits) bool { return rng.Float64() >= 0.06 }
		lowered := 0
		for range 1000 {
			if l := y.c.Limits(); l.InFlight < 2 || l.Lines < 11 || l.Gap > 0 {
				lowered++
			}
			y.flight()
		}
		if lowered > 100 {
			t.Errorf("seed %d: %d of 1000 flights below the full limits, with 6 %% noise", seed, lowered)
		}
	}
}

// TestRetriesRarely counts the losses of limits that always fail: their trials become rare.
func TestRetriesRarely(t *testing.T) {
	y := &toy{c: congestion.New(congestion.Config{InFlight: 7, Spare: 6, Lines: 5, Gaps: 2})}
	y.takes = func(n int, l congestion.Limits) bool { return n == 1 && l.Lines <= 2 }
	var lost []int
	for range 4 {
		before := y.lost
		for range 2000 {
			y.flight()
		}
		lost = append(lost, y.lost-before)
	}
	if lost[0] > 60 || lost[3] > 8 {
		t.Errorf("losses in each 2000 flights: %v", lost)
	}
}

// TestWindowFitsPipe sees that a loss leaves the bandwidth-delay product and one more in flight, and no loss
// everything.
func TestWindowFitsPipe(t *testing.T) {
	y := &toy{c: congestion.New(congestion.Config{InFlight: 15, Spare: 14, Lines: 1})}
	y.takes = func(int, congestion.Limits) bool { return true }
	for range 100 {
		y.flight()
	}
	if l := y.c.Limits(); l.InFlight != 15 {
		t.Errorf("%d in flight without a loss, want 15", l.InFlight)
	}
	y.takes = func(int, congestion.Limits) bool { return false }
	y.flight()
	if l := y.c.Limits(); l.InFlight != 2 { // the toy works on one at a time, and no wire takes time
		t.Errorf("%d in flight after a loss, want 2", l.InFlight)
	}
}

func TestSlowStart(t *testing.T) {
	for _, tt := range []struct {
		config      congestion.Config
		first, last int
	}{
		{congestion.Config{InFlight: 2, Spare: 1}, 1, 2},
		{congestion.Config{InFlight: 8, Spare: 7}, 3, 8},
		{congestion.Config{InFlight: 8, Fixed: true}, 8, 8},
		{congestion.Config{}, 1, 1},
	} {
		c := congestion.New(tt.config)
		first := c.Limits().InFlight
		for i := range 10 { // long round trips: all are answered after the same time
			s := c.OnSent(c.Limits().InFlight, 1, time.Duration(i)*time.Second)
			c.OnAck(s, 93, time.Duration(i+1)*time.Second)
		}
		if last := c.Limits().InFlight; first != tt.first || last != tt.last {
			t.Errorf("%+v: %d in flight, then %d; want %d, %d", tt.config, first, last, tt.first, tt.last)
		}
	}
}

func TestSingleIsForGood(t *testing.T) {
	y := &toy{c: congestion.New(congestion.Config{InFlight: 3, Spare: 2, Lines: 1})}
	y.takes = func(int, congestion.Limits) bool { return true }
	y.c.Single()
	for range 2000 {
		y.flight()
		if n := y.c.Limits().InFlight; n != 1 {
			t.Fatalf("%d in flight", n)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	y := &toy{c: congestion.New(congestion.Config{InFlight: 7, Spare: 6, Lines: 5, Gaps: 2})}
	y.takes = func(int, congestion.Limits) bool { return rng.Float64() >= 0.3 }
	if n := testing.AllocsPerRun(100, func() {
		for range 50 {
			y.flight()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
