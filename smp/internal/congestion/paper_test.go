package congestion_test

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/smpctl/smpctl/smp/internal/congestion"
)

var (
	seeds = flag.Int("congestion.seeds", 6, "paper models to draw, and as many to take out of the grid")
	from  = flag.Int("congestion.from", 0, "the first of them")
	size  = flag.Int("congestion.size", 256, "kB of an upload; a quarter of them with buffers of 96 bytes")
	show  = flag.Int("congestion.show", 3, "worst models to print")
)

const (
	searchRuns  = 2 // of a fixed setting in the search
	compareRuns = 6 // of the best one and of the law, with other seeds
	tooLong     = 2 * time.Hour

	leastWorst  = 0.15 // no model of thousands is below
	leastMedian = 0.93
)

// best searches all fixed settings for the fastest. A setting is given up as soon as it is slower than the best so
// far.
func best(s *sender, m model) congestion.Limits {
	least, found := tooLong, congestion.Limits{InFlight: 1, Lines: 1}
	runs := searchRuns
	if m.request+m.answer+m.line == 0 {
		runs = 1
	}
	for _, lines := range linesOf(m) {
		for gap := range lineGaps {
			if gap > 0 && lineGaps[gap] <= m.bytes(fullLine) {
				continue // the wire is slower
			}
			for inFlight := most(m); inFlight > 0; inFlight-- {
				l := congestion.Limits{InFlight: inFlight, Lines: lines, Gap: gap}
				total := time.Duration(0)
				for seed := range runs {
					total += s.run(m, fixed(l), uint64(seed), least-total)
				}
				if total < least {
					least, found = total, l
				}
			}
		}
	}
	return found
}

func most(m model) int { return min(max(m.buffers-1, 1), 8) }

// linesOf are the packet sizes to search: all up to five lines, and steps of a quarter above.
func linesOf(m model) (all []int) {
	for n := m.lines(); n > 0; n -= max(n/5, 1) {
		all = append(all, n)
	}
	return all
}

// play compares the law with the best fixed setting.
func play(s *sender, m model) result {
	r := result{model: m, best: best(s, m)}
	for seed := range compareRuns {
		r.fixed += s.run(m, fixed(r.best), uint64(1000+seed), tooLong)
		r.bestLost += s.losses
		c := congestion.New(configOf(m))
		r.law += s.run(m, c, uint64(1000+seed), tooLong)
		r.lost += s.losses
		r.silences += s.silences
		r.limits = c.Limits()
	}
	r.fixed /= compareRuns
	r.law /= compareRuns
	r.share = float64(r.fixed) / float64(r.law)
	return r
}

func configOf(m model) congestion.Config {
	return congestion.Config{InFlight: most(m), Spare: spare(m), Lines: m.lines(), Gaps: len(lineGaps) - 1}
}

func spare(m model) int { return max(m.buffers-2, 1) }

type result struct {
	model                    model
	best, limits             congestion.Limits
	fixed, law               time.Duration
	lost, bestLost, silences int
	share                    float64
	seed                     int
}

func (r result) String() string {
	return fmt.Sprintf("seed %d %.2f: best %v %.2fs (%.1f lost), law ends %v %.2fs (%.1f lost, %.1f probes) | %v",
		r.seed, r.share, r.best, r.fixed.Seconds(), float64(r.bestLost)/compareRuns, r.limits, r.law.Seconds(),
		float64(r.lost)/compareRuns, float64(r.silences)/compareRuns, r.model)
}

// draw makes the model of a seed.
func draw(seed int) model {
	rng := rand.New(rand.NewPCG(uint64(seed), 3))
	span := func(least, most float64) float64 { return least * math.Pow(most/least, rng.Float64()) }
	m := model{
		buffers: 1 + rng.IntN(16),
		size:    []int{96, 384, 384, 2048}[rng.IntN(4)],
		pool:    1 + rng.IntN(64),
		drain:   time.Duration(span(20e3, 2e6)),
		blocks:  rng.IntN(2) == 0,
		flash:   span(10e3, 500e3),
		baud:    []float64{115200, 1e6, 1e7}[rng.IntN(3)],
		latency: time.Duration(span(0.5e6, 1e9)),
	}
	if rng.IntN(2) == 0 {
		m.pool = 1 + rng.IntN(8)
	}
	if rng.IntN(2) == 0 {
		m.fixed = time.Duration(rng.IntN(100)) * time.Millisecond
	}
	if rng.IntN(3) > 0 {
		m.latency = time.Duration(span(0.5e6, 1e7))
	}
	switch rng.IntN(4) {
	case 1:
		m.request, m.answer = 0.01, 0.01
	case 2:
		m.request, m.answer = 0.1*rng.Float64(), 0.1*rng.Float64()
	case 3:
		m.line = 0.1 * rng.Float64() * rng.Float64()
	}
	return m.sized()
}

// cross takes a model out of the grid of round numbers.
func cross(seed int) model {
	n := uint64(seed) * 7919 // a prime: neighbours differ in everything
	pick := func(of ...float64) float64 {
		v := of[n%uint64(len(of))]
		n /= uint64(len(of))
		return v
	}
	m := model{drain: 200 * time.Microsecond}
	m.buffers = int(pick(1, 2, 3, 4, 8, 16))
	m.size = int(pick(96, 384, 2048))
	m.pool = int(pick(64, 32, 8, 2))
	m.baud = pick(115200, 1e6, 1e7)
	m.flash = pick(10e3, 50e3, 500e3)
	m.latency = time.Duration(pick(0.5, 10, 100, 1000) * 1e6)
	m.request = pick(0, 0.005, 0.025, 0.05)
	m.answer = m.request
	m.blocks = pick(0, 1) == 1
	m.fixed = time.Duration(pick(0, 20)) * time.Millisecond
	return m.sized()
}

// sized gives small packets a small image.
func (m model) sized() model {
	m.upload = *size << 10
	if m.size == 96 {
		m.upload /= 4
	}
	return m
}

// classes of models, which may overlap.
var classes = []struct {
	name string
	in   func(r result) bool
}{
	{"all", func(result) bool { return true }},
	{"nothing lost on the way", func(r result) bool { return r.model.noise() == 0 && r.model.line == 0 }},
	{"to 2 % of the exchanges", func(r result) bool { return r.model.noise() > 0 && r.model.noise() <= 0.02 }},
	{"to 10 %", func(r result) bool { return r.model.noise() > 0.02 && r.model.noise() <= 0.10 }},
	{"to 20 %", func(r result) bool { return r.model.noise() > 0.10 }},
	{"lines lost, to 10 %", func(r result) bool { return r.model.line > 0 }},
	{"one buffer", func(r result) bool { return r.model.buffers == 1 }},
	{"2 to 4 buffers", func(r result) bool { return r.model.buffers > 1 && r.model.buffers <= 4 }},
	{"5 to 16 buffers", func(r result) bool { return r.model.buffers > 4 }},
	{"1 to 4 line buffers", func(r result) bool { return r.model.pool < 5 }},
	{"5 to 16 line buffers", func(r result) bool { return r.model.pool >= 5 && r.model.pool <= 16 }},
	{"17 to 64 line buffers", func(r result) bool { return r.model.pool > 16 }},
	{"round trip to 20 ms", func(r result) bool { return r.model.latency <= 10*time.Millisecond }},
	{"round trip over 100 ms", func(r result) bool { return r.model.latency > 50*time.Millisecond }},
	{"flash below 30 kB/s", func(r result) bool { return r.model.flash < 30e3 }},
	{"buffers of 96 bytes", func(r result) bool { return r.model.size == 96 }},
	{"buffers of 384 bytes", func(r result) bool { return r.model.size == 384 }},
	{"buffers of 2048 bytes", func(r result) bool { return r.model.size == 2048 }},
	{"115200 baud", func(r result) bool { return r.model.baud == 115200 }},
	{"1,000,000 baud", func(r result) bool { return r.model.baud == 1e6 }},
	{"USB", func(r result) bool { return r.model.baud == 1e7 }},
	{"best with full packets, no gap", func(r result) bool { return r.full() }},
	{"best with a gap", func(r result) bool { return r.best.Gap > 0 }},
	{"best with fewer lines", func(r result) bool { return !r.full() && r.best.Gap == 0 }},
	{"fewer than 100 chunks or 100 round trips", func(r result) bool { return r.short() }},
}

// noise is the share of the exchanges that are lost.
func (m model) noise() float64 { return m.request + m.answer }

// full says that the best packets are full ones, or lack only a last line that is nearly empty.
func (r result) full() bool { return r.best.Gap == 0 && r.best.Lines >= r.model.lines()-1 }

// short says that the fastest upload leaves little time to find anything out.
func (r result) short() bool {
	return r.model.upload/r.model.room(r.best.Lines) < 100 || r.fixed < 100*2*r.model.latency
}

// TestPaper plays uploads to devices on paper, drawn at random and out of a grid of round numbers, and compares them
// with the best fixed limits for each.
func TestPaper(t *testing.T) {
	for _, of := range []struct {
		name string
		draw func(seed int) model
	}{{"drawn", draw}, {"grid", cross}} {
		t.Run(of.name, func(t *testing.T) {
			results := make([]result, *seeds)
			workers := runtime.GOMAXPROCS(0)
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() {
					s := new(sender)
					for i := w; i < *seeds; i += workers {
						results[i] = play(s, of.draw(*from+i))
						results[i].seed = *from + i
					}
				})
			}
			wg.Wait()
			t.Log("\n" + table(results))
			slices.SortFunc(results, func(a, b result) int { return cmp.Compare(a.share, b.share) })
			for _, r := range results[:min(*show, len(results))] {
				t.Log(r)
			}
			if worst, median := results[0].share, results[len(results)/2].share; worst < leastWorst ||
				median < leastMedian {
				t.Errorf("worst %.2f, median %.2f; want %.2f, %.2f at least", worst, median, leastWorst, leastMedian)
			}
		})
	}
}

// table shows classes of models.
func table(results []result) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "class\tmodels\tworst\t5 %\tmedian\t0.9 or more")
	for _, c := range classes {
		var shares []float64
		good := 0
		for _, r := range results {
			if c.in(r) {
				shares = append(shares, r.share)
				if r.share >= 0.9 {
					good++
				}
			}
		}
		if n := len(shares); n > 0 {
			slices.Sort(shares)
			fmt.Fprintf(w, "%s\t%d\t%.2f\t%.2f\t%.2f\t%.0f %%\n",
				c.name, n, shares[0], shares[n/20], shares[n/2], 100*float64(good)/float64(n))
		}
	}
	w.Flush()
	return text.String()
}
