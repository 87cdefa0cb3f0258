package sim

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Faults are things that go wrong, as plain data. The zero value is a perfect world. The same seed and the same traffic
// give the same faults.
type Faults struct {
	Seed uint64

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

// dice decide about faults.
type dice struct {
	f        Faults
	mu       sync.Mutex // guards what follows
	rng      *rand.Rand
	received int
	executed int
	vanished bool
	lostLast bool
	lostRst  bool
}

func newDice(f Faults) *dice {
	f.Delay = or(f.Delay, defaultDelay)
	return &dice{f: f, rng: rand.New(rand.NewPCG(f.Seed, 0))}
}

// happens rolls for an event. Nothing is rolled for what cannot happen, so that switching one fault on does not change
// when another one strikes.
func (d *dice) happens(p float64) bool { return p > 0 && d.rng.Float64() < p }

func (d *dice) losesRequest() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.happens(d.f.DropRequest)
}

// answers is how many times an answer is sent.
func (d *dice) answers(out result) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.f.LoseLastAnswer && out.last && !d.lostLast:
		d.lostLast = true
		return 0
	case d.f.LoseReset && out.reset && !d.lostRst:
		d.lostRst = true
		return 0
	case d.happens(d.f.DropReply):
		return 0
	case d.happens(d.f.DuplicateReply):
		return 2
	}
	return 1
}

func (d *dice) delay() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.happens(d.f.DelayReply) {
		return d.f.Delay
	}
	return 0
}

// flip damages some bytes. It returns p itself if there is nothing to do.
func (d *dice) flip(p []byte) []byte {
	if d.f.Flip == 0 {
		return p
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p = append([]byte(nil), p...)
	for i := range p {
		if d.happens(d.f.Flip) {
			p[i] ^= 1 << d.rng.IntN(8)
		}
	}
	return p
}

// reboots counts an executed request.
func (d *dice) reboots() bool {
	if d.f.RebootAfter == 0 {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.executed++
	return d.executed == d.f.RebootAfter
}

// gone counts received bytes and reports the moment of the power loss.
func (d *dice) gone(n int) bool {
	if d.f.VanishAfter == 0 {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.received += n
	if d.vanished || d.received <= d.f.VanishAfter {
		return false
	}
	d.vanished = true
	return true
}

// vanishes counts received bytes and takes the power away when that is due. The lock is held.
func (d *Device) vanishes(n int) bool {
	if !d.dice.gone(n) {
		return false
	}
	d.stop()
	d.interrupt()
	d.clock = clock{}
	d.flash.note.ResetPending = true
	d.keep(d.flash.saveNote())
	if d.wake != nil {
		d.wake.Stop()
		d.wake = nil
	}
	if d.dice.f.VanishFor > 0 {
		d.after(d.dice.f.VanishFor, d.reboot)
	}
	return true
}
