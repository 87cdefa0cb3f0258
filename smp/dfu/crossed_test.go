package dfu_test

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	crossedSeeds = flag.Int("crossed.seeds", 800, "combinations to cross")
	crossedFrom  = flag.Int("crossed.from", 0, "the first seed of them")
	crossedShow  = flag.Int("crossed.show", 3, "failures of each class to print")
)

// TestCrossed runs updates over the product of everything that the virtual device can be, and holds each word against
// its flash. A failure names the seed; -crossed.from SEED -crossed.seeds 1 runs that one alone.
func TestCrossed(t *testing.T) {
	if *crossedSeeds == 0 {
		t.Skip("-crossed.seeds is 0")
	}
	var all census
	t.Run("seeds", func(t *testing.T) {
		workers := runtime.GOMAXPROCS(0)
		for w := range workers {
			t.Run(fmt.Sprint(w), func(t *testing.T) {
				t.Parallel()
				for seed := *crossedFrom + w; seed < *crossedFrom+*crossedSeeds; seed += workers {
					synctest.Test(t, func(t *testing.T) {
						c := draw(seed)
						verdicts, e := c.cross(t)
						all.count(seed, e, verdicts)
					})
				}
			})
		}
	})
	all.tell(t)
}

// crossHalf runs half as many seeds as the crossed test through a test of one: its text says what was wrong with which
// combination, if anything was.
func crossHalf(t *testing.T, one func(t *testing.T, seed int) (text string, c fmt.Stringer)) {
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		t.Run(fmt.Sprint(w), func(t *testing.T) {
			t.Parallel()
			for seed := *crossedFrom + w; seed < *crossedFrom+*crossedSeeds/2; seed += workers {
				var text string
				var c fmt.Stringer
				synctest.Test(t, func(t *testing.T) { text, c = one(t, seed) })
				if text != "" {
					t.Errorf("-crossed.from %d -crossed.seeds 2: %s\n\t%v", seed, text, c)
				}
			}
		})
	}
}

// census counts what many combinations came to.
type census struct {
	mu      sync.Mutex
	runs    int
	bad     int // with something wrong
	struck  int
	sound   int // that must succeed
	results map[string]int
	wrong   map[string][]string // by class
	slowest time.Duration
}

func (s *census) count(seed int, e experiment, verdicts []verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.results == nil {
		s.results, s.wrong = map[string]int{}, map[string][]string{}
	}
	s.runs++
	s.slowest = max(s.slowest, e.took)
	if e.struck {
		s.struck++
	}
	if e.mayFail() == "" {
		s.sound++
	}
	word := string(e.report.Result)
	if e.err != nil {
		word = "error " + word
	}
	s.results[strings.TrimSpace(word)]++
	if len(verdicts) > 0 {
		s.bad++
	}
	for _, v := range verdicts {
		s.wrong[v.class] = append(s.wrong[v.class],
			fmt.Sprintf("-crossed.from %d -crossed.seeds 1: %s\n\t%v", seed, v.text, e.c))
	}
}

// tell fails the test if anything was wrong.
func (s *census) tell(t *testing.T) {
	t.Logf("%d combinations, %d that must succeed, %d with a fault that struck, %d bad; the slowest took %v; %v",
		s.runs, s.sound, s.struck, s.bad, s.slowest, s.results)
	for _, class := range slices.Sorted(maps.Keys(s.wrong)) {
		cases := s.wrong[class]
		slices.Sort(cases)
		t.Errorf("%s: %d\n%s", class, len(cases), strings.Join(cases[:min(len(cases), *crossedShow)], "\n"))
	}
}
