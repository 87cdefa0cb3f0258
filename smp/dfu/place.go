package dfu

import (
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// place is a slot of an image.
type place struct{ image, slot int }

// places are the slots to which the bootloader may write an upload of the target, the likeliest first: the primary slot of that image or, with
// direct upload, the slot of that number. Only a slot info with a number for a primary slot tells which: without direct upload the
// number stands at the secondary slot although that is not written (MCUboot boot_serial.c: bs_slot_info).
func (t Target) places(d Device) []place {
	for _, m := range d.Slots {
		for _, s := range m.Slots {
			if s.Slot == 0 && s.UploadID != nil {
				return []place{direct(t.Image)}
			}
		}
	}
	primary := place{t.Image, 0}
	switch {
	case t.Image == 0:
		return []place{primary}
	case d.Slots != nil:
		return []place{primary}
	}
	return []place{primary, direct(t.Image)}
}

// direct is the slot of an upload number: 0 and 1 are the primary slot of image 0, 2 its secondary one, and so on.
func direct(number int) place {
	slot := max(number, 1) - 1
	return place{slot / 2, slot % 2}
}

// in returns the first of the places that holds a listed image.
func (d Device) in(places []place) (smp.ImageState, bool) {
	for _, p := range places {
		for _, s := range d.Images.Images {
			if s.Image == p.image && s.Slot == p.slot {
				return s, true
			}
		}
	}
	return smp.ImageState{}, false
}

// find returns the place at which the device lists the target.
func (t Target) find(d Device) (place, bool) {
	for _, p := range t.places(d) {
		if s, ok := d.in([]place{p}); ok && s.Hash.Equal(t.Hash()) {
			return p, true
		}
	}
	return place{}, false
}

// findVersion is find for a bootloader that lists no hashes.
func (t Target) findVersion(d Device) (place, bool) {
	for _, p := range t.places(d) {
		s, ok := d.in([]place{p})
		if !ok || len(s.Hash) > 0 {
			continue
		}
		if v, err := image.ParseVersion(s.Version); err == nil && v == t.File.Header.Version {
			return p, true
		}
	}
	return place{}, false
}
