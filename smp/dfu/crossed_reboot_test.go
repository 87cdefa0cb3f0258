package dfu_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// TestCrossedReboot resets the devices of the crossed test, as they stand before an update, and holds what that says
// against what then runs: success only if an application answers and every image runs that was selected, as far as the
// device lists it.
func TestCrossedReboot(t *testing.T) {
	crossHalf(t, func(t *testing.T, seed int) (string, fmt.Stringer) {
		c := draw(seed)
		return c.reboot(t), c
	})
}

// reboot resets the device of a combination; the text says what was wrong.
func (c crossing) reboot(t *testing.T) string {
	d, err := c.device()
	if err != nil {
		t.Fatalf("%v: %v", c, err)
	}
	defer d.Close()
	c.prepare(t.Context(), d)
	before := d.Slots()
	g := &gremlin{c: c, d: d}
	start := time.Now()
	_, err = dfu.Reboot(t.Context(), c.dials(d, g), dfu.RebootOptions{Wait: crossedWait, Starting: c.starts})
	took := time.Since(start)
	struck, _, killed := g.leave()
	late := killed.Equal(time.Now())
	calm(d, c)
	now := c.look(d)
	left := err != nil && strings.Contains(err.Error(), "it was told to leave it")
	var not *dfu.NotRunningError
	switch {
	case late:
	case took > crossedBound:
		return fmt.Sprintf("took %v: %v", took, err)
	case err == nil && !now.application:
		return "success, and the bootloader answers"
	case err == nil && !c.started(before, now) && !struck: // else it may have started and gone back before
		return "success, and what was selected does not run"
	case errors.As(err, &not) && not.Reason != dfu.InBootloader && now.running[not.Image].Equal(not.Wanted):
		return fmt.Sprintf("wrong error: it runs: %v", err)
	case err != nil && !now.application && !namesBootloader(err) && !left:
		return fmt.Sprintf("left in its bootloader without a word: %v", err)
	case err != nil && c.mustStart(before) && !struck && c.dark() == "":
		return fmt.Sprintf("avoidable failure: %v", err)
	}
	return ""
}

// started reports whether every image runs that was listed as selected.
func (c crossing) started(before []sim.SlotState, now look) bool {
	for _, s := range before {
		hidden := c.blind() && s.Image > 0
		if s.Pending && s.Valid && !hidden && !now.running[s.Image].Equal(smp.Hash(s.Hash)) {
			return false
		}
	}
	return true
}

// mustStart reports whether nothing speaks against what is selected.
func (c crossing) mustStart(before []sim.SlotState) bool {
	for _, s := range before {
		if s.Pending && !s.Valid {
			return false
		}
	}
	return !c.lower() && c.server != "no-downgrade" && !(c.newest() && c.secretive())
}
