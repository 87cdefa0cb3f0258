package dfu

import (
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// position is where on the device a target is, as its image list shows it.
type position struct {
	running   bool // it is the active image
	confirmed bool // it is active and confirmed, or will be returned to
	listed    bool // in a slot that is not running
	pending   bool // in such a slot, and selected for the next boot
	permanent bool // selected for good
	torn      bool // the device says that two images of this number run

	active   *smp.ImageState
	fallback *smp.ImageState // the image to which the bootloader returns unless the active one is confirmed
	rival    *smp.ImageState // another image than the active one, which the next boot starts
	newer    *smp.ImageState // another image of a higher version than the active one, which a bootloader that decides by version prefers
}

func positionOf(d Device, t Target) position {
	var p position
	for _, s := range d.Images.Images {
		if s.Image == t.Image {
			p.add(d, t, s)
		}
	}
	if p.active != nil && p.active.Confirmed {
		p.fallback = nil
	}
	if p.rival == nil && choosesNewest(d) {
		p.rival = p.newer
	}
	if p.rival != nil && p.active != nil && p.rival.Hash.Equal(p.active.Hash) {
		p.rival = nil
	}
	return p
}

// add takes one slot of the target's image number into account.
func (p *position) add(d Device, t Target, s smp.ImageState) {
	same := s.Hash.Equal(t.Hash())
	if isRunning(d, s) {
		p.torn = p.torn || p.active != nil
		p.active = &s
		p.running = same && !p.torn
		p.confirmed = p.confirmed || same && s.Confirmed
		return
	}
	if same {
		p.listed = true
		p.pending = p.pending || s.Pending
		p.permanent = p.permanent || s.Pending && s.Permanent
		p.confirmed = p.confirmed || s.Confirmed
	}
	if s.Confirmed {
		p.fallback = &s
	}
	if s.Pending {
		p.rival = &s
	}
	if newer(s, d.running(s.Image)) {
		p.newer = &s
	}
}

// newer reports whether s has a higher version than the image that runs.
func newer(s smp.ImageState, running *smp.ImageState) bool {
	if running == nil {
		return false
	}
	mine, err := image.ParseVersion(running.Version)
	theirs, failed := image.ParseVersion(s.Version)
	return err == nil && failed == nil && theirs.CompareIgnoringBuild(mine) > 0
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

// running returns the image of this number that runs; nil if the device does not say.
func (d Device) running(number int) *smp.ImageState {
	for _, s := range d.Images.Images {
		if s.Image == number && isRunning(d, s) {
			return &s
		}
	}
	return nil
}

// unseen reports whether the device does not list what runs of an image beside the first. The network core of an
// nRF5340 is such: its primary slot is a piece of RAM, from which the bootloader hands an update over.
func (d Device) unseen(number int) bool {
	return number > 0 && d.running(number) == nil && d.running(0) != nil
}

// bootsNewest reports whether the bootloader chooses by version alone.
func bootsNewest(m smp.SwapMode) bool {
	switch m {
	case smp.ModeDirectXIP, smp.ModeRAMLoad, smp.ModeSingleSlotRAMLoad:
		return true
	}
	return false
}

// choosesNewest is bootsNewest for a device, which may not tell its mode but be without the command that selects.
func choosesNewest(d Device) bool {
	return bootsNewest(d.Bootloader.Mode) || d.Bootloader.Mode == smp.ModeUnknown && d.StateWrite != nil && !*d.StateWrite
}

// canRevert reports whether the bootloader may return to the old image, so that confirming means something. A device
// that does not tell its mode is taken to.
func canRevert(d Device) bool {
	return d.Bootloader.Mode != smp.ModeOverwrite && !bootsNewest(d.Bootloader.Mode)
}
