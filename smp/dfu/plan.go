package dfu

import (
	"fmt"
	"slices"

	"github.com/smpctl/smpctl/smp"
)

// Mode says how far an update goes.
type Mode int

// The modes. Only ConfirmAfter and Test leave the bootloader a way back.
const (
	ConfirmAfter Mode = iota // boot image 0 for a test, confirm it once it runs and passes the check; others can only be booted for good
	Test                     // boot the image for a test and leave it unconfirmed: the next reset brings the old one back
	Permanent                // boot the image for good
	UploadOnly               // put the image into the slot that does not run and leave everything else as it is
)

var modeNames = [...]string{"confirm-after", "test", "permanent", "upload-only"}

// String is the mode's name on the command line.
func (m Mode) String() string { return modeNames[m] }

// ParseMode reads the name of a mode.
func ParseMode(s string) (Mode, error) {
	for i, name := range modeNames {
		if s == name {
			return Mode(i), nil
		}
	}
	return 0, fmt.Errorf("mode %q: want confirm-after, test, permanent or upload-only", s)
}

// Device is what an update needs to know of a device before it starts.
type Device struct {
	Firmware   smp.Firmware // what answers
	Images     smp.ImageList
	Slots      []smp.ImageSlots   // nil if the device does not say
	Bootloader smp.BootloaderInfo // Mode is ModeUnknown if the device does not say

	// StateWrite says whether the application has the command that selects and confirms images, as it turned out when it
	// was asked to; nil if it was not. Without the command the bootloader decides by version.
	StateWrite *bool
}

// Action is a kind of step.
type Action string

// The actions, in the order in which an update takes them.
const (
	Clear         Action = "clear"          // erase the slot of another image that the next boot would start
	Upload        Action = "upload"         // and find the hash in the device's list
	MarkTest      Action = "test"           // boot once at the next reset
	MarkPermanent Action = "mark-permanent" // boot at the next reset and stay
	Reset         Action = "reset"          // until the device answers again
	Verify        Action = "verify"         // the running image is the new one
	Check         Action = "check"          // the caller's own test
	Confirm       Action = "confirm"        // and verify that the device says so

	Enter Action = "enter" // wait until the bootloader answers; of a recovery only
)

// Step is one step of a plan.
type Step struct {
	Action Action
	Target int // index of the target that it is for; -1 for a step of the whole device
}

// allTargets marks a step of the whole device.
const allTargets = -1

// Plan says what is left to do to bring the targets onto the device. It looks only at where the device is, so an update
// that was interrupted goes on from there; an empty plan means that everything is done. An error says why the targets
// cannot work, before the device is changed: *[UnfitError] for a file, *[StateError] or [smp.ErrInBootloader] for a
// device.
func Plan(d Device, targets []Target, o Options) ([]Step, error) {
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
		if trial, ok := halfway(d, targets); ok {
			return nil, &StateError{trial.Image, onTrial}
		}
	}
	return planned(d, targets, o), nil
}

// planned is the plan for targets that fit.
func planned(d Device, targets []Target, o Options) []Step {
	var clears, uploads, marks, confirms []Step
	restart := false
	for i, t := range targets {
		p := positionOf(d, t)
		if o.Mode != UploadOnly && standingOf(d, t) == handed && anyOnTrial(d, targets) {
			continue // it was handed over at the boot that began the trial; another would end that
		}
		if p.needsUpload(d, t, o) {
			uploads = append(uploads, Step{Upload, i})
		}
		if o.Mode == UploadOnly {
			continue
		}
		if p.running && p.rival != nil {
			clears = append(clears, Step{Clear, i})
		}
		if !p.running {
			restart = true
			if action, ok := p.mark(d, t, o); ok {
				marks = append(marks, Step{action, i})
			}
		}
		if o.Mode != Test && p.needsConfirm(d, t) {
			confirms = append(confirms, Step{Confirm, i})
		}
	}
	steps := slices.Concat(clears, uploads, marks)
	if restart {
		steps = append(steps, Step{Reset, allTargets}, Step{Verify, allTargets})
	}
	if o.Check != nil && (restart || len(confirms) > 0) {
		steps = append(steps, Step{Check, allTargets})
	}
	return append(steps, confirms...)
}

// onTrial is why an update cannot begin: it restarted after only some of the images were marked.
const onTrial = "it runs on trial already, and the reset that the other images need would bring the old one back: reset, and begin again"

// halfway returns a target that runs on trial while another one still has to be booted: the reset for the one ends the
// other.
func halfway(d Device, targets []Target) (Target, bool) {
	for _, t := range targets {
		switch standingOf(d, t) {
		case gone, waiting:
			return firstOnTrial(d, targets)
		}
	}
	return Target{}, false
}

// firstOnTrial returns a target that the next reset would end.
func firstOnTrial(d Device, targets []Target) (Target, bool) {
	for _, t := range targets {
		if p := positionOf(d, t); p.running && !p.confirmed && canRevert(d) {
			return t, true
		}
	}
	return Target{}, false
}

func anyOnTrial(d Device, targets []Target) bool {
	_, ok := firstOnTrial(d, targets)
	return ok
}

// needsUpload reports whether the target must be sent. UploadOnly puts a copy of the running image into the other slot
// too. A mark that says something else than the mode can only be taken back with the image: the device refuses to
// change it.
func (p position) needsUpload(d Device, t Target, o Options) bool {
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

// needsConfirm reports whether the target has to be confirmed once it runs. A bootloader of which nothing can be
// reverted leaves no choice, unless it runs the image on trial all the same.
func (p position) needsConfirm(d Device, t Target) bool {
	switch {
	case d.unseen(t.Image):
		return false
	case p.running:
		return !p.confirmed || standingOf(d, t) == runs // the answer tells what the bootloader goes by
	}
	return canRevert(d)
}

// wantsPermanent reports whether the target is to be booted for good at once. Once they run, Zephyr lets only the image
// of the running application be confirmed (CONFIG_MCUMGR_GRP_IMG_ALLOW_CONFIRM_NON_ACTIVE_IMAGE_ANY, off by default). A
// direct-XIP bootloader that reverts takes a permanent mark without a word and does not write it (MCUboot
// bootutil_public.c: boot_set_next).
func wantsPermanent(d Device, t Target, o Options) bool {
	return (o.Mode == Permanent || o.Mode == ConfirmAfter && t.Image > 0) && d.Bootloader.Mode != smp.ModeDirectXIPRevert
}

// mark is the state write that selects the target, if it needs one.
func (p position) mark(d Device, t Target, o Options) (Action, bool) {
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
