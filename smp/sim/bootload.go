package sim

// bootload is one run of the bootloader over all images: look, decide, carry out. It returns how many images were
// moved. The lock is held.
func (d *Device) bootload() (moved int) {
	f := d.flash
	d.boots++
	d.unread = nil
	d.journal.note(moduleReboot, "boot %d", d.boots)
	f.note.ResetPending, f.note.Mode = false, d.o.Mode.String()
	stay := f.note.BootMode == bootModeLoader
	f.note.BootMode = 0
	f.bootSettings()
	pairs, plans := d.look()
	for i, p := range plans {
		p.apply(f.slot(2*i), f.slot(2*i+1))
		f.note.Running[i] = p.run
		if p.move != keep {
			moved++
		}
	}
	f.note.Recovery = !d.o.SerialRecovery.Absent && (stay || !d.bootable())
	d.report(pairs, plans)
	return moved
}

// bootModeLoader is the boot mode that keeps the device in the bootloader (Zephyr include/zephyr/retention/bootmode.h:
// BOOT_MODE_TYPE_BOOTLOADER).
const bootModeLoader = 1

// look examines the slots and decides for each image.
func (d *Device) look() (pairs [][2]candidate, plans []plan) {
	pairs = make([][2]candidate, d.flash.images())
	for i := range pairs {
		pairs[i] = [2]candidate{d.candidate(2 * i), d.candidate(2*i + 1)}
	}
	return pairs, d.rules.decideAll(pairs)
}

// candidate looks at a slot as the bootloader does.
func (d *Device) candidate(n int) candidate {
	return d.judge.candidate(n, d.flash.slot(n), d.imageStart(n))
}

// imageStart is the offset of the image in a slot. It is only ever not 0 in slot 1 of a bootloader that swaps with an
// offset: there an update starts at the second sector, and the image that a revert would bring back at the first
// (MCUboot swap_offset.c). So an image that was replaced for good is still in the flash, but nobody finds it.
func (d *Device) imageStart(n int) int {
	if d.o.Mode != SwapOffset || n%2 == 0 || d.swapType(n/2) == swapRevert {
		return 0
	}
	return Sector
}

// swapType is what the trailers of an image's slots ask for.
func (d *Device) swapType(number int) swapType {
	return swapTypeOf(readTrailer(d.flash.slot(2*number)), readTrailer(d.flash.slot(2*number+1)))
}

// info reads header and hash of a slot.
func (d *Device) info(n int) (info imageInfo, rc int) {
	return readInfo(d.flash.slot(n)[d.imageStart(n):])
}

// bootable reports whether the main image has a slot to run from.
func (d *Device) bootable() bool { return d.flash.note.Running[0] >= 0 }

// activeSlot is the slot within its pair that an image runs from. An image that cannot run counts as slot 0, where its
// application would look for it.
func (d *Device) activeSlot(number int) int { return max(0, d.flash.note.Running[number]) }
