package dfu

import (
	"slices"

	"github.com/smpctl/smpctl/smp"
)

// Mode says how far an update goes.
type Mode int

// The modes. Only ConfirmAfter and Test leave the bootloader a way back.
const (
	// ConfirmAfter boots image 0 for a test, and confirms it once it runs and passes the check. Images beside it can
	// only be booted for good.
	ConfirmAfter Mode = iota
	Test              // boot the image for a test and leave it unconfirmed: the next reset brings the old one back
	Permanent         // boot the image for good
	UploadOnly        // put the image into the slot that does not run and leave everything else as it is
)

// String is the mode's name on the command line.
func (m Mode) String() string {
	return [...]string{"confirm-after", "test", "permanent", "upload-only"}[m]
}

// plan says what is left to do to bring the targets onto the device. It looks only at where the device is, so an update
// that was interrupted goes on from there; an empty plan means that everything is done. An error says why the targets
// cannot work, before the device is changed: *[UnfitError] for a file, *[StateError] or [smp.ErrInBootloader] for a
// device.
func plan(d device, targets []Target, o Options) ([]Step, error) {
	if d.Firmware == smp.SerialRecovery {
		return nil, smp.ErrInBootloader
	}
	targets, err := resolve(d, targets, o)
	if err != nil {
		return nil, err
	}
	for i := range targets {
		if err := fit(d, targets, i, positionOf(d, targets[i]), o); err != nil {
			return nil, err
		}
	}
	if o.Mode != UploadOnly {
		if t, ok := partialTest(d, targets); ok {
			return nil, &StateError{t.Image, partlyTested}
		}
	}
	return stepsFor(d, targets, o), nil
}

// stepsFor is the plan for targets that fit.
func stepsFor(d device, targets []Target, o Options) []Step {
	var clears, uploads, marks, confirms []Step
	restart := false
	_, testing := underTest(d, targets)
	for i, t := range targets {
		p := positionOf(d, t)
		if o.Mode != UploadOnly && stateOf(d, t) == handedOver && testing {
			continue // it was handed over at the boot that began the test; another would end that
		}
		if p.needsUpload(d, t, o) {
			uploads = append(uploads, Step{Action: Upload, Target: i})
		}
		if o.Mode == UploadOnly {
			continue
		}
		if p.running && p.next != nil {
			clears = append(clears, Step{Action: Clear, Target: i})
		}
		if !p.running {
			restart = true
			if action, ok := p.mark(d, t, o); ok {
				marks = append(marks, Step{Action: action, Target: i})
			}
		}
		if o.Mode != Test && p.needsConfirm(d, t) {
			confirms = append(confirms, Step{Action: Confirm, Target: i})
		}
	}
	steps := slices.Concat(clears, uploads, marks)
	if restart {
		steps = append(steps, deviceStep(Reset), deviceStep(Verify))
	}
	if o.Check != nil && (restart || len(confirms) > 0) {
		steps = append(steps, deviceStep(Check))
	}
	return append(steps, confirms...)
}

// deviceStep is a step of the whole device.
func deviceStep(a Action) Step { return Step{Action: a, Target: allTargets} }

// needsUpload reports whether the target must be sent. UploadOnly puts a copy of the running image into the other slot
// too. A mark that says something else than the mode can only be taken back with the image: the device refuses to
// change it.
func (p position) needsUpload(d device, t Target, o Options) bool {
	switch {
	case o.Force:
		return true
	case o.Mode == UploadOnly:
		return !p.listed
	case p.running:
		return false
	}
	return !p.listed || p.pending && p.permanent != wantsPermanent(d, t, o)
}

// mark is the state write that selects the target, if it needs one.
func (p position) mark(d device, t Target, o Options) (Action, bool) {
	permanent := wantsPermanent(d, t, o)
	switch {
	case bootsNewest(d.Bootloader.Mode):
		return "", false // there is no state write: the highest version runs
	case p.listed && p.pending && p.permanent == permanent && !o.Force:
		return "", false
	case p.listed && p.confirmed && !o.Force:
		return "", false // the fallback of an unconfirmed image: any reset returns to it
	case permanent:
		return MarkPermanent, true
	}
	return MarkTest, true
}

// wantsPermanent reports whether the target is to be booted for good at once. Once they run, Zephyr lets only the image
// of the running application be confirmed (CONFIG_MCUMGR_GRP_IMG_ALLOW_CONFIRM_NON_ACTIVE_IMAGE_ANY, off by default). A
// direct-XIP bootloader that reverts takes a permanent mark without a word and does not write it (MCUboot
// bootutil_public.c: boot_set_next).
func wantsPermanent(d device, t Target, o Options) bool {
	return (o.Mode == Permanent || o.Mode == ConfirmAfter && t.Image > 0) &&
		d.Bootloader.Mode != smp.ModeDirectXIPRevert
}

// needsConfirm reports whether the target has to be confirmed once it runs. A bootloader of which nothing can be
// reverted leaves no choice, unless it runs the image unconfirmed all the same.
func (p position) needsConfirm(d device, t Target) bool {
	switch {
	case d.unseen(t.Image):
		return false
	case p.running:
		return !p.confirmed || stateOf(d, t) == runs // the answer tells what the bootloader goes by
	}
	return canRevert(d)
}
