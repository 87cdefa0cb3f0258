package sim

import (
	"encoding/binary"

	"github.com/smpctl/smpctl/image"
)

// header is the beginning of an image, as it is in the flash and however wrong it is.
type header struct {
	magic, loadAddr           uint32
	headerSize, protectedSize uint16
	imageSize                 uint32
	flags                     image.Flags
	version                   image.Version
}

func readHeader(b []byte) header {
	return header{
		magic:         binary.LittleEndian.Uint32(b),
		loadAddr:      binary.LittleEndian.Uint32(b[4:]),
		headerSize:    binary.LittleEndian.Uint16(b[8:]),
		protectedSize: binary.LittleEndian.Uint16(b[10:]),
		imageSize:     binary.LittleEndian.Uint32(b[12:]),
		flags:         image.Flags(binary.LittleEndian.Uint32(b[16:])),
		version:       headerVersion(b),
	}
}

// headerVersion reads the version from the first bytes of an image.
func headerVersion(b []byte) image.Version {
	return image.Version{
		Major:    b[20],
		Minor:    b[21],
		Revision: binary.LittleEndian.Uint16(b[22:]),
		Build:    binary.LittleEndian.Uint32(b[24:]),
	}
}

func (h header) erased() bool { return h.magic == 0xffffffff }

// sound reports whether the header can be one of an image in a slot of that size. This bootloader does not decompress.
// It knows encryption, but decrypts only what serial recovery receives (MCUboot bootutil_loader.c:
// boot_check_header_valid).
func (h header) sound(slotSize int) bool {
	const packed = image.FlagCompressedLZMA1 | image.FlagCompressedLZMA2
	size := uint64(h.headerSize) + uint64(h.imageSize) + uint64(h.protectedSize)
	return h.magic == imageMagic && size < uint64(slotSize) && h.flags&packed == 0
}

// tlvStart is where the TLVs begin, from the beginning of the image. It overflows as the bootloader's number does.
func (h header) tlvStart() uint32 { return uint32(h.headerSize) + h.imageSize }

// unprotected gives the size of the unprotected TLVs of an image that starts at an offset of a slot. It is false if
// they are not where the header says.
func (h header) unprotected(slot []byte, start int) (size uint16, ok bool) {
	at := uint64(h.tlvStart()) + uint64(start)
	magic, size, ok := readArea(slot, at)
	if ok && magic == protectedTLVMagic {
		if size != h.protectedSize {
			return 0, false
		}
		magic, size, ok = readArea(slot, at+uint64(size))
	} else if h.protectedSize != 0 {
		return 0, false
	}
	return size, ok && magic == tlvMagic
}

// imageSize is the size of an image with its TLVs (MCUboot bootutil_misc.c: boot_read_image_size).
func (h header) totalSize(slot []byte, start int) (size uint32, ok bool) {
	loose, ok := h.unprotected(slot, start)
	return h.tlvStart() + uint32(h.protectedSize) + uint32(loose), ok
}

// readArea reads the header of a TLV area.
func readArea(slot []byte, at uint64) (magic, size uint16, ok bool) {
	if at+tlvHeaderLen > uint64(len(slot)) {
		return 0, 0, false
	}
	b := slot[at:]
	return binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:]), true
}

// readHeaders reads the headers of both slots. With a progress only images count, and in the middle of a swap they are
// looked for where that has brought them. It is false if nothing can be moved for want of a header (MCUboot
// bootutil_loader.c: boot_read_image_headers).
func (l *loader) readHeaders(i int, p *progress) bool {
	for slot := range 2 {
		n, off := l.findHeader(i, slot, p)
		h := readHeader(l.slot(i, n)[off:])
		l.images[i].headers[slot] = h
		if p == nil {
			continue
		}
		if h.magic != imageMagic {
			return slot == 1 && p.at == 0
		}
		if l.mode == SwapOffset && n == 1 {
			l.images[i].start = off
		}
	}
	return true
}

// findHeader is where the header of a slot's image is.
func (l *loader) findHeader(i, slot int, p *progress) (n, off int) {
	switch {
	case l.mode == SwapOffset && p != nil && p.at > 0:
		return l.findOffset(i, slot, p)
	case l.mode == SwapOffset && slot == 1:
		return 1, l.secondaryStart(i, p)
	case l.mode == Swap && p != nil && p.at > 0:
		return l.findMoved(i, slot, p)
	}
	return slot, 0
}

// boots reports whether the image in a slot is one that the bootloader would run or move, unlike what is erased,
// damaged, of somebody else, not to be booted, or refused by a rule. What is refused is wiped where MCUboot wipes it
// (MCUboot loader.c: boot_validate_slot).
func (l *loader) boots(i, slot int, p *progress, wanted swapType) bool {
	h := l.images[i].headers[slot]
	swaps := l.mode == Swap || l.mode == SwapOffset
	switch {
	case h.erased() || h.flags&image.FlagNonBootable != 0:
		if swaps && slot == 1 {
			l.forget(i, p)
		}
		return false
	case l.mode == SwapOffset && slot == 1 && p.at == 0 && (wanted == swapTest || wanted == swapPermanent) &&
		readHeader(l.slot(i, 1)).magic == imageMagic:
		l.say("E: Secondary header magic detected in first sector, wrong upload address?")
	case l.mode == Overwrite && l.noDowngrade && slot == 1 && l.older(i) && !l.images[i].headers[0].erased():
		l.say("E: Insufficient version in secondary slot")
		l.wipe(i, 1)
		return false
	case h.sound(l.size) && l.validator.valid(l.slot(i, slot), l.startOf(i, slot)):
		return true
	}
	l.say("E: Image in the %s slot is not valid!", slotNames[slot])
	if slot == 1 || !l.mode.swaps() {
		l.wipe(i, slot)
	}
	return false
}

var slotNames = [2]string{"primary", "secondary"}

// startOf is where the image of a slot starts.
func (l *loader) startOf(i, slot int) int {
	if slot == 0 {
		return 0
	}
	return l.images[i].start
}

// older reports whether the image in slot 1 has a lower version than the one in slot 0.
func (l *loader) older(i int) bool {
	h := l.images[i].headers
	return h[1].version.CompareIgnoringBuild(h[0].version) < 0
}

// forget takes the marks from a secondary slot that has nothing to boot, and those of a trial that cannot be undone.
func (l *loader) forget(i int, p *progress) {
	l.wipeTrailer(i, 1)
	if l.mode == Swap && (p.kind == swapRevert || l.swapType(i) == swapRevert) {
		l.wipeTrailer(i, 0)
		l.say("I: Cleared image %d primary slot trailer due to stuck revert", i)
	}
}
