package dfu

import (
	"context"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/smp"
)

// confirm makes the running target permanent and looks whether it is. It looks first, for the command is about whatever
// runs.
func (r *runner) confirm(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	if err := r.list(ctx); err != nil {
		return err
	}
	if err := r.judge("the old image runs again, and was not confirmed"); err != nil {
		return err
	}
	if standingOf(r.device, t) == stays && r.device.Bootloader.Mode != smp.ModeDirectXIPRevert {
		return nil // a direct-XIP bootloader with one image left calls its trial confirmed
	}
	var which smp.Hash // none: the running image
	if t.Image > 0 {
		which = t.Hash()
	}
	_, err := r.client.Image.Confirm(ctx, which)
	var refused *smp.DeviceError
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	if failed := r.list(ctx); failed != nil {
		return failed
	}
	yes := true
	switch {
	case err == nil:
		r.device.StateWrite = &yes
		if positionOf(r.device, t).rival == nil && standingOf(r.device, t) == ends { // it is not confirmed because the device says so
			r.report.Result = RunningUnconfirmed
			return missing(r.device, t, NotConfirmed)
		}
		return nil // [runner.finish] says what came of it
	case refused.Unsupported() && !canRevertForSure(r.device):
		r.device.StateWrite = new(bool)
		return skipped("the device cannot confirm images: its bootloader decides by version")
	case standingOf(r.device, t) == stays:
		return nil
	case standingOf(r.device, t) == gone, standingOf(r.device, t) == waiting:
		return r.judge("the device restarted by itself before the confirm, and went back")
	case t.Image > 0 && !refused.Busy() && standingOf(r.device, t) == ends:
		// Zephyr does not confirm an image beside the application's own once it runs; version 1 of the protocol has no name
		// for that.
		return &lostTrial{err: err, why: fmt.Sprintf("image %d runs on trial and cannot be confirmed any more", t.Image), back: true}
	}
	return err
}

// canRevertForSure reports whether the bootloader is known to return to the old image of an unconfirmed one.
func canRevertForSure(d Device) bool { return d.Bootloader.Mode != smp.ModeUnknown && canRevert(d) }

// check runs the caller's test with the port free for it, and looks at the device afterwards: the test may have reset
// it. When it fails, a reset brings the old image back.
func (r *runner) check(ctx context.Context, s Step) error {
	r.close()
	failed := r.o.Check(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r.advance()
	caught := r.caught
	if err := r.reconnect(ctx, 0); err != nil { // a reset has ended the trial by now
		return errors.Join(failed, err)
	}
	r.caught = caught // what the check did says nothing of the image
	if failed != nil {
		return r.undo(ctx, s, failed)
	}
	err := r.judge("the check passed, but during it the device went back to the old image")
	if not := (*NotRunningError)(nil); errors.As(err, &not) && not.Reason == WentBack {
		not.Reason = CheckReset
	}
	return err
}

// undo returns to the old images after a check that failed, as far as they are on trial and the device has not done so
// by itself.
func (r *runner) undo(ctx context.Context, s Step, failed error) error {
	if anyOnTrial(r.device, r.targets) {
		r.note(s, "the check failed: resetting, to return to the old image")
		if err := r.restart(ctx, smp.ResetOptions{}); err != nil {
			return errors.Join(failed, err)
		}
	}
	var back *NotRunningError
	stay := ""
	for _, t := range r.targets {
		switch afterBoot(r.device, t) {
		case gone, waiting:
			if back == nil {
				back = missing(r.device, t, CheckFailed)
			}
		case unshown:
			r.report.Result = Unverified
			return errors.Join(failed, missing(r.device, t, NotShown))
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
