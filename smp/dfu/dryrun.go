package dfu

import (
	"context"
	"errors"
	"slices"

	"github.com/smpctl/smpctl/smp"
)

// DryRun reads the device and makes the plan that [Run] would carry out. It changes nothing, and blocks for as long as
// its requests may take. The client stays the caller's. The errors are those of Run before its first step.
//
// Where only some of the targets run on trial, the plan begins with the reset with which Run ends that, and a warning
// says so. What follows goes by what the bootloader does then, as far as it is known.
func DryRun(ctx context.Context, c *smp.Client, targets []Target, o Options) (Report, error) {
	if len(targets) == 0 {
		return Report{}, errNoImage
	}
	r := newRunner(nil, targets, o)
	r.client = c
	err := r.prepare(ctx)
	var state *StateError
	if errors.As(err, &state) && state.Problem == partlyTested {
		r.report.Warnings = append(r.report.Warnings, togetherNote(state.Image))
		r.device = afterRevert(r.device)
		var steps []Step
		if steps, err = r.makePlan(); err == nil {
			r.report.Plan = append([]Step{deviceStep(Reset)}, steps...)
		}
	}
	return r.report, err
}

// afterRevert is a device once a reset has ended all trials: the old image runs. A direct-XIP bootloader erases the
// slot of the new one (MCUboot loader.c: boot_select_or_erase), others have exchanged the two.
func afterRevert(d device) device {
	list := slices.Clone(d.Images.Images)
	for i, s := range d.Images.Images {
		at := slices.IndexFunc(d.Images.Images, func(o smp.ImageState) bool {
			return o.Image == s.Image && o.Slot != s.Slot && o.Confirmed
		})
		if !d.runs(s) || s.Confirmed || at < 0 {
			continue
		}
		list[at].Active, list[at].Pending, list[at].Permanent = true, false, false
		list[i].Active, list[i].Pending, list[i].Permanent = false, false, false
		if d.Bootloader.Mode == smp.ModeDirectXIPRevert {
			list[i].Slot = erased
		} else {
			list[at].Slot, list[i].Slot = list[i].Slot, list[at].Slot
		}
	}
	d.Images.Images = slices.DeleteFunc(list, func(s smp.ImageState) bool { return s.Slot == erased })
	return d
}

// erased stands for the slot of an image that is gone.
const erased = -1
