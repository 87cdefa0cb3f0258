package sim

import "fmt"

// bootload is one run of the bootloader over all images. The flash is then as the run leaves it, although the device
// may need time for that, see swapping. The lock is held.
func (d *Device) bootload() outcome {
	f := d.flash
	d.boots++
	d.unread = nil
	d.log.note(moduleReboot, "boot %d", d.boots)
	f.note.ResetPending, f.note.Mode = false, d.o.Mode.String()
	stay := f.note.BootMode == bootModeLoader
	f.note.BootMode = 0
	f.bootSettings()
	out := d.loader(0).run()
	f.note.Running, f.note.Stuck = out.run, out.stuck != ""
	f.note.Recovery = !d.o.SerialRecovery.Absent && !f.note.Stuck && (stay || !d.bootable())
	d.print("*** Booting MCUboot v2.3.0 ***", "*** Using Zephyr OS build v"+d.o.Kernel+" ***", "I: Starting bootloader")
	d.print(out.words...)
	return out
}

// loader is the bootloader about to run over the flash, until the power is cut before a flash operation; 0 is never.
func (d *Device) loader(cut int) *loader {
	return &loader{rules: d.rules, validator: d.validator, size: d.flash.slotSize, mem: d.flash.mem, cut: cut,
		keeps: cut == 0}
}

// bootModeLoader is the boot mode that keeps the device in the bootloader (Zephyr include/zephyr/retention/bootmode.h:
// BOOT_MODE_TYPE_BOOTLOADER).
const bootModeLoader = 1

// conclude prints how the bootloader ends (MCUboot boot/zephyr/main.c). The lock is held.
func (d *Device) conclude() {
	switch run := d.flash.note.Running[0]; {
	case d.flash.note.Stuck:
	case d.flash.note.Recovery && run >= 0:
		d.print("I: Enter the serial recovery mode")
	case run < 0:
		d.print("E: Unable to find bootable image")
	default:
		d.print(fmt.Sprintf("I: Bootloader chainload address offset: 0x%x", slotAddress(run, d.flash.slotSize)),
			"I: Image version: "+versionWords(headerVersion(d.flash.slot(run))), "I: Jumping to the first image slot")
	}
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
	return swapTypeOf(d.o.Mode, readTrailer(d.flash.slot(2*number)), readTrailer(d.flash.slot(2*number+1)))
}

// info reads header and hash of a slot.
func (d *Device) info(n int) (info imageInfo, rc int) {
	return readInfo(d.flash.slot(n)[d.imageStart(n):])
}

// runs reports whether the bootloader would run the image in a slot, marked or not.
func (d *Device) runs(n int) bool { return d.validator.runs(n, d.flash.slot(n), d.imageStart(n)) }

// bootable reports whether the main image has a slot to run from.
func (d *Device) bootable() bool { return d.flash.note.Running[0] >= 0 }

// activeSlot is the slot within its pair that an image runs from. An image that cannot run counts as slot 0, where its
// application would look for it.
func (d *Device) activeSlot(number int) int { return max(0, d.flash.note.Running[number]) }
