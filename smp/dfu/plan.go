package dfu

import (
	"fmt"

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
}

// Action is a kind of step.
type Action string

// The actions, in the order in which an update takes them.
const (
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

// Plan says what is left to do to bring the targets onto the device. It looks only at where the device is, so an update that was interrupted
// goes on from there; an empty plan means that everything is done. An error says why the targets cannot work, before the device
// is changed: *[UnfitError] for a file, *[StateError] or [smp.ErrInBootloader] for a device.
func Plan(d Device, targets []Target, o Options) ([]Step, error) {
	if d.Firmware == smp.SerialRecovery {
		return nil, smp.ErrInBootloader
	}
	targets, err := resolve(d, targets, o)
	if err != nil {
		return nil, err
	}
	var uploads, marks, confirms []Step
	restart, trial := false, -1
	for i, t := range targets {
		p := positionOf(d, t)
		if err := fit(d, targets, i, p, o); err != nil {
			return nil, err
		}
		if p.needsUpload(o) {
			uploads = append(uploads, Step{Upload, i})
		}
		if o.Mode == UploadOnly {
			continue
		}
		if p.running && !p.confirmed && canRevert(d) {
			trial = t.Image
		}
		if !p.running {
			restart = true
			if action, ok := p.mark(d, t, o); ok {
				marks = append(marks, Step{action, i})
			}
		}
		if o.Mode != Test && !(p.running && p.confirmed) && canRevert(d) && !d.unseen(t.Image) {
			confirms = append(confirms, Step{Confirm, i})
		}
	}
	if restart && trial >= 0 { // it restarted after only some of the images were marked
		return nil, &StateError{trial, onTrial}
	}
	steps := append(uploads, marks...)
	if restart {
		steps = append(steps, Step{Reset, allTargets}, Step{Verify, allTargets})
	}
	if o.Check != nil && (restart || len(confirms) > 0) {
		steps = append(steps, Step{Check, allTargets})
	}
	return append(steps, confirms...), nil
}

// position is where on the device a target is.
type position struct {
	running   bool // it is the active image
	confirmed bool // it will stay, or be returned to
	listed    bool // in a slot that is not running
	pending   bool // in such a slot, and selected for the next boot
	active    *smp.ImageState
	fallback  *smp.ImageState // the image to which the bootloader returns unless the active one is confirmed
}

func positionOf(d Device, t Target) position {
	var p position
	for _, s := range d.Images.Images {
		if s.Image != t.Image {
			continue
		}
		same := s.Hash.Equal(t.Hash())
		switch {
		case isRunning(d, s):
			p.active = &s
			p.running = same
			p.confirmed = p.confirmed || same && s.Confirmed
		case same:
			p.listed = true
			p.pending = p.pending || s.Pending
			p.confirmed = p.confirmed || s.Confirmed
		}
		if s.Confirmed && !isRunning(d, s) {
			p.fallback = &s
		}
	}
	if p.active != nil && p.active.Confirmed {
		p.fallback = nil
	}
	return p
}

// isRunning reports whether s is the image that runs. Older servers set the flag only for the application's own image;
// of the others the primary slot is in use.
func isRunning(d Device, s smp.ImageState) bool {
	if s.Active {
		return true
	}
	_, known := d.Images.Active(s.Image)
	return s.Image > 0 && !known && s.Slot == 0
}

// needsUpload reports whether the target must be sent. UploadOnly puts a copy of the running image into the other slot too.
func (p position) needsUpload(o Options) bool {
	return o.Force || !p.listed && (!p.running || o.Mode == UploadOnly)
}

// mark is the state write that selects the target, if it needs one.
func (p position) mark(d Device, t Target, o Options) (Action, bool) {
	switch {
	case bootsNewest(d.Bootloader.Mode):
		return "", false // there is no state write: the highest version runs
	case p.listed && p.pending && !o.Force:
		return "", false
	case p.listed && p.confirmed && !o.Force:
		return "", false // the fallback of an unconfirmed image: any reset returns to it
	case o.Mode == Permanent, o.Mode == ConfirmAfter && t.Image > 0:
		// Once they run, Zephyr lets only the image of the running application be confirmed
		// (CONFIG_MCUMGR_GRP_IMG_ALLOW_CONFIRM_NON_ACTIVE_IMAGE_ANY, off by default).
		return MarkPermanent, true
	}
	return MarkTest, true
}

// bootsNewest reports whether the bootloader chooses by version alone.
func bootsNewest(m smp.SwapMode) bool {
	switch m {
	case smp.ModeDirectXIP, smp.ModeRAMLoad, smp.ModeSingleSlotRAMLoad:
		return true
	}
	return false
}

// canRevert reports whether the bootloader may return to the old image, so that confirming means something. A device that
// does not tell its mode is taken to.
func canRevert(d Device) bool {
	return d.Bootloader.Mode != smp.ModeOverwrite && !bootsNewest(d.Bootloader.Mode)
}
