package sim

import (
	"github.com/smpctl/smpctl/image"
)

// The RAM that images are loaded to, as bus addresses.
const (
	ramStart = 0x20000000
	ramSize  = 4 << 20
)

// region is a part of the RAM.
type region struct{ from, to uint64 }

// overlaps is what MCUboot calls overlapping: regions that touch do, in one order (MCUboot ram_load.c:
// do_regions_overlap).
func (a region) overlaps(b region) bool {
	return b.from <= a.to && (b.from >= a.from || b.to > a.from)
}

// bootDirect boots from either slot, as direct-XIP and RAM load do: the highest version that can run, and the other one
// if the images do not fit together.
func (l *loader) bootDirect() bool {
	for i := range l.images {
		l.lookDirect(i)
	}
	for {
		for i := range l.images {
			if !l.choose(i) {
				return false
			}
		}
		if i := l.misfit(); i >= 0 {
			l.drop(i)
			continue
		}
		break
	}
	for i := range l.images {
		l.say("I: Image %d loaded from the %s slot", i, slotNames[l.images[i].active])
	}
	return true
}

// lookDirect reads the headers of an image (MCUboot loader.c: boot_get_slot_usage).
func (l *loader) lookDirect(i int) {
	l.readHeaders(i, nil)
	state := &l.images[i]
	state.active = -1
	for slot, h := range state.headers {
		if state.available[slot] = h.sound(l.size); state.available[slot] {
			l.say("I: %s slot: version=%s", [...]string{"Primary", "Secondary"}[slot], h.version)
		} else {
			l.say("I: Image %d %s slot: image not found", i, slotNames[slot])
		}
	}
}

// choose finds the slot that an image runs from, unless it has one (MCUboot loader.c: boot_load_and_validate_images).
func (l *loader) choose(i int) bool {
	state := &l.images[i]
	for state.active < 0 {
		slot := state.highest()
		if slot < 0 {
			l.say("I: No slot to load for image %d", i)
			return false
		}
		state.active = slot
		if !l.fits(i, slot) {
			l.drop(i)
		}
	}
	return true
}

// highest is the available slot with the highest version, slot 0 if they are equal, -1 if there is none.
func (s *imageState) highest() int {
	switch {
	case s.available[0] && s.available[1] && s.headers[1].version.CompareIgnoringBuild(s.headers[0].version) > 0:
		return 1
	case s.available[0]:
		return 0
	case s.available[1]:
		return 1
	}
	return -1
}

// drop gives the slot up that was chosen.
func (l *loader) drop(i int) {
	state := &l.images[i]
	state.available[state.active] = false
	state.active, state.ram = -1, region{}
}

// fits reports whether an image can run from a slot.
func (l *loader) fits(i, slot int) bool {
	h := l.images[i].headers[slot]
	switch {
	case l.mode != RAMLoad && !h.linkedFor(2*i+slot, l.size):
		l.say("W: Image in %s slot at 0x%x has been built for offset 0x%x, skipping",
			slotNames[slot], slotAddress(2*i+slot, l.size), h.loadAddr)
		return false
	case l.mode == DirectXIPRevert && !l.trusted(i, slot):
		l.wipe(i, slot)
		return false
	case l.mode == RAMLoad && !l.loads(i, slot):
		l.say("I: Removing image %d slot %d from flash", i, slot)
		l.wipe(i, slot)
		return false
	}
	return l.boots(i, slot, &progress{}, 0)
}

// linkedFor reports whether an image runs in place in a slot.
func (h header) linkedFor(n, slotSize int) bool {
	return h.flags&image.FlagROMFixed == 0 || h.loadAddr == slotAddress(n, slotSize)
}

// trusted reports whether a slot was selected and has not failed. It notes that the slot is tried now (MCUboot
// loader.c: boot_select_or_erase).
func (l *loader) trusted(i, slot int) bool {
	t := readTrailer(l.slot(i, slot))
	if t.magic != set || t.copyDone == set && t.imageOK != set {
		return false
	}
	if t.copyDone != set {
		l.mark(i, slot, copyDoneFromEnd)
	}
	return true
}

// loads copies an image to RAM, if it says where to and there is room (MCUboot ram_load.c: boot_load_image_to_sram).
func (l *loader) loads(i, slot int) bool {
	h := l.images[i].headers[slot]
	ram, ok := h.inRAM(l.slot(i, slot))
	if !ok {
		l.say("I: Image %d RAM load address 0x%x is invalid.", i, h.loadAddr)
		return false
	}
	for n, other := range l.images {
		if n != i && other.active >= 0 && ram.overlaps(other.ram) {
			l.say("I: Image %d RAM loading to address 0x%x would overlap with another image.", i, h.loadAddr)
			return false
		}
	}
	l.images[i].ram = ram
	l.say("I: Image %d RAM loading to 0x%x is succeeded.", i, h.loadAddr)
	return true
}

// inRAM is where an image goes. It is false if it is not for RAM, or for RAM that there is not.
func (h header) inRAM(slot []byte) (region, bool) {
	size, ok := h.totalSize(slot, 0)
	r := region{uint64(h.loadAddr), uint64(h.loadAddr) + uint64(size)}
	return r, ok && h.flags&image.FlagRAMLoad != 0 && r.from >= ramStart && r.to <= ramStart+ramSize &&
		int(size) <= len(slot)
}

// misfit is the first image whose dependencies are not met, -1 if there is none.
func (l *loader) misfit() int {
	for i := range l.images {
		if len(l.images) > 1 && !l.needsOf(i, l.images[i].active, func(n int) int { return l.images[n].active }) {
			return i
		}
	}
	return -1
}
