package dfu

import (
	"context"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/smp"
)

// step takes one step of the plan.
func (r *runner) step(ctx context.Context, s Step) error {
	switch s.Action {
	case Clear:
		return r.clear(ctx, s)
	case Upload:
		return r.upload(ctx, s)
	case MarkTest, MarkPermanent:
		return r.mark(ctx, s)
	case Reset:
		return r.reset(ctx)
	case Verify:
		return r.verify()
	case Check:
		return r.check(ctx, s)
	case Confirm:
		return r.confirm(ctx, s)
	}
	panic("dfu: unknown action " + string(s.Action))
}

// clear erases the slot of another image that the next boot would start instead of the target.
func (r *runner) clear(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	next := positionOf(r.device, t).next
	if next == nil {
		return nil
	}
	if err := r.client.Image.Erase(ctx, 2*next.Image+next.Slot); err != nil {
		return err
	}
	if err := r.read(ctx); err != nil {
		return err
	}
	if positionOf(r.device, t).next != nil {
		return &StateError{t.Image,
			fmt.Sprintf("%s (%s) is selected for the next boot, and the device does not let go of "+
				"it: reset, and begin again", versionText(*next), next.Hash.Short())}
	}
	return nil
}

// upload sends a target. The list comes first when it is resumed: a first chunk would make Zephyr erase a complete
// image.
func (r *runner) upload(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	if r.resumed && r.uploadedBefore(t) {
		return nil
	}
	if err := r.assureApplication(ctx); err != nil {
		return err
	}
	result, err := r.client.Image.Upload(ctx, t.File.Bytes(), smp.ImageUpload{
		Image: t.uploadNumber(r.device), UpgradeOnly: r.o.UpgradeOnly, Hash: t.hash(),
		OnProgress: func(p smp.Progress) { r.uploaded(s, p) },
	})
	if before := r.report.Upload; r.resumed { // what an earlier process had sent is what counts as resumed
		result.ResumedFrom, result.AlreadyPresent = before.ResumedFrom, false
		result.Resent += before.Resent
	}
	r.report.Upload = result
	if r.startedMeanwhile(ctx, t, err) {
		return nil
	}
	if errors.Is(err, smp.ErrNotListed) && r.device.Bootloader.Mode == smp.ModeDirectXIPRevert {
		return &lostTest{err: err, why: "the device restarted by itself, and erased the slot"} // if it did
	}
	if err != nil {
		return err
	}
	if err := r.accept(ctx, result.Images); err != nil {
		return err
	}
	return r.findUploaded(t)
}

// uploadedBefore reports whether an upload that was interrupted had come to its end. A restart may have started the
// image since.
func (r *runner) uploadedBefore(t Target) bool {
	p := positionOf(r.device, t)
	if p.running && !positionOf(r.before, t).running {
		return true
	}
	return p.listed && !(p.pending && p.needsUpload(r.device, t, r.o))
}

// assureApplication makes sure that the application answers, right before a first chunk: from a bootloader it would
// erase the slot that the device runs from.
func (r *runner) assureApplication(ctx context.Context) error {
	if !r.ignoresProbes {
		r.probed = false
		if r.probe(ctx) == nil {
			return nil
		}
	}
	return r.read(ctx)
}

// startedMeanwhile reports whether an upload was refused because the target runs: a restart in the middle has started a
// copy that was there before.
func (r *runner) startedMeanwhile(ctx context.Context, t Target, err error) bool {
	var refused *smp.DeviceError
	if !errors.As(err, &refused) || positionOf(r.before, t).running || r.read(ctx) != nil {
		return false
	}
	return positionOf(r.device, t).running
}

// findUploaded looks for a target in the list. Of an image that ran already, its running slot proves nothing; one that
// did not was started by a restart in between.
func (r *runner) findUploaded(t Target) error {
	p := positionOf(r.device, t)
	switch ran := positionOf(r.before, t).running; {
	case !p.listed && p.running && ran:
		err := fmt.Errorf("upload: %w", smp.ErrNotListed)
		return &lostTest{err: err, why: "the device lists no copy of the running image"}
	case !p.listed && !p.running:
		return fmt.Errorf("upload: %w", smp.ErrNotListed)
	}
	return nil
}

// mark selects the target for the next boot. A device without the command starts the newest image anyway; one that has
// it selected already, or restarted into it before it could answer, refuses, which is as good. Success counts only if
// the list shows it.
func (r *runner) mark(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	if test, ok := partialTest(r.device, r.targets); ok {
		return lostPart(test)
	}
	if r.resumed && r.marked(t, s.Action) {
		return nil
	}
	set := r.client.Image.Test
	if s.Action == MarkPermanent {
		set = r.client.Image.Confirm
	}
	list, err := set(ctx, t.hash())
	var refused *smp.DeviceError
	switch {
	case err == nil:
		r.device.Images = list
	case errors.As(err, &refused):
		if failed := r.read(ctx); failed != nil {
			return failed
		}
		if refused.Unsupported() && !swaps(r.device.Bootloader.Mode) {
			r.device.hasStateWrite(false)
			return skipped("the device cannot mark images: its bootloader decides by version")
		}
	default:
		return err
	}
	switch {
	case r.marked(t, s.Action):
		r.device.hasStateWrite(true)
		return nil
	case err != nil && stateOf(r.device, t) == absent:
		return &lostTest{err: err, why: "the device restarted by itself, and erased the slot"}
	case err != nil:
		return err
	}
	return &StateError{t.Image, "the device answers that it has selected the image, and its list does not show it"}
}

// marked reports whether the target is selected as the action does it, or was booted already.
func (r *runner) marked(t Target, a Action) bool {
	p := positionOf(r.device, t)
	return p.running || p.pending && p.permanent == (a == MarkPermanent) || stateOf(r.device, t) == handedOver
}
