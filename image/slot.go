package image

import (
	"bytes"
	"encoding/binary"

	"github.com/smpctl/smpctl/image/internal/ihex"
)

// Pad says whether an image file fills its slot, and what the bootloader finds
// at the slot's end.
type Pad int

// NoPad leaves the file as long as the image, which is what an upload wants. The
// others make a file as long as the slot, for programming it: PadOnly and PadTest
// ask the bootloader for a trial in the secondary slot, PadConfirm for a
// permanent update, and in the primary slot for an image that stays. PadTest
// differs from PadOnly in Intel HEX only, where it has a record for the unset
// flag.
const (
	NoPad Pad = iota
	PadOnly
	PadTest
	PadConfirm
)

const (
	maxPadded  = ihex.MaxSpan // bytes of a padded file, which is as long as its slot
	maxSectors = 1 << 20      // so that no sum overflows; MCUboot takes 128 unless built for more
)

// slot is the place in flash for which an image is made.
type slot struct {
	size            int // 0: unknown
	pad             Pad
	align, maxAlign int // 0: the defaults
	sectors         int // 0: the default
	overwrite       bool
	keys            int // bytes of one saved encryption key; 0: none
	erased          byte
}

func (s slot) writeSize() int { return max(1, s.align) }

// largestWrite is the bootloader's BOOT_MAX_ALIGN.
func (s slot) largestWrite() int {
	if s.maxAlign != 0 {
		return s.maxAlign
	}
	return max(8, s.align)
}

// magicSize is the room of the magic in the trailer.
func (s slot) magicSize() int { return roundUp(trailerMagicSize, s.largestWrite()) }

// trailerSize is the room that the bootloader needs at the end of a slot (MCUboot
// bootutil_misc.c, boot_trailer_sz): a status of three writes per sector, four
// fields and the magic, of which overwriting needs only two fields. A bootloader that swaps using an offset has
// one field more, which imgtool does not count either.
func (s slot) trailerSize() int {
	if s.overwrite {
		return 2*s.largestWrite() + s.magicSize()
	}
	sectors := s.sectors
	if sectors == 0 {
		sectors = 128
	}
	return sectors*3*s.writeSize() + 2*roundUp(s.keys, s.largestWrite()) + 4*s.largestWrite() + s.magicSize()
}

// check refuses an image of n bytes that leaves too little room for the trailer.
func (s slot) check(n int) error {
	if trailer := s.trailerSize(); s.size > 0 && n > s.size-trailer {
		return fail(ErrTooLarge, "image: %d bytes and a trailer of %d do not fit a slot of %d", n, trailer, s.size)
	}
	return nil
}

// fill makes a file as long as the slot of an image that fits it.
func (s slot) fill(image []byte) []byte {
	if s.pad == NoPad {
		return image
	}
	file := append(bytes.Clone(image), bytes.Repeat([]byte{s.erased}, s.size-len(image))...)
	for _, p := range s.trailer() {
		copy(file[p.At:], p.Data)
	}
	return file
}

// trailer returns what a padded file has at its end, in pieces: the flag
// image_ok, unless the bootloader only overwrites, and the magic.
func (s slot) trailer() []ihex.Part {
	var parts []ihex.Part
	if (s.pad == PadTest || s.pad == PadConfirm) && !s.overwrite {
		flag := bytes.Repeat([]byte{s.erased}, s.largestWrite())
		if s.pad == PadConfirm {
			flag[0] = 1
		}
		parts = append(parts, ihex.Part{At: s.size - s.magicSize() - s.largestWrite(), Data: flag})
	}
	return append(parts, ihex.Part{At: s.size - trailerMagicSize, Data: trailerMagic(s.largestWrite())})
}

// trailerMagic is the magic of a bootloader with this largest write; trailerAlign
// is its inverse.
func trailerMagic(align int) []byte {
	if align == 8 {
		return []byte(trailerMagic8)
	}
	return append(binary.LittleEndian.AppendUint16(nil, uint16(align)), trailerMagicTail...)
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }
