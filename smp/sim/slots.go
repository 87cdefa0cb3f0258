package sim

import (
	"bytes"

	"github.com/smpctl/smpctl/image"
)

// SlotState is what a slot holds, seen from outside: without the device's server, and with the bootloader's opinion.
type SlotState struct {
	Image, Slot int    // number of the pair, and 0 or 1 within it
	Address     uint32 // where the slot lies in the address space; ROM-fixed images must be linked for it

	Present bool          // an image is listed for the slot; without it the fields below are zero
	Version image.Version // of the image
	Hash    []byte        // the image hash; a copy

	Valid bool // the bootloader would run it: hash, signature, size and address fit

	Active, Pending, Confirmed, Permanent bool // as in the list of the image group
}

// Slots tells what is in every slot, image 0 slot 0 first. While the bootloader moves images it tells what the slots
// will hold when it is done.
func (d *Device) Slots() []SlotState {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []SlotState
	for number := range d.flash.images() {
		flags := d.flags(number)
		for slot := range 2 {
			n := 2*number + slot
			s := SlotState{Image: number, Slot: slot, Address: slotAddress(n, d.flash.slotSize)}
			if info, rc := d.info(n); rc == 0 {
				f := flags[slot]
				s.Present, s.Version, s.Hash = true, info.version, bytes.Clone(info.hash)
				s.Active, s.Pending, s.Confirmed, s.Permanent = f.active, f.pending, f.confirmed, f.permanent
				s.Valid = d.runs(n)
			}
			list = append(list, s)
		}
	}
	return list
}

// SlotBytes gives a copy of the bytes in a slot, trailer included.
func (d *Device) SlotBytes(number, slot int) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.flash.slot(2*number + slot))
}
