package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/smpctl/smpctl/image"
)

// recoveryList lists the images that the bootloader would accept (MCUboot boot_serial.c: bs_list).
func recoveryList(c *call) *failure {
	c.w.text("images")
	c.w.openList()
	for n := range 2 * c.d.flash.images() {
		if b := c.d.imageBytes(n); c.recoveryLists(n, b) {
			c.recoveryEntry(n, b)
		}
	}
	c.w.close()
	return nil
}

// imageBytes is a slot from where its image starts.
func (d *Device) imageBytes(n int) []byte { return d.flash.slot(n)[d.imageStart(n):] }

// recoveryLists reports whether the image in a slot is listed. A bootloader that loads images to RAM checks the copy
// that it loaded at boot, whatever the slot holds by now; so it lists half an upload, whose hash is all zeros, and
// nothing on a device that had no image at boot (MCUboot bootutil_priv.h: LOAD_IMAGE_DATA).
func (c *call) recoveryLists(n int, b []byte) bool {
	if c.d.o.Mode == RAMLoad {
		return c.prog.loaded && binary.LittleEndian.Uint32(b) == imageMagic
	}
	return binary.LittleEndian.Uint32(b) == imageMagic && c.d.validator.valid(c.d.flash.slot(n), c.d.imageStart(n))
}

func (c *call) recoveryEntry(n int, b []byte) {
	s := &c.d.o.SerialRecovery
	info, rc := readInfo(b)
	if rc != 0 {
		info.hash, info.version = make([]byte, sha256.Size), headerVersion(b)
	}
	c.w.openMap()
	if c.d.flash.images() > 1 {
		c.w.text("image")
		c.w.uint(uint64(n / 2))
	}
	if s.State && !s.Old {
		c.recoveryFlags(n, info.flags)
	}
	c.w.text("slot")
	c.w.uint(uint64(n % 2))
	if !s.NoHash {
		c.w.text("hash")
		c.w.bytes(info.hash)
	}
	c.w.text("version")
	if s.Old {
		v := info.version
		c.w.text(fmt.Sprintf("%d.%d.%d.%d", v.Major, v.Minor, v.Revision, v.Build))
	} else {
		c.w.text(dotted(info.version))
	}
	c.w.close()
}

// recoveryFlags writes the flags that are true. With a swap ahead no image is active.
func (c *call) recoveryFlags(n int, f image.Flags) {
	primary := n%2 == 0
	t := c.d.swapType(n / 2)
	for _, flag := range []struct {
		name string
		set  bool
	}{
		{"bootable", f&image.FlagNonBootable == 0},
		{"confirmed", primary == (t != swapRevert)},
		{"active", primary && (t == swapNone || t == swapRevert)},
		{"pending", !primary && (t == swapTest || t == swapPermanent)},
		{"permanent", !primary && t == swapPermanent},
	} {
		if flag.set {
			c.w.text(flag.name)
			c.w.bool(true)
		}
	}
}

// recoverySelect marks the secondary slot of the image that holds the hash, whichever of its slots that is (MCUboot
// boot_serial.c: bs_set).
func recoverySelect(c *call) *failure {
	var hash []byte
	var confirm bool
	if c.arguments(argBytes("hash", &hash), argBool("confirm", &confirm)) != nil {
		return protocolFailure(rcInvalid)
	}
	number := 0
	switch {
	case len(hash) == 0 && c.d.flash.images() > 1, len(hash) != 0 && len(hash) != sha256.Size:
		return protocolFailure(rcInvalid)
	case len(hash) != 0:
		slot := c.findListed(hash)
		if slot < 0 {
			return protocolFailure(rcNoEntry)
		}
		number = slot / 2
	}
	if rc := c.d.writeSelection(2*number+1, false, confirm); rc != 0 {
		return protocolFailure(rcUnknown)
	}
	return recoveryList(c)
}

// findListed gives the first slot that the bootloader lists with that hash, or -1.
func (c *call) findListed(hash []byte) int {
	for n := range 2 * c.d.flash.images() {
		b := c.d.imageBytes(n)
		if info, rc := readInfo(b); rc == 0 && bytes.Equal(info.hash, hash) && c.recoveryLists(n, b) {
			return n
		}
	}
	return -1
}

// recoverySlots is the slot info command. Without direct upload the number stands at the secondary slot, although the
// upload goes to the primary one (MCUboot boot_serial.c: bs_slot_info).
func recoverySlots(c *call) *failure {
	c.w.text("images")
	c.w.openList()
	for number := range c.d.flash.images() {
		c.w.openMap()
		c.w.text("image")
		c.w.uint(uint64(number))
		c.w.text("slots")
		c.w.openList()
		for slot := range 2 {
			c.w.openMap()
			c.w.text("slot")
			c.w.uint(uint64(slot))
			c.w.text("size")
			c.w.uint(uint64(c.d.flash.slotSize))
			if direct := c.d.o.SerialRecovery.DirectUpload; direct || slot == 1 {
				id := number
				if direct {
					id = 2*number + slot + 1
				}
				c.w.text("upload_image_id")
				c.w.uint(uint64(id))
			}
			c.w.close()
		}
		c.w.close()
		c.w.close()
	}
	c.w.close()
	return nil
}
