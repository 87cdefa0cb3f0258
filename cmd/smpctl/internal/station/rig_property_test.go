package station

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// witness watches a bench and knows what nobody may do.
type witness struct {
	*bench
	seen    int                       // orders so far
	busy    map[string]string         // serial numbers that are worked on, with the slot of their order
	freed   map[string]bool           // boards that somebody plugged in after their work
	worked  map[string]bool           // boards that were worked on
	results map[string]journal.Result // the last of each board
	labels  map[string]string         // serial number of the last board of each
	passes  int
}

// check looks at what was begun since the last time.
func (w *witness) check(step string) {
	w.t.Helper()
	for _, o := range w.begun[w.seen:] {
		slot, serial, _ := strings.Cut(o, " ")
		serial, label, _ := strings.Cut(serial, " ")
		if labelled := w.rig.start == startScan; labelled != (label != "") {
			w.t.Fatalf("%s: begun: %s", step, o)
		}
		if other, ok := w.labels[label]; ok && label != "" && w.busy[other] != "" {
			w.t.Fatalf("%s: %s and %s have the label %s", step, serial, other, label)
		}
		maps.DeleteFunc(w.labels, func(_, other string) bool { return other == serial })
		w.labels[label] = serial
		if at, ok := w.busy[serial]; ok {
			w.t.Fatalf("%s: %s was begun in %s while it is worked on in %s", step, serial, slot, at)
		}
		if w.worked[serial] && !w.freed[serial] {
			w.t.Fatalf("%s: %s was begun again in %s, and nobody has touched it", step, serial, slot)
		}
		w.busy[serial], w.worked[serial], w.freed[serial] = slot, true, false
	}
	w.seen = len(w.begun)
	if w.rig.quota > 0 && w.passes+len(w.busy) > w.rig.quota {
		w.t.Fatalf("%s: %d passes and %d boards in work for a quota of %d", step, w.passes, len(w.busy), w.rig.quota)
	}
	if len(w.busy) > w.rig.jobs {
		w.t.Fatalf("%s: %d boards at a time, want %d", step, len(w.busy), w.rig.jobs)
	}
	for _, s := range w.rig.slots {
		p, there := w.ports[s.location]
		if t := w.rig.tile(w.now, s); t.State == "pass" && there && w.results[p.Serial] != journal.Pass {
			w.t.Fatalf("%s: %s says PASS of %s, which has %q", step, s.name, p.Serial, w.results[p.Serial])
		}
	}
}

// byHand puts a board into a slot.
func (w *witness) byHand(slot, serial string) {
	if _, busy := w.busy[serial]; !busy {
		w.freed[serial] = true
	}
	w.plug(slot, boardPort(serial))
}

// step does one of the things that happen at a station.
func (w *witness) step(r *rand.Rand) string {
	slot := []string{"A1", "A2"}[r.IntN(2)]
	there, occupied := w.ports[locations[slot]]
	other := map[string]string{"A1": "A2", "A2": "A1"}[slot]
	switch r.IntN(9) {
	case 0, 1: // a board is plugged in, or put into the other slot
		serial := fmt.Sprint("E66C000", r.IntN(5))
		if occupied || w.ports[locations[other]].Serial == serial {
			break
		}
		w.byHand(slot, serial)
		return "plug " + serial + " into " + slot
	case 2: // pulled out by hand
		if occupied {
			w.pull(slot)
			return "pull " + there.Serial + " out of " + slot
		}
	case 3: // it resets by itself
		if occupied {
			w.pull(slot)
			w.wait(time.Duration(r.IntN(10)) * second / 4)
			w.plug(slot, there)
			return "reset " + there.Serial + " in " + slot
		}
	case 4, 5: // some work ends
		if busy := slices.Sorted(maps.Keys(w.busy)); len(busy) > 0 {
			serial, at := busy[0], w.busy[busy[0]]
			result := []journal.Result{journal.Pass, journal.Fail}[r.IntN(2)]
			delete(w.busy, serial)
			if w.results[serial] = result; result == journal.Pass {
				w.passes++
			}
			w.end(at, result)
			return fmt.Sprintf("end %s in %s: %s", serial, at, result)
		}
	case 6, 7:
		if r.IntN(3) == 0 {
			w.scan("seen")
			return "seen"
		}
		w.scan(fmt.Sprint("SN000000", r.IntN(4)))
		return "scan"
	}
	w.wait(time.Duration(r.IntN(20)) * second / 4)
	return "wait"
}

func TestNothingIsFlashedTwiceByItselfWhateverHappens(t *testing.T) {
	orders := 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := &witness{busy: map[string]string{}, freed: map[string]bool{}, worked: map[string]bool{},
			results: map[string]journal.Result{}, labels: map[string]string{}}
		w.bench = newBench(t, func(rules *rules) {
			rules.repeat, rules.quota, rules.jobs, rules.stopAfter = repeatAllow, r.IntN(8), 1+r.IntN(2), r.IntN(4)
			rules.start = []string{startPlug, startScan}[seed%2]
		}, nil)
		for n := range 150 {
			what := w.step(r)
			w.check(fmt.Sprintf("seed %d, step %d, %s", seed, n, what))
		}
		orders += w.seen
	}
	if orders < 500 {
		t.Errorf("only %d boards were begun: the test shows nothing", orders)
	}
	t.Logf("%d boards were begun", orders)
}
