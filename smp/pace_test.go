package smp

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestPaceFindsTheLimit plays devices that lose whatever is larger than they take, and nothing else.
func TestPaceFindsTheLimit(t *testing.T) {
	for _, tt := range []struct {
		name            string
		depth, lines    int // that the device takes
		maxDepth, most  int // that the parameters allow
		wantDepth, want int
	}{
		{"takes everything", 3, 5, 3, 5, 3, 5},
		{"two line buffers", 3, 2, 3, 5, 3, 2},
		{"one line buffer", 3, 1, 3, 5, 3, 1},
		{"large packets, few lines", 3, 4, 3, 22, 3, 3},
		{"one at a time", 1, 5, 3, 5, 1, 5},
		{"two at a time", 2, 5, 3, 5, 2, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPace(tt.maxDepth, tt.most)
			for range 60 {
				playPace(p, tt.depth, tt.lines)
			}
			if p.depth.now != tt.wantDepth || p.lines.now != tt.want {
				t.Errorf("depth %d, lines %d; want %d, %d", p.depth.now, p.lines.now, tt.wantDepth, tt.want)
			}
		})
	}
}

// A gap between lines comes before smaller packets, and goes again if it is no help.
func TestPaceTriesAGapFirst(t *testing.T) {
	for _, tt := range []struct {
		name             string
		gap, lines       int // that the device takes: with this gap any number, with a shorter one so many
		wantGap, wantOne int
	}{
		{"needs no gap", 0, 5, 0, 5},
		{"needs a short gap", 1, 2, 1, 5},
		{"needs a long gap", 2, 2, 2, 5},
		{"small buffer, no gap helps", 3, 3, 0, 3},
		{"two lines, no gap helps", 3, 2, 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPace(2, 5)
			p.maxGap = len(lineGaps) - 1
			for range 60 {
				playPace(p, 2, map[bool]int{true: 5, false: tt.lines}[p.gap >= tt.gap])
			}
			if p.gap != tt.wantGap || p.lines.now != tt.wantOne || p.depth.now != 2 {
				t.Errorf("gap %d, lines %d, depth %d; want %d, %d, 2", p.gap, p.lines.now, p.depth.now, tt.wantGap, tt.wantOne)
			}
		})
	}
}

// playPace sends one chunk alone, and one at full depth if the first arrived.
func playPace(p *pace, depth, lines int) {
	if p.lines.now > lines {
		p.bad(true)
		return
	}
	p.good(true)
	if p.depth.now == 1 {
		return
	}
	if p.depth.now > depth {
		p.bad(false)
		return
	}
	p.good(false)
}

// TestPaceStandsNoise sees that losses which have nothing to do with the setting do not change it.
func TestPaceStandsNoise(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 7))
		p := newPace(3, 5)
		lowered := 0
		for range 2000 {
			alone := rng.IntN(4) == 0
			if rng.Float64() < 0.06 {
				p.bad(alone)
			} else {
				p.good(alone)
			}
			if p.depth.now < 3 || p.lines.now < 5 {
				lowered++
			}
		}
		if lowered > 400 {
			t.Errorf("seed %d: %d of 2000 chunks below the full setting, with 6%% noise", seed, lowered)
		}
	}
}

// TestPaceRetriesRarely counts how often a setting that always fails is tried.
func TestPaceRetriesRarely(t *testing.T) {
	p := newPace(3, 5)
	lost := 0
	for range 2000 {
		if p.lines.now > 2 {
			lost++
		}
		playPace(p, 3, 2)
	}
	if lost > 30 {
		t.Errorf("%d of 2000 chunks sent at sizes that always fail", lost)
	}
}

func TestPaceKeepsWhatIsPinned(t *testing.T) {
	p := newPace(3, 1)
	p.depth.pin(1)
	for range 10 * tryAgain {
		p.good(true)
	}
	if p.depth.now != 1 {
		t.Errorf("depth %d, want 1", p.depth.now)
	}
}

func TestRTT(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name  string
		took  []time.Duration
		least time.Duration
		most  time.Duration
	}{
		{"nothing measured", nil, maxSilence, maxSilence},
		{"fast", []time.Duration{ms, ms, ms, ms}, minSilence, minSilence},
		{"steady", []time.Duration{100 * ms, 100 * ms, 100 * ms, 100 * ms, 100 * ms, 100 * ms, 100 * ms, 100 * ms}, 125 * ms, 160 * ms},
		{"one long pause", []time.Duration{20 * ms, 20 * ms, 20 * ms, 20 * ms, 20 * ms, 500 * ms}, 200 * ms, 700 * ms},
		{"slow", []time.Duration{5 * time.Second}, maxSilence, maxSilence},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r rtt
			for _, took := range tt.took {
				r.measure(took)
			}
			if got := r.silence(); got < tt.least || got > tt.most {
				t.Errorf("silence after %v, want %v to %v", got, tt.least, tt.most)
			}
		})
	}
}
