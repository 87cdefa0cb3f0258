package dfu

import (
	"fmt"
	"slices"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// Target is one image file and the image number on the device that it is for. Files are read, not changed.
type Target struct {
	Image int          // number of the image on the device; 0 is the application's
	File  *image.Image // nil if there are Variants

	// Variants are files of which one is for the device, depending on its slots: a bootloader that runs images where
	// they lie (direct-XIP) needs one for each slot.
	Variants []Variant

	selected smp.Hash // of a target without a file: what the device has selected
}

// Variant is an image file that was built for one of the two slots of an image.
type Variant struct {
	Slot int // 0 or 1
	File *image.Image
}

// hash is the image hash by which the device names the target.
func (t Target) hash() smp.Hash {
	if t.File == nil {
		return t.selected
	}
	return t.File.Hash()
}

// resolve chooses the variants for the device: the one that runs already, else the one for the slot that is free.
func resolve(d device, targets []Target, o Options) ([]Target, error) {
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

func (t Target) choose(d device, o Options) (*image.Image, error) {
	running := d.running(t.Image)
	if running == nil {
		return nil, &StateError{t.Image,
			"the file depends on the slot, and the device does not say from which one it runs"}
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

// uploadNumber is what an upload of the target to the application names: the image, or the slot if the device was built
// for direct upload. Then the slots that run have numbers too (Zephyr CONFIG_MCUMGR_GRP_IMG_DIRECT_UPLOAD).
func (t Target) uploadNumber(d device) int {
	m, ok := d.slots(t.Image)
	if !ok || t.Image == 0 || !d.directUpload() { // 0 is the free slot of image 0 in either case
		return t.Image
	}
	used := 0 // also if the device does not list what runs there
	if running := d.running(t.Image); running != nil {
		used = running.Slot
	}
	for _, s := range m.Slots {
		if s.Slot != used && s.UploadID != nil && *s.UploadID <= maxUploadNumber {
			return int(*s.UploadID)
		}
	}
	return t.Image
}

// maxUploadNumber is the highest number that an upload can name.
const maxUploadNumber = 255

// directUpload reports whether a slot that runs has a number to upload to.
func (d device) directUpload() bool {
	return slices.ContainsFunc(d.Slots, func(m smp.ImageSlots) bool {
		running := d.running(m.Image)
		return running != nil && slices.ContainsFunc(m.Slots, func(s smp.Slot) bool {
			return s.Slot == running.Slot && s.UploadID != nil
		})
	})
}

// primaryNumber is what an upload of the target to serial recovery names to get into its primary slot.
func (t Target) primaryNumber(d device) (int, error) {
	if t.Image == 0 {
		return 0, nil
	}
	m, ok := d.slots(t.Image)
	switch {
	case d.Slots == nil:
		return 0, &StateError{t.Image, "the bootloader does not say which number an upload of it has to name; " +
			"other numbers would overwrite other images"}
	case !ok:
		return 0, &UnfitError{t.Image, "the device has no such image"}
	}
	for _, s := range m.Slots {
		if s.Slot == 0 && s.UploadID != nil { // built for direct upload, see recoverySlots
			return 2*t.Image + 1, nil
		}
	}
	return t.Image, nil
}

// find returns the slot in which the bootloader lists the target.
func (t Target) find(d device) (slot, bool) {
	for _, at := range t.recoverySlots(d) {
		if s, ok := d.in(at); ok && s.Hash.Equal(t.hash()) {
			return at, true
		}
	}
	return slot{}, false
}

// findVersion is find for a bootloader that lists no hashes.
func (t Target) findVersion(d device) (slot, bool) {
	for _, at := range t.recoverySlots(d) {
		s, ok := d.in(at)
		if !ok || len(s.Hash) > 0 {
			continue
		}
		if v, err := image.ParseVersion(s.Version); err == nil && v == t.File.Header.Version {
			return at, true
		}
	}
	return slot{}, false
}

// recoverySlots are the slots to which the bootloader may write an upload of the target, the likeliest first: the
// primary slot of that image or, with direct upload, the slot of that number. Only a slot info with a number for a
// primary slot tells which: without direct upload the number stands at the secondary slot although that is not written
// (MCUboot boot_serial.c: bs_slot_info).
func (t Target) recoverySlots(d device) []slot {
	for _, m := range d.Slots {
		for _, s := range m.Slots {
			if s.Slot == 0 && s.UploadID != nil {
				return []slot{directSlot(t.Image)}
			}
		}
	}
	primary := slot{t.Image, 0}
	if t.Image == 0 || d.Slots != nil {
		return []slot{primary}
	}
	return []slot{primary, directSlot(t.Image)}
}

// directSlot is the slot of an upload number: 0 and 1 are the primary slot of image 0, 2 its secondary one, and so on.
func directSlot(number int) slot {
	n := max(number, 1) - 1
	return slot{n / 2, n % 2}
}

// in returns the image that is listed in a slot.
func (d device) in(at slot) (smp.ImageState, bool) {
	for _, s := range d.Images.Images {
		if slotOf(s) == at {
			return s, true
		}
	}
	return smp.ImageState{}, false
}

// slot is one slot of an image.
type slot struct{ image, number int }

// slotOf is the slot of a listed image.
func slotOf(s smp.ImageState) slot { return slot{s.Image, s.Slot} }

// String names a slot for people.
func (s slot) String() string { return fmt.Sprintf("slot %d of image %d", s.number, s.image) }
