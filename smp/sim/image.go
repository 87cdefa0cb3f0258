package sim

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/smpctl/smpctl/image"
)

// imageCommand is the table of the image group (Zephyr smp_group_1.rst, img_mgmt.c).
func (d *Device) imageCommand(id uint8) command {
	switch {
	case id == 0 && (d.o.Mode == DirectXIP || d.o.Mode == RAMLoad):
		// The highest version boots anyway, so there is nothing to write.
		return command{read: imageList}
	case id == 0:
		return command{read: imageList, write: imageSelect}
	case id == 1:
		return command{write: imageUpload}
	case id == 5:
		return command{write: imageErase}
	case id == 6 && !d.o.NoSlotInfo:
		return command{read: imageSlots}
	}
	return command{}
}

// nextBoot is what the application believes that the bootloader will do (Zephyr img_mgmt.h: enum
// img_mgmt_next_boot_type).
type nextBoot uint8

const (
	bootNormal nextBoot = iota // stays with that slot
	bootTest                   // once, unless confirmed
	bootRevert                 // back to it, because the running image is not confirmed
)

// nextSlot is the slot of an image that boots next, as a global number, and why.
func (d *Device) nextSlot(number int) (slot int, why nextBoot) {
	active := d.active(number)
	other := active ^ 1
	if d.o.Mode != DirectXIP && d.o.Mode != DirectXIPRevert {
		// With RAM load too: the application does not foresee that the highest version wins.
		switch d.swapType(number) {
		case swapTest:
			return other, bootTest
		case swapPermanent:
			return other, bootNormal
		case swapRevert:
			return other, bootRevert
		}
		return active, bootNormal
	}
	mine, ok := d.info(active)
	theirs, okOther := d.info(other)
	if ok != 0 || okOther != 0 {
		return active, bootNormal
	}
	newer := theirs.version.CompareIgnoringBuild(mine.version) > 0
	if d.o.Mode == DirectXIPRevert {
		return d.nextDirect(active, newer)
	}
	if newer {
		return other, bootNormal
	}
	return active, bootNormal
}

// nextDirect decides for direct-XIP with revert by the trailers of both slots.
func (d *Device) nextDirect(active int, newer bool) (slot int, why nextBoot) {
	mine, theirs := readTrailer(d.flash.slot(active)), readTrailer(d.flash.slot(active^1))
	switch {
	case mine.magic == set && mine.imageOK != set && mine.copyDone == set:
		return active ^ 1, bootRevert
	case theirs.magic != set && mine.magic == set && mine.imageOK != set:
		return active, bootTest
	case theirs.magic == set && newer && theirs.imageOK == set:
		return active ^ 1, bootNormal
	case theirs.magic == set && newer && theirs.copyDone != set:
		return active ^ 1, bootTest
	}
	return active, bootNormal
}

// active is the global number of the slot that an image runs from.
func (d *Device) active(number int) int { return 2*number + d.activeSlot(number) }

// inUse reports whether a slot must not be written or erased. A slot that is only pending may
// (CONFIG_MCUMGR_GRP_IMG_ALLOW_ERASE_PENDING).
func (d *Device) inUse(slot int) bool {
	if slot == d.active(slot/2) {
		return true
	}
	if d.o.Mode == DirectXIP {
		return false
	}
	next, why := d.nextSlot(slot / 2)
	return slot == next && why == bootRevert
}

// slotFlags are the flags of a slot in the list.
type slotFlags struct{ bootable, pending, confirmed, active, permanent bool }

// flags works out the flags of both slots of an image, by slot within the pair.
func (d *Device) flags(number int) (f [2]slotFlags) {
	active := d.active(number)
	next, why := d.nextSlot(number)
	mine, other := &f[active%2], &f[active%2^1]
	mine.active, mine.confirmed = true, why != bootRevert
	if next != active {
		other.pending = why != bootRevert
		other.permanent = why == bootNormal
		other.confirmed = why == bootRevert
	}
	return f
}

func imageList(c *call) *failure {
	c.w.text("images")
	c.w.openList()
	for number := range c.d.flash.images() {
		flags := c.d.flags(number)
		for slot := range 2 {
			c.listSlot(number, slot, flags[slot])
		}
	}
	c.w.close()
	if !c.d.o.Frugal {
		c.w.text("splitStatus")
		c.w.int(0)
	}
	return nil
}

// listSlot writes an entry of the list. A slot without a readable image has none.
func (c *call) listSlot(number, slot int, f slotFlags) {
	info, rc := c.d.info(2*number + slot)
	if rc != 0 || c.d.hidden(2*number+slot) {
		return
	}
	f.bootable = info.flags&image.FlagNonBootable == 0
	c.w.openMap()
	if c.d.flash.images() > 1 {
		c.w.text("image")
		c.w.uint(uint64(number))
	}
	c.w.text("slot")
	c.w.uint(uint64(slot))
	c.w.text("version")
	c.w.text(dotted(info.version))
	c.w.text("hash")
	c.w.bytes(info.hash)
	c.flag("bootable", f.bootable)
	c.flag("pending", f.pending)
	c.flag("confirmed", f.confirmed)
	c.flag("active", f.active)
	c.flag("permanent", f.permanent)
	c.w.close()
}

func (c *call) flag(name string, v bool) {
	if v || !c.d.o.Frugal {
		c.w.text(name)
		c.w.bool(v)
	}
}

// dotted is a version as Zephyr prints it: a build number behind a fourth dot, and only if there is one.
func dotted(v image.Version) string {
	s := fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Revision)
	if v.Build != 0 {
		s += fmt.Sprintf(".%d", v.Build)
	}
	return s
}

// imageSelect is the state write: it selects what boots next and answers with the list.
func imageSelect(c *call) *failure {
	var hash []byte
	var confirm bool
	if f := c.arguments(argBytes("hash", &hash), argBool("confirm", &confirm)); f != nil {
		return f
	}
	slot := c.d.active(0)
	switch {
	case len(hash) == 0 && !confirm:
		return imageFailure(imgInvalidHash, "")
	case len(hash) == 0:
	case len(hash) != c.d.hashLen():
		return imageFailure(imgInvalidHash, "")
	default:
		if slot = c.d.findHash(hash); slot < 0 {
			return imageFailure(imgHashNotFound, "")
		}
	}
	if rc := c.d.selectSlot(slot, confirm); rc != 0 {
		return imageFailure(rc, "")
	}
	return imageList(c)
}

// hashLen is the length of image hashes on this device: that of the running image.
func (d *Device) hashLen() int {
	info, rc := d.info(d.active(0))
	if rc != 0 {
		return sha256.Size
	}
	return len(info.hash)
}

// hidden reports whether the application cannot read a slot.
func (d *Device) hidden(slot int) bool { return d.o.NetworkCore && slot > 1 && slot%2 == 0 }

// findHash gives the first slot that holds an image with that hash, or -1.
func (d *Device) findHash(hash []byte) int {
	for slot := range 2 * d.flash.images() {
		if info, rc := d.info(slot); rc == 0 && !d.hidden(slot) && bytes.Equal(info.hash, hash) {
			return slot
		}
	}
	return -1
}

// selectSlot marks a slot for the next boot, or says why not (Zephyr img_mgmt_state.c: img_mgmt_set_next_boot_slot).
func (d *Device) selectSlot(slot int, confirm bool) (rc int) {
	active := d.active(slot / 2)
	if d.o.Mode != DirectXIPRevert {
		next, why := d.nextSlot(slot / 2)
		if done, rc := mayselect(slot, active, next, why, confirm); done || rc != 0 {
			return rc
		}
	} else if slot == active && !confirm {
		return imgTestActiveDenied
	}
	return d.writeSelection(slot, slot == active, confirm)
}

// mayselect checks a selection against what is selected already. It reports done if nothing is left to write. Slots
// are global numbers.
func mayselect(slot, active, next int, why nextBoot, confirm bool) (done bool, rc int) {
	if confirm && slot/2 != 0 && slot == active {
		// Only the application that runs knows that it works, and it belongs to image 0.
		return false, imgConfirmDenied
	}
	if !confirm && slot == active {
		return false, imgTestActiveDenied
	}
	switch why {
	case bootTest:
		if !confirm && slot == next {
			return true, 0
		}
		return false, imgAlreadyPending
	case bootRevert:
		if confirm && slot == next {
			return true, 0
		}
		if !confirm {
			return false, imgAlreadyPending
		}
	case bootNormal:
		if confirm && slot == next {
			return true, 0
		}
		if slot == active && active != next || !confirm && slot == next {
			return false, imgAlreadyPending
		}
	}
	return false, 0
}

// writeSelection marks a slot for the next boot, or for good if it is the active one (MCUboot bootutil_public.c:
// boot_set_next).
func (d *Device) writeSelection(slot int, active, confirm bool) (rc int) {
	t := readTrailer(d.flash.slot(slot))
	var err error
	switch {
	case t.magic == bad && active && d.o.Mode != DirectXIPRevert:
		return imgVectorTable
	case t.magic == bad:
		return imgInvalidMagic
	case d.o.Mode == DirectXIPRevert:
		err = d.markDirect(slot, t, confirm || active)
	case active && t.magic == set && t.imageOK == unset:
		err = d.flag(slot, imageOKFromEnd)
	case !active && t.magic == unset:
		err = d.mark(slot, confirm)
	}
	if err != nil {
		return imgWriteFailed
	}
	return 0
}

// markDirect marks a slot for a bootloader whose slots are equals (MCUBOOT_BOOTUTIL_LIB_FOR_DIRECT_XIP).
func (d *Device) markDirect(slot int, t trailer, permanent bool) error {
	var err error
	if t.magic == unset {
		err = d.markMagic(slot)
	}
	if permanent && t.copyDone == unset && err == nil {
		err = d.flag(slot, copyDoneFromEnd)
	}
	if permanent && t.imageOK == unset && err == nil {
		err = d.flag(slot, imageOKFromEnd)
	}
	return err
}

// mark asks the bootloader for the image in a slot, for once or for good.
func (d *Device) mark(slot int, permanent bool) error {
	kind := swapTest
	err := d.markMagic(slot)
	if permanent && err == nil {
		kind = swapPermanent
		err = d.flag(slot, imageOKFromEnd)
	}
	if err == nil {
		err = d.flash.write(slot, d.flash.slotSize-swapInfoFromEnd, []byte{kind.info(slot / 2)})
	}
	return err
}

func (d *Device) markMagic(slot int) error {
	return d.flash.write(slot, d.flash.slotSize-magicFromEnd, []byte(bootMagic))
}

// flag sets a flag of a trailer.
func (d *Device) flag(slot, fromEnd int) error {
	return d.flash.write(slot, d.flash.slotSize-fromEnd, []byte{1})
}
