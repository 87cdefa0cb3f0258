package sim

import (
	"bytes"
	"crypto"
	"encoding/binary"

	"github.com/smpctl/smpctl/image"
)

const (
	imageMagic     = 0x96f3b83d // MCUboot image.h: IMAGE_MAGIC
	imageHeaderLen = 32         // MCUboot image.h: IMAGE_HEADER_SIZE
	flashBase      = 64 << 10   // address of slot 0: the bootloader lies before it
)

// judge looks at slots with the eyes of the bootloader.
type judge struct {
	mode    Mode
	key     crypto.PublicKey
	trusted [][]byte // hashes of the factory images, which need no signature
}

// candidate examines the slot with the global number n, whose image starts at an offset.
func (j judge) candidate(n int, slot []byte, start int) candidate {
	c := candidate{trailer: readTrailer(slot)}
	b := slot[start:]
	if binary.LittleEndian.Uint32(b) != imageMagic {
		return c
	}
	c.content, c.version = invalid, headerVersion(b)
	m, err := image.Parse(b)
	switch {
	case err != nil:
		return c
	case m.Header.Flags&image.FlagNonBootable != 0:
		c.content = empty
	default:
		c.needs = m.Dependencies()
		if j.fits(n, m, len(slot)) && m.CheckHash() == nil && j.signed(m) {
			c.content = valid
		}
	}
	return c
}

// fits reports whether the image has room beside the trailer and was linked for this place.
func (j judge) fits(n int, m *image.Image, slotSize int) bool {
	limit := slotSize - swapInfoFromEnd
	if j.mode == Swap || j.mode == SwapOffset {
		// A swap without scratch area needs one sector to move things by (MCUboot swap_move.c, swap_offset.c:
		// app_max_size).
		limit = slotSize - trailerSize(slotSize) - Sector
	}
	if m.Size() > limit {
		return false
	}
	fixed := m.Header.Flags&image.FlagROMFixed != 0 && !j.mode.swaps()
	return !fixed || m.Header.LoadAddr == slotAddress(n, slotSize)
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

// headerVersion reads the version from the first bytes of an image.
func headerVersion(b []byte) image.Version {
	return image.Version{
		Major:    b[20],
		Minor:    b[21],
		Revision: binary.LittleEndian.Uint16(b[22:]),
		Build:    binary.LittleEndian.Uint32(b[24:]),
	}
}
