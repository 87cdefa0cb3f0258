package sim

import (
	"bytes"
	"crypto"

	"github.com/smpctl/smpctl/image"
)

const (
	imageMagic     = 0x96f3b83d // MCUboot image.h: IMAGE_MAGIC
	imageHeaderLen = 32         // MCUboot image.h: IMAGE_HEADER_SIZE
	flashBase      = 64 << 10   // address of slot 0: the bootloader lies before it
)

// judge looks at images with the eyes of the bootloader.
type judge struct {
	mode    Mode
	key     crypto.PublicKey
	trusted [][]byte // hashes of the factory images, which need no signature
}

// valid reports whether the image that starts at an offset of a slot is whole, has room beside the trailer and is signed
// (MCUboot image_validate.c: bootutil_img_validate).
func (j judge) valid(slot []byte, start int) bool {
	b := slot[start:]
	size, ok := readHeader(b).totalSize(slot, start)
	if !ok || int64(size) > int64(min(len(b), maxImage(j.mode, len(slot)))) {
		return false
	}
	m, err := image.Parse(b[:size])
	return err == nil && m.CheckHash() == nil && j.signed(m)
}

// runs reports whether the bootloader would run the image in the slot with the global number n, marked or not.
func (j judge) runs(n int, slot []byte, start int) bool {
	h := readHeader(slot[start:])
	_, loads := h.inRAM(slot)
	switch {
	case !h.sound(len(slot)) || h.flags&image.FlagNonBootable != 0:
		return false
	case j.mode == RAMLoad && !loads:
		return false
	case (j.mode == DirectXIP || j.mode == DirectXIPRevert) && !h.linkedFor(n, len(slot)):
		return false
	}
	return j.valid(slot, start)
}

// maxImage is the largest image that a slot can have (MCUboot bootutil_misc.c: bootutil_max_image_size).
func maxImage(m Mode, slotSize int) int {
	if m == Swap || m == SwapOffset {
		// A swap without scratch area needs one sector to move things by.
		return slotSize - roundUp(trailerSize(m, slotSize)) - Sector
	}
	return slotSize - swapInfoFromEnd
}

// signed reports whether the signature fits. It is asked for in every slot: an image gets into the primary one by serial
// recovery too (MCUboot BOOT_VALIDATE_SLOT0, on by default).
func (j judge) signed(m *image.Image) bool {
	if j.key == nil {
		return true
	}
	for _, hash := range j.trusted {
		if bytes.Equal(hash, m.Hash()) {
			return true
		}
	}
	return m.Verify(j.key) == nil
}

// slotAddress is where the slot with the global number n lies in the address space of the device.
func slotAddress(n, slotSize int) uint32 { return flashBase + uint32(n)*uint32(slotSize) }
