package dfu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// lostTrial says that the device runs the old image again for a reason that may not be the new image's.
type lostTrial struct {
	err  error  // if it is not begun again
	why  string // for people
	back bool   // the trial is not over yet, and has to be ended first
}

func (e *lostTrial) Error() string { return e.err.Error() }

func (e *lostTrial) Unwrap() error { return e.err }

// halfTrial is the trial of one target that began without the others.
func halfTrial(t Target) *lostTrial {
	return &lostTrial{err: &StateError{t.Image, onTrial}, why: fmt.Sprintf("the device restarted by itself, and only image %d runs", t.Image)}
}

// trial is err, as a lost trial if it may be one: a power failure or a reset ends a trial, and so does a request in the
// wait window. Where the slot was erased, that is only known of bootloaders that erase what they tried once.
func (r *runner) trial(err error, why string) error {
	var not *NotRunningError
	if !errors.As(err, &not) {
		return err
	}
	if not.Reason == Rejected && r.ran {
		not.Reason = WentBack
	}
	if bootsNewest(r.device.Bootloader.Mode) {
		return err
	}
	erases := r.device.Bootloader.Mode == smp.ModeDirectXIPRevert || r.device.Bootloader.Mode == smp.ModeUnknown && r.caught
	if not.Reason != WentBack && not.Reason != NotListed && !(not.Reason == Rejected && erases) {
		return err
	}
	return &lostTrial{err: err, why: why}
}

// Limits for beginning a lost trial again. The first is for a device that was caught in its bootloader, where nothing
// speaks against the image; else the image may be at fault, and one more try tells.
const (
	maxRepeats      = 2
	maxRepeatsBlind = 1
)

func (r *runner) mayRepeat(lost *lostTrial) bool {
	if r.caught {
		return r.repeats < maxRepeats
	}
	return r.repeats < maxRepeatsBlind
}

// beginAgain ends what is left of the trial and plans again, from where the device is then.
func (r *runner) beginAgain(ctx context.Context, lost *lostTrial) error {
	if r.repeats++; r.last.IsZero() {
		r.last = time.Now().Add(2 * r.o.Wait)
	}
	r.ran, r.report.Result = false, ""
	r.note(Step{}, lost.why+": trying once more")
	if lost.back {
		if err := r.restart(ctx, smp.ResetOptions{}); err != nil {
			return err
		}
	}
	if err := r.lookFirst(ctx); err != nil { // what the device lost may be more than what was noticed
		return err
	}
	return r.planTogether(ctx)
}

// planTogether plans, after it has ended the trial of some targets that the reset for the others would end anyway: all
// begin together.
func (r *runner) planTogether(ctx context.Context) error {
	if t, ok := halfway(r.device, r.targets); ok {
		r.note(Step{}, fmt.Sprintf("image %d runs on trial without the others: resetting, to start all of them together", t.Image))
		if err := r.restart(ctx, smp.ResetOptions{}); err != nil {
			return err
		}
	}
	var err error
	r.report.Plan, err = r.replan()
	return err
}
