package dfu

import (
	"context"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/smp"
)

// verify judges what runs after the reset, before anything is made permanent.
func (r *runner) verify() error {
	for _, t := range r.targets {
		if stateOf(r.device, t) == handedOver {
			r.note(deviceStep(Verify), fmt.Sprintf("image %d: the device does not list what runs there; "+
				"it has taken the update out of its slot", t.Image))
		}
	}
	return r.judge("the old image runs again")
}

// check runs the caller's test with the port free for it, and looks at the device afterwards: the test may have reset
// it. When it fails, a reset brings the old image back.
func (r *runner) check(ctx context.Context, s Step) error {
	r.close()
	failed := r.o.Check(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r.advance()
	met := r.metBootloader
	if err := r.reconnect(ctx, 0); err != nil { // a reset has ended the test by now
		return errors.Join(failed, err)
	}
	r.metBootloader = met // what the check did says nothing of the image
	if failed != nil {
		return r.undo(ctx, s, failed)
	}
	err := r.judge("the check passed, but during it the device went back to the old image")
	if not := (*NotRunningError)(nil); errors.As(err, &not) && not.Reason == RevertedOrRefused {
		not.Reason = CheckReset
	}
	return err
}

// undo returns to the old images after a check that failed, as far as the new ones run for a test and the device has
// not done so by itself.
func (r *runner) undo(ctx context.Context, s Step, failed error) error {
	if _, ok := underTest(r.device, r.targets); ok {
		r.note(s, "the check failed: resetting, to return to the old image")
		if err := r.restart(ctx, smp.ResetOptions{}); err != nil {
			return errors.Join(failed, err)
		}
	}
	var back *NotRunningError
	stay := ""
	for _, t := range r.targets {
		switch stateAfterBoot(r.device, t) {
		case absent, inSlot:
			if back == nil {
				back = notRunning(r.device, t, CheckFailed)
			}
		case unlisted:
			r.report.Result = Unverified
			return errors.Join(failed, notRunning(r.device, t, NotShown))
		default:
			stay += fmt.Sprintf("; image %d still runs", t.Image)
		}
	}
	if back == nil {
		r.report.Result, _ = outcome(r.before, r.device, r.targets, r.o.Mode)
		return fmt.Errorf("check failed, and the device does not go back to the old image: %w", failed)
	}
	r.report.Result, back.Err = Reverted, failed
	if stay != "" {
		return fmt.Errorf("%w%s", back, stay)
	}
	return back
}

// confirm makes the running target permanent and looks whether it is. It looks first, for the command is about whatever
// runs.
func (r *runner) confirm(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	if err := r.read(ctx); err != nil {
		return err
	}
	if err := r.judge("the old image runs again, and was not confirmed"); err != nil {
		return err
	}
	if stateOf(r.device, t) == stays && r.device.Bootloader.Mode != smp.ModeDirectXIPRevert {
		return nil // a direct-XIP bootloader with one image left calls its test confirmed
	}
	var which smp.Hash // none: the running image
	if t.Image > 0 {
		which = t.hash()
	}
	_, err := r.client.Image.Confirm(ctx, which)
	var refused *smp.DeviceError
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	if failed := r.read(ctx); failed != nil {
		return failed
	}
	if err != nil {
		return r.confirmRefused(t, refused, err)
	}
	r.device.hasStateWrite(true)
	// It is unconfirmed because the device says so, not because another image is next.
	if positionOf(r.device, t).next == nil && stateOf(r.device, t) == ends {
		r.report.Result = RunningUnconfirmed
		return notRunning(r.device, t, NotConfirmed)
	}
	return nil // [runner.finish] says what came of it
}

// confirmRefused says what it means that the device refuses to confirm a target that ran a moment ago.
func (r *runner) confirmRefused(t Target, refused *smp.DeviceError, err error) error {
	switch state := stateOf(r.device, t); {
	case refused.Unsupported() && !canRevertForSure(r.device):
		r.device.hasStateWrite(false)
		return skipped("the device cannot confirm images: its bootloader decides by version")
	case state == stays:
		return nil
	case state == absent, state == inSlot:
		return r.judge("the device restarted by itself before the confirm, and went back")
	case t.Image > 0 && !refused.Busy() && state == ends:
		// Zephyr does not confirm an image beside the application's own once it runs; version 1 of the protocol has no
		// name for that.
		why := fmt.Sprintf("image %d runs on trial and cannot be confirmed any more", t.Image)
		return &lostTest{err: err, why: why, runs: true}
	}
	return err
}

// finish names the result, from a list that was read after the last step.
func (r *runner) finish(ctx context.Context, _ Step) error {
	if len(r.report.Plan) > 0 {
		if err := r.read(ctx); err != nil {
			return err
		}
	}
	if len(r.targets) == 0 {
		return nil
	}
	result, err := outcome(r.before, r.device, r.targets, r.o.Mode)
	r.report.Result = result
	if selected := (*NotRunningError)(nil); errors.As(err, &selected) && selected.Reason == OtherSelected {
		return &lostTest{err: err,
			why: fmt.Sprintf("image %d: another one is selected for the next boot", selected.Image)}
	}
	return r.maybeLost(err, "the device restarted by itself, and went back")
}
