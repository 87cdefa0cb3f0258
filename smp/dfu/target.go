package dfu

import (
	"fmt"
	"slices"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// Target is one image file and the image number on the device that it is for.
type Target struct {
	Image int
	File  *image.Image // nil if there are Variants

	// Variants are files of which one is for the device, depending on its slots: a bootloader that runs images where they
	// lie (direct-XIP) needs one for each slot.
	Variants []Variant

	hash smp.Hash // of a target without a file
}

// Variant is an image file that was built for one of the two slots of an image.
type Variant struct {
	Slot int // 0 or 1
	File *image.Image
}

// Hash is the image hash by which the device names the target.
func (t Target) Hash() smp.Hash {
	if t.File == nil {
		return t.hash
	}
	return t.File.Hash()
}

// resolve chooses the variants for the device: the one that runs already, else the one for the slot that is free.
func resolve(d Device, targets []Target, o Options) ([]Target, error) {
	resolved := make([]Target, len(targets))
	for i, t := range targets {
		if len(t.Variants) > 0 {
			file, err := t.choose(d, o)
			if err != nil {
				return nil, err
			}
			t.File, t.Variants = file, nil
		}
		resolved[i] = t
	}
	return resolved, nil
}

func (t Target) choose(d Device, o Options) (*image.Image, error) {
	running := d.running(t.Image)
	if running == nil {
		return nil, &StateError{t.Image, "the file depends on the slot, and the device does not say from which one it runs"}
	}
	if o.Mode != UploadOnly {
		for _, v := range t.Variants {
			if running.Hash.Equal(v.File.Hash()) {
				return v.File, nil
			}
		}
	}
	free := 1 - running.Slot
	if swaps(d.Bootloader.Mode) {
		free = 0 // it is moved there
	}
	return t.variant(free)
}

// variant returns the file for a slot.
func (t Target) variant(slot int) (*image.Image, error) {
	for _, v := range t.Variants {
		if v.Slot == slot {
			return v.File, nil
		}
	}
	return nil, &UnfitError{t.Image, fmt.Sprintf("there is no file for slot %d", slot)}
}

// swaps reports whether the bootloader is known to run images from the primary slot only.
func swaps(m smp.SwapMode) bool {
	switch m {
	case smp.ModeSwapScratch, smp.ModeOverwrite, smp.ModeSwapMove, smp.ModeSwapOffset:
		return true
	}
	return false
}

// slots returns what the device says of the slots of an image; false if it does not.
func (d Device) slots(number int) (smp.ImageSlots, bool) {
	for _, m := range d.Slots {
		if m.Image == number {
			return m, true
		}
	}
	return smp.ImageSlots{}, false
}

// number is what an upload of the target to the application names: the image, or the slot if the device was built for
// direct upload. Then the slots that run have numbers too (Zephyr CONFIG_MCUMGR_GRP_IMG_DIRECT_UPLOAD).
func (t Target) number(d Device) int {
	m, ok := d.slots(t.Image)
	if !ok || t.Image == 0 || !d.directUpload() { // 0 is the free slot of image 0 in either case
		return t.Image
	}
	used := 0 // also if the device does not list what runs there
	if running := d.running(t.Image); running != nil {
		used = running.Slot
	}
	for _, s := range m.Slots {
		if s.Slot != used && s.UploadID != nil && *s.UploadID <= maxNumber {
			return int(*s.UploadID)
		}
	}
	return t.Image
}

// directUpload reports whether a slot that runs has a number to upload to.
func (d Device) directUpload() bool {
	return slices.ContainsFunc(d.Slots, func(m smp.ImageSlots) bool {
		running := d.running(m.Image)
		return running != nil && slices.ContainsFunc(m.Slots, func(s smp.Slot) bool { return s.Slot == running.Slot && s.UploadID != nil })
	})
}

// maxNumber is the highest number that an upload can name.
const maxNumber = 255

// primary is what an upload of the target to serial recovery names to get into its primary slot.
func (t Target) primary(d Device) (int, error) {
	if t.Image == 0 {
		return 0, nil
	}
	m, ok := d.slots(t.Image)
	switch {
	case d.Slots == nil:
		return 0, &StateError{t.Image, "the bootloader does not say which number an upload of it has to name; other numbers would overwrite other images"}
	case !ok:
		return 0, &UnfitError{t.Image, "the device has no such image"}
	}
	for _, s := range m.Slots {
		if s.Slot == 0 && s.UploadID != nil { // built for direct upload, see places
			return 2*t.Image + 1, nil
		}
	}
	return t.Image, nil
}
