package dfu

import (
	"context"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/smp"
)

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

// list reads what the application lists; [smp.ErrInBootloader] if its bootloader answers.
func (r *runner) list(ctx context.Context) error {
	list, err := r.client.Image.List(ctx)
	if smp.IsUnsupported(err) {
		r.saw(smp.ImageList{})
		return nil
	}
	if err != nil {
		return err
	}
	return r.listedBy(ctx, list)
}

// listedBy takes a list for the application's, unless its bootloader has given it: a device may have restarted in the
// middle.
func (r *runner) listedBy(ctx context.Context, list smp.ImageList) error {
	firmware, err := r.client.Identify(ctx, list)
	if err != nil {
		return err
	}
	if firmware == smp.SerialRecovery {
		return smp.ErrInBootloader
	}
	r.saw(list)
	return nil
}

// clear erases the slot of another image that the next boot would start instead of the target.
func (r *runner) clear(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	rival := positionOf(r.device, t).rival
	if rival == nil {
		return nil
	}
	if err := r.client.Image.Erase(ctx, 2*rival.Image+rival.Slot); err != nil {
		return err
	}
	if err := r.list(ctx); err != nil {
		return err
	}
	if positionOf(r.device, t).rival != nil {
		return &StateError{t.Image, fmt.Sprintf("%s (%s) is selected for the next boot, and the device does not let go of it: reset, and begin again",
			Describe(*rival), rival.Hash.Short())}
	}
	return nil
}

// brought is the number of bytes that an upload step brought over.
func (r *runner) brought(s Step) int {
	if s.Action != Upload {
		return 0
	}
	return len(r.targets[s.Target].File.Bytes()) - r.report.Upload.ResumedFrom
}

// upload sends a target. The list comes first when it is taken up: a first chunk would make Zephyr erase a complete
// image.
func (r *runner) upload(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	was := positionOf(r.device, t)
	switch ran := positionOf(r.before, t).running; {
	case r.resumed && was.running && !ran:
		return nil // it had all of it, and a restart has started it
	case r.resumed && was.listed && !(was.pending && was.needsUpload(r.device, t, r.o)):
		return nil
	}
	if err := r.assure(ctx); err != nil {
		return err
	}
	result, err := r.client.Image.Upload(ctx, t.File.Bytes(), smp.ImageUpload{
		Image: t.number(r.device), UpgradeOnly: r.o.UpgradeOnly, Hash: t.Hash(),
		OnProgress: func(p smp.Progress) {
			r.reach(p.Done)
			r.emit(Event{Step: s, Phase: Progress, Upload: p})
		},
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
		return &lostTrial{err: err, why: "the device restarted by itself, and erased the slot"} // if it did
	}
	if err != nil {
		return err
	}
	if err := r.listedBy(ctx, result.Images); err != nil {
		return err
	}
	// Of an image that ran already, its running slot proves nothing; one that did not was started by a restart in between.
	p := positionOf(r.device, t)
	switch ran := positionOf(r.before, t).running; {
	case !p.listed && p.running && ran:
		return &lostTrial{err: fmt.Errorf("upload: %w", smp.ErrNotListed), why: "the device lists no copy of the running image"}
	case !p.listed && !p.running:
		return fmt.Errorf("upload: %w", smp.ErrNotListed)
	}
	return nil
}

// assure makes sure that the application answers, right before a first chunk: from a bootloader it would erase the slot
// that the device runs from.
func (r *runner) assure(ctx context.Context) error {
	if !r.deaf {
		r.listened = false
		if r.listen(ctx) == nil {
			return nil
		}
	}
	return r.list(ctx)
}

// startedMeanwhile reports whether an upload was refused because the target runs: a restart in the middle has started a
// copy that was there before.
func (r *runner) startedMeanwhile(ctx context.Context, t Target, err error) bool {
	var refused *smp.DeviceError
	if !errors.As(err, &refused) || positionOf(r.before, t).running || r.list(ctx) != nil {
		return false
	}
	return positionOf(r.device, t).running
}

// mark selects the target for the next boot. A device without the command starts the newest image anyway; one that has
// it selected already, or restarted into it before it could answer, refuses, which is as good. Success counts only if
// the list shows it.
func (r *runner) mark(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	if trial, ok := halfway(r.device, r.targets); ok {
		return halfTrial(trial)
	}
	if r.resumed && r.marked(t, s.Action) {
		return nil
	}
	set := r.client.Image.Test
	if s.Action == MarkPermanent {
		set = r.client.Image.Confirm
	}
	list, err := set(ctx, t.Hash())
	var refused *smp.DeviceError
	switch {
	case err == nil:
		r.device.Images = list
	case errors.As(err, &refused):
		if failed := r.list(ctx); failed != nil {
			return failed
		}
		if refused.Unsupported() && !swaps(r.device.Bootloader.Mode) {
			r.device.StateWrite = new(bool)
			return skipped("the device cannot mark images: its bootloader decides by version")
		}
	default:
		return err
	}
	switch {
	case r.marked(t, s.Action):
		yes := true
		r.device.StateWrite = &yes
		return nil
	case err != nil && standingOf(r.device, t) == gone:
		return &lostTrial{err: err, why: "the device restarted by itself, and erased the slot"}
	case err != nil:
		return err
	}
	return &StateError{t.Image, "the device answers that it has selected the image, and its list does not show it"}
}

// marked reports whether the target is selected as the action does it, or was booted already.
func (r *runner) marked(t Target, a Action) bool {
	p := positionOf(r.device, t)
	return p.running || p.pending && p.permanent == (a == MarkPermanent) || standingOf(r.device, t) == handed
}
