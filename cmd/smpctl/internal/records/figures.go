package records

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// figures are what a report shows, gathered from records one by one: no input or output.
type figures struct {
	counts
	first, last time.Time
	hours       map[int64]*counts // by hours since 1970, in which a turn began
	places      map[string]*counts
	boards      map[string]bool // whether the first turn of a board passed
	firstPassed int             // boards of which it did
	kinds       map[string]int  // failures
	steps       map[string][]float64
	failures    []journal.Turn // the last ones
}

// counts are turns by their result.
type counts struct{ Pass, Fail, Unknown int }

func (c *counts) add(r journal.Result) {
	switch r {
	case journal.Pass:
		c.Pass++
	case journal.Fail:
		c.Fail++
	default:
		c.Unknown++
	}
}

func (c *counts) sum(d counts) {
	c.Pass, c.Fail, c.Unknown = c.Pass+d.Pass, c.Fail+d.Fail, c.Unknown+d.Unknown
}

func (c counts) Total() int { return c.Pass + c.Fail + c.Unknown }

// Yield is the share of turns that passed, in percent; of none it is 0.
func (c counts) Yield() float64 { return percent(c.Pass, c.Total()) }

func percent(part, of int) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(part) / float64(of)
}

// Names that are told apart, and failures that are listed. What comes beyond is "other".
const (
	mostNames    = 64
	mostFailures = 50
)

const otherNames = "other"

func newFigures() *figures {
	return &figures{hours: map[int64]*counts{}, places: map[string]*counts{}, boards: map[string]bool{},
		kinds: map[string]int{}, steps: map[string][]float64{}}
}

func (f *figures) add(t journal.Turn) error {
	result := t.Outcome()
	f.counts.add(result)
	if f.first.IsZero() || t.Began.Before(f.first) {
		f.first = t.Began
	}
	if t.Began.After(f.last) {
		f.last = t.Began
	}
	into(f.hours, t.Began.Unix()/3600).add(result)
	place := cmp.Or(t.Board.Slot, t.Board.Location, t.Board.Port, "unknown")
	into(f.places, bounded(f.places, place)).add(result)
	if id := cmp.Or(t.Board.ID, t.Fields["label"]); id != "" {
		if _, seen := f.boards[id]; !seen {
			f.boards[id] = result == journal.Pass
			if result == journal.Pass {
				f.firstPassed++
			}
		}
	}
	for _, s := range t.Steps {
		name := bounded(f.steps, s.Step)
		f.steps[name] = append(f.steps[name], s.Seconds)
	}
	if result == journal.Fail {
		f.kinds[bounded(f.kinds, cmp.Or(t.Kind, otherNames))]++
	}
	if result != journal.Pass {
		f.failures = append(f.failures, t)
		if len(f.failures) == 2*mostFailures {
			f.failures = append(f.failures[:0], f.failures[mostFailures:]...)
		}
	}
	return nil
}

// into is the count of a key.
func into[K comparable](m map[K]*counts, key K) *counts {
	c, ok := m[key]
	if !ok {
		c = &counts{}
		m[key] = c
	}
	return c
}

// bounded is a name, or that of the others once there are many.
func bounded[V any](m map[string]V, name string) string {
	if _, ok := m[name]; ok || len(m) < mostNames {
		return name
	}
	return otherNames
}

// firstPass is the share of boards that passed at the first try, in percent.
func (f *figures) firstPass() float64 { return percent(f.firstPassed, len(f.boards)) }

// period is a bar of the first picture.
type period struct {
	From time.Time
	counts
}

// mostPeriods is how many bars can be told apart.
const mostPeriods = 168

// periods are the turns by hour, or by day, week or four weeks if these are many; those without any are there too.
func (f *figures) periods(zone *time.Location) (list []period, each time.Duration) {
	if len(f.hours) == 0 {
		return nil, time.Hour
	}
	_, offset := f.first.In(zone).Zone()
	hours := slices.Sorted(maps.Keys(f.hours))
	least, most := hours[0], hours[len(hours)-1]
	each = widthOf(most - least)
	width, shift := int64(each/time.Second), int64(offset) // in seconds: a Duration is no longer than 292 years
	local := least*3600 + shift
	start := local - (local%width+width)%width - shift
	for _, h := range hours {
		n := int((h*3600 - start) / width)
		for len(list) <= n {
			list = append(list, period{From: time.Unix(start+int64(len(list))*width, 0).In(zone)})
		}
		list[n].sum(*f.hours[h])
	}
	return list, each
}

// widthOf is how long a period is of so many hours.
func widthOf(hours int64) time.Duration {
	for _, each := range []int64{1, 24, 7 * 24, 28 * 24} {
		if hours/each < mostPeriods {
			return time.Duration(each) * time.Hour
		}
	}
	return time.Duration(hours/mostPeriods+1) * time.Hour
}

// named is a name and its numbers.
type named struct {
	Name string
	counts
	N           int     // failures
	Median, P95 float64 // seconds
}

// byKind are the failures by kind, the most frequent first.
func (f *figures) byKind() []named {
	var list []named
	for name, n := range f.kinds {
		list = append(list, named{Name: name, N: n})
	}
	slices.SortFunc(list, func(a, b named) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	return list
}

// byPlace are the turns by where the board was.
func (f *figures) byPlace() []named {
	var list []named
	for _, name := range slices.Sorted(maps.Keys(f.places)) {
		list = append(list, named{Name: name, counts: *f.places[name]})
	}
	return list
}

// byStep are the seconds of each step, the longest first.
func (f *figures) byStep() []named {
	var list []named
	for name, all := range f.steps {
		slices.Sort(all)
		list = append(list, named{Name: name, N: len(all), Median: all[len(all)/2], P95: all[len(all)*95/100]})
	}
	slices.SortFunc(list, func(a, b named) int { return cmp.Or(cmp.Compare(b.P95, a.P95), cmp.Compare(a.Name, b.Name)) })
	return list
}
