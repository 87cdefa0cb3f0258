package dfu_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// rescueCrossing is a combination of the crossed test whose device is brought back through its serial recovery.
type rescueCrossing struct {
	crossing
	recovery string // how it was built
	enter    bool   // the application is asked to reboot into it
	silent   bool   // the application has no SMP
	trust    bool   // RecoverOptions.NoVerify
}

func drawRescue(seed int) rescueCrossing {
	rng := rand.New(rand.NewPCG(uint64(seed), 0x7e5c))
	c := drawAny(rng)
	for c.server == "no-recovery" || c.images != "one" {
		c = drawAny(rng)
	}
	r := rescueCrossing{
		crossing: c, recovery: pick(rng, []string{"plain", "old", "no-params", "state", "no-hash", "slots"}),
		enter: rng.IntN(2) == 0, silent: rng.IntN(6) == 0, trust: rng.IntN(4) == 0,
	}
	if r.raw() && r.recovery == "old" { // which has none
		r.recovery = "no-params"
	}
	return r
}

func (c rescueCrossing) String() string {
	return fmt.Sprintf("%v recovery=%s enter=%v silent=%v trust=%v", c.crossing, c.recovery, c.enter, c.silent, c.trust)
}

func (c rescueCrossing) device() (*sim.Device, error) {
	o := c.options()
	o.NoSMP = c.silent
	o.Recovery = c.silent || !c.enter
	o.SerialRecovery = map[string]sim.SerialRecovery{
		"old": {Old: true}, "no-params": {NoParams: true}, "state": {State: true}, "no-hash": {NoHash: true},
		"slots": {SlotInfo: true},
	}[c.recovery]
	o.SerialRecovery.Raw = c.raw()
	return sim.NewDevice(o)
}

// TestCrossedRecover recovers devices over the product of bootloaders, links, windows, keys and faults: recovered only
// if the application runs the file, now and after one more reset.
func TestCrossedRecover(t *testing.T) {
	crossHalf(t, func(t *testing.T, seed int) (string, fmt.Stringer) {
		c := drawRescue(seed)
		return c.recover(t), c
	})
}

// recover brings the file of a combination onto its device; the text says what was wrong.
func (c rescueCrossing) recover(t *testing.T) string {
	d, err := c.device()
	if err != nil {
		t.Fatalf("%v: %v", c, err)
	}
	defer d.Close()
	time.Sleep(c.boots()) // fake
	g := &gremlin{c: c.crossing, d: d}
	start := time.Now()
	report, err := dfu.Recover(t.Context(), c.dials(d, g), c.targets(), dfu.RecoverOptions{
		Enter: c.enter && !c.silent, Force: c.force, NoVerify: c.trust, Wait: crossedWait,
	})
	took := time.Since(start)
	struck, _, killed := g.leave()
	if killed.Equal(time.Now()) {
		return ""
	}
	calm(d, c.crossing)
	now := c.look(d)
	d.Reset()
	calm(d, c.crossing)
	later := c.look(d)
	runs, stays := c.all(now), c.all(later)
	if c.silent { // the flash says what the dark application is
		runs, stays = true, true
		for _, s := range d.Slots() {
			if s.Image == 0 && s.Active && !smp.Hash(s.Hash).Equal(c.file(0).Hash()) {
				runs, stays = false, false
			}
		}
	}
	var not *dfu.NotRunningError
	switch {
	case took > crossedBound:
		return fmt.Sprintf("took %v: %v", took, err)
	case report.Result == dfu.Recovered && !(runs && stays):
		return fmt.Sprintf("recovered, but it runs %v and stays %v: %v", runs, stays, err)
	case report.Result == dfu.Unverified && err == nil && !c.trust:
		return "unverified without an error, though nobody said that this is enough"
	case err == nil && c.silent && report.Result != dfu.Unverified:
		return fmt.Sprintf("%s of an application that says nothing", report.Result)
	case errors.As(err, &not) && not.Reason == dfu.OtherRuns && runs:
		return fmt.Sprintf("wrong error: it runs: %v", err)
	case err != nil && !struck && c.mustRecover():
		return fmt.Sprintf("avoidable failure: %v", err)
	case err == nil && !runs && !c.trust && !strings.HasPrefix(string(report.Result), "uploaded"):
		return fmt.Sprintf("%s without an error, and it does not run", report.Result)
	}
	return ""
}

// mustRecover reports whether nothing speaks against the recovery.
func (c rescueCrossing) mustRecover() bool {
	return c.key != "wrong" && !c.silent && !c.newest() && c.boot != sim.DirectXIPRevert && !c.lower()
}
