package sim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Faults are things that go wrong, as plain data. The zero value is a perfect world. The same seed and the same traffic
// give the same faults.
type Faults struct {
	Seed uint64 // of the random source

	// Probabilities from 0 to 1.
	DropRequest    float64 // for each packet that arrives: it is lost
	DropReply      float64 // for each answer: it is lost
	DuplicateReply float64 // for each answer: it comes twice
	DelayReply     float64 // for each line or packet to the host: it and what follows comes later by Delay
	Flip           float64 // for each byte on a stream, both directions: one bit is wrong

	Delay time.Duration // of a delayed answer; 0: 3 s

	// Events that happen once.
	VanishAfter    int           // bytes received until the device loses power; 0: never
	VanishFor      time.Duration // until the power is back; 0: for good
	RebootAfter    int           // requests executed until the device resets instead of answering; 0: never
	LoseLastAnswer bool          // the answer that completes the first upload is lost
	LoseReset      bool          // the answer to the first reset is lost
}

const defaultDelay = 3 * time.Second

// faultKeys reads each key of a specification.
var faultKeys = map[string]func(f *Faults, value string) error{
	"seed":             func(f *Faults, v string) error { return parseInto(&f.Seed, v, parseSeed) },
	"drop-request":     func(f *Faults, v string) error { return parseInto(&f.DropRequest, v, parseShare) },
	"drop-reply":       func(f *Faults, v string) error { return parseInto(&f.DropReply, v, parseShare) },
	"duplicate-reply":  func(f *Faults, v string) error { return parseInto(&f.DuplicateReply, v, parseShare) },
	"delay-reply":      func(f *Faults, v string) error { return parseInto(&f.DelayReply, v, parseShare) },
	"flip":             func(f *Faults, v string) error { return parseInto(&f.Flip, v, parseShare) },
	"delay":            func(f *Faults, v string) error { return parseInto(&f.Delay, v, parseTime) },
	"vanish-after":     func(f *Faults, v string) error { return parseInto(&f.VanishAfter, v, parseCount) },
	"vanish-for":       func(f *Faults, v string) error { return parseInto(&f.VanishFor, v, parseTime) },
	"reboot-after":     func(f *Faults, v string) error { return parseInto(&f.RebootAfter, v, parseCount) },
	"lose-last-answer": func(f *Faults, v string) error { return parseInto(&f.LoseLastAnswer, v, parseSwitch) },
	"lose-reset":       func(f *Faults, v string) error { return parseInto(&f.LoseReset, v, parseSwitch) },
}

// FaultNames lists the names that [ParseFaults] knows, in alphabetical order.
func FaultNames() []string { return slices.Sorted(maps.Keys(faultKeys)) }

// ParseFaults reads a specification such as "seed=7,drop-request=0.01,flip=0.0001,vanish-after=20000,lose-last-answer".
// Keys are the fields of [Faults] in lower case with hyphens. Probabilities are numbers from 0 to 1, times are Go
// durations, counts are positive numbers, switches have no value. The empty text is no faults at all.
func ParseFaults(spec string) (Faults, error) {
	var f Faults
	seen := map[string]bool{}
	for part := range strings.SplitSeq(spec, ",") {
		if spec == "" {
			break
		}
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parse := faultKeys[key]
		switch {
		case parse == nil:
			return Faults{}, fmt.Errorf("faults: %.40q is not a fault", key)
		case seen[key]:
			return Faults{}, fmt.Errorf("faults: %s is given twice", key)
		}
		seen[key] = true
		if err := parse(&f, value); err != nil {
			return Faults{}, fmt.Errorf("faults: %s=%.40s: %w", key, value, err)
		}
	}
	return f, nil
}

func parseInto[T any](to *T, value string, parse func(string) (T, error)) (err error) {
	*to, err = parse(value)
	return err
}

func parseSeed(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("not a number")
	}
	return n, nil
}

func parseShare(s string) (float64, error) {
	p, err := strconv.ParseFloat(s, 64)
	if err != nil || !(p >= 0 && p <= 1) {
		return 0, fmt.Errorf("not a probability from 0 to 1")
	}
	return p, nil
}

func parseCount(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("not a positive number")
	}
	return int(n), nil
}

func parseTime(s string) (time.Duration, error) {
	t, err := time.ParseDuration(s)
	if err != nil || t <= 0 {
		return 0, fmt.Errorf("not a duration such as 500ms or 2s")
	}
	return t, nil
}

func parseSwitch(s string) (bool, error) {
	if s != "" {
		return false, fmt.Errorf("takes no value")
	}
	return true, nil
}

func (f Faults) check() error {
	for _, p := range []float64{f.DropRequest, f.DropReply, f.DuplicateReply, f.DelayReply, f.Flip} {
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("virtual device: a fault has probability %v, possible are 0 to 1", p)
		}
	}
	if f.Delay < 0 || f.VanishFor < 0 || f.VanishAfter < 0 || f.RebootAfter < 0 {
		return fmt.Errorf("virtual device: a time or count of the faults is negative")
	}
	return nil
}

// faultInjector decides when a fault happens.
type faultInjector struct {
	plan     Faults
	mu       sync.Mutex // guards what follows
	rng      *rand.Rand
	received int
	executed int
	vanished bool
	lostLast bool
	lostRst  bool
}

func newFaultInjector(f Faults) *faultInjector {
	f.Delay = or(f.Delay, defaultDelay)
	return &faultInjector{plan: f, rng: rand.New(rand.NewPCG(f.Seed, 0))}
}

// happens rolls for an event. Nothing is rolled for what cannot happen, so that switching one fault on does not change
// when another one happens.
func (f *faultInjector) happens(p float64) bool { return p > 0 && f.rng.Float64() < p }

func (f *faultInjector) losesRequest() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.happens(f.plan.DropRequest)
}

// answers is how many times an answer is sent.
func (f *faultInjector) answers(out result) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.plan.LoseLastAnswer && out.last && !f.lostLast:
		f.lostLast = true
		return 0
	case f.plan.LoseReset && out.reset && !f.lostRst:
		f.lostRst = true
		return 0
	case f.happens(f.plan.DropReply):
		return 0
	case f.happens(f.plan.DuplicateReply):
		return 2
	}
	return 1
}

func (f *faultInjector) delay() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.happens(f.plan.DelayReply) {
		return f.plan.Delay
	}
	return 0
}

// flip damages some bytes. It returns p itself if there is nothing to do.
func (f *faultInjector) flip(p []byte) []byte {
	if f.plan.Flip == 0 {
		return p
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p = append([]byte(nil), p...)
	for i := range p {
		if f.happens(f.plan.Flip) {
			p[i] ^= 1 << f.rng.IntN(8)
		}
	}
	return p
}

// reboots counts an executed request.
func (f *faultInjector) reboots() bool {
	if f.plan.RebootAfter == 0 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.executed++
	return f.executed == f.plan.RebootAfter
}

// gone counts received bytes and reports the moment of the power loss.
func (f *faultInjector) gone(n int) bool {
	if f.plan.VanishAfter == 0 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.received += n
	if f.vanished || f.received <= f.plan.VanishAfter {
		return false
	}
	f.vanished = true
	return true
}

// vanishes counts received bytes and takes the power away when that is due. The lock is held.
func (d *Device) vanishes(n int) bool {
	if !d.faults.gone(n) {
		return false
	}
	d.powerOff()
	if d.faults.plan.VanishFor > 0 {
		d.after(d.faults.plan.VanishFor, d.reboot)
	}
	return true
}
