package dfu_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

var errDark = errors.New("the LED is dark")

// checkFor is the caller's check of the combination; nil for none. Those that do something wait until it is done, or
// the device could not tell.
func (c crossing) checkFor(d *sim.Device) func(context.Context) error {
	var do func(bench) error
	switch c.check {
	case "none":
		return nil
	case "passes":
		do = func(bench) error { return nil }
	case "fails":
		do = func(bench) error { return errDark }
	case "resets": // and passes while the device is still dark
		do = func(bench) error { d.Reset(); return nil }
	case "resets-late":
		do = func(b bench) error { b.reset(smp.BootNormal); return nil }
	case "enters-bootloader":
		do = func(b bench) error { b.reset(smp.BootBootloader); return nil }
	case "confirms":
		do = func(b bench) error { b.mark(nil, true); return nil }
	case "erases":
		do = func(b bench) error {
			b.with(func(c *smp.Client) error { return c.Image.Erase(b.ctx, smp.SlotDefault) })
			return nil
		}
	case "marks-other":
		do = func(b bench) error {
			for _, n := range c.numbers() {
				b.upload(n, c.other(n).Bytes(), 0)
				b.mark(c.other(n).Hash(), false)
			}
			return nil
		}
	}
	died := false
	return func(ctx context.Context) error {
		if c.fault == "dies-check" && !died {
			died = true
			d.PowerCycle()
		}
		return do(bench{ctx, c, d})
	}
}

// crossedWait is what the updates have for the device to come back.
const crossedWait = dfu.DefaultWait

// crossedHang is when an update is called off.
const crossedHang = 2 * time.Hour

var errHangs = errors.New("called off: it hangs")

// experiment is one update and what came of it.
type experiment struct {
	c      crossing
	report dfu.Report
	err    error
	took   time.Duration
	struck bool
	late   bool // the device died at the very end, after the update's last look
	began  look // before the update
	victim look // when the device restarted by itself
	now    look // after the update
	later  look // after one more reset in silence
}

// run carries out the update on a device and looks at the device.
func (c crossing) run(t *testing.T, d *sim.Device) experiment {
	ctx, cancel := context.WithTimeoutCause(t.Context(), crossedHang, errHangs)
	defer cancel()
	e := experiment{c: c, began: c.look(d)}
	g := &gremlin{c: c, d: d}
	start := time.Now()
	e.report, e.err = dfu.Run(ctx, c.dials(d, g), c.targets(), dfu.Options{
		Mode: c.mode, Force: c.force, Check: c.checkFor(d), Wait: crossedWait, Starting: c.starts,
	})
	e.took = time.Since(start)
	var killed time.Time
	e.struck, e.victim, killed = g.leave()
	e.late = killed.Equal(time.Now())
	calm(d, c)
	e.now = c.look(d)
	return e
}

// resetOnce looks at the device after one more reset with nobody there.
func (e *experiment) resetOnce(d *sim.Device) {
	d.Reset()
	calm(d, e.c)
	e.later = e.c.look(d)
}

// cross runs a combination, and once more the same one over a sound link if it failed.
func (c crossing) cross(t *testing.T) (verdicts []verdict, first experiment) {
	d, err := c.device()
	if err != nil {
		t.Fatalf("%v: %v", c, err)
	}
	defer d.Close()
	c.prepare(t.Context(), d)
	first = c.run(t, d)
	first.resetOnce(d)
	verdicts = first.judge()
	if first.err == nil {
		return verdicts, first
	}
	return append(verdicts, c.crossAgain(t)...), first
}

// crossAgain repeats the combination, and lets the same command follow instead of the reset.
func (c crossing) crossAgain(t *testing.T) []verdict {
	d, err := c.device()
	if err != nil {
		t.Fatalf("%v: %v", c, err)
	}
	defer d.Close()
	c.prepare(t.Context(), d)
	first := c.run(t, d)
	if first.err == nil {
		return nil
	}
	c.fault = "none"
	if c.check != "none" && c.check != "confirms" {
		c.check = "passes"
	}
	second := c.run(t, d)
	second.resetOnce(d)
	return second.judgeAgain(first)
}
