package sim

import (
	"bytes"
	"crypto"
	"slices"

	"github.com/smpctl/smpctl/image"
)

const (
	imageMagic     = 0x96f3b83d // MCUboot image.h: IMAGE_MAGIC
	imageHeaderLen = 32         // MCUboot image.h: IMAGE_HEADER_SIZE
	flashBase      = 64 << 10   // address of slot 0: the bootloader lies before it
)

// validator decides about images as the bootloader does.
type validator struct {
	mode    Mode
	keys    []crypto.PublicKey // one of them has to have signed; none: nobody has
	trusted [][]byte           // hashes of the factory images, which need no signature
}

// valid reports whether the image that starts at an offset of a slot is whole, has room beside the trailer and is
// signed (MCUboot image_validate.c: bootutil_img_validate).
func (v validator) valid(slot []byte, start int) bool {
	b := slot[start:]
	size, ok := readHeader(b).totalSize(slot, start)
	if !ok || int64(size) > int64(min(len(b), maxImage(v.mode, len(slot)))) {
		return false
	}
	m, err := image.Parse(b[:size])
	return err == nil && m.CheckHash() == nil && v.signed(m)
}

// runs reports whether the bootloader would run the image in the slot with the global number n, marked or not.
func (v validator) runs(n int, slot []byte, start int) bool {
	h := readHeader(slot[start:])
	_, loads := h.inRAM(slot)
	switch {
	case !h.sound(len(slot)) || h.flags&image.FlagNonBootable != 0:
		return false
	case v.mode == RAMLoad && !loads:
		return false
	case (v.mode == DirectXIP || v.mode == DirectXIPRevert) && !h.linkedFor(n, len(slot)):
		return false
	}
	return v.valid(slot, start)
}

// maxImage is the largest image that a slot can have (MCUboot bootutil_misc.c: bootutil_max_image_size).
func maxImage(m Mode, slotSize int) int {
	if m == Swap || m == SwapOffset {
		// A swap without scratch area needs one sector to move things by.
		return slotSize - roundUp(trailerSize(m, slotSize)) - Sector
	}
	return slotSize - swapInfoFromEnd
}

// signed reports whether the signature fits. It is asked for in every slot: an image gets into the primary one by
// serial recovery too (MCUboot BOOT_VALIDATE_SLOT0, on by default).
func (v validator) signed(m *image.Image) bool {
	if len(v.keys) == 0 {
		return true
	}
	for _, hash := range v.trusted {
		if bytes.Equal(hash, m.Hash()) {
			return true
		}
	}
	return slices.ContainsFunc(v.keys, func(k crypto.PublicKey) bool { return m.Verify(k) == nil })
}

// keys are all that the bootloader has.
func (o Options) keys() []crypto.PublicKey {
	if o.Key == nil {
		return nil
	}
	return append([]crypto.PublicKey{o.Key}, o.MoreKeys...)
}

// slotAddress is where the slot with the global number n lies in the address space of the device.
func slotAddress(n, slotSize int) uint32 { return flashBase + uint32(n)*uint32(slotSize) }
