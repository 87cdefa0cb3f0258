package dfu

import (
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/smp"
)

// lostTest says that the device does not run the new image for a reason that may not be the image's: the update may be
// repeated.
type lostTest struct {
	err  error  // if it is not repeated
	why  string // for people
	runs bool   // the test is not over yet, and has to be ended first
}

func (e *lostTest) Error() string { return e.err.Error() }

func (e *lostTest) Unwrap() error { return e.err }

// lostPart is the test of one target that began without the others.
func lostPart(t Target) *lostTest {
	why := fmt.Sprintf("the device restarted by itself, and only image %d runs", t.Image)
	return &lostTest{err: &StateError{t.Image, partlyTested}, why: why}
}

// judge is nil while every target runs, for good or for a test, as far as the device shows.
func (r *runner) judge(why string) error {
	result, err := outcome(r.before, r.device, r.targets, Test)
	if err != nil {
		r.report.Result = result
	}
	return r.maybeLost(err, why)
}

// maybeLost is err, as a lost test if it may be one: a power failure or a reset ends a test, and so does a request in
// the wait window. Where the slot was erased, that is only known of bootloaders that erase what they tried once.
func (r *runner) maybeLost(err error, why string) error {
	var not *NotRunningError
	if !errors.As(err, &not) {
		return err
	}
	if not.Reason == Rejected && r.targetRan {
		not.Reason = RevertedOrRefused
	}
	mode := r.device.Bootloader.Mode
	if bootsNewest(mode) {
		return err
	}
	erases := mode == smp.ModeDirectXIPRevert || mode == smp.ModeUnknown && r.metBootloader
	if not.Reason != RevertedOrRefused && not.Reason != NotListed && !(not.Reason == Rejected && erases) {
		return err
	}
	return &lostTest{err: err, why: why}
}
