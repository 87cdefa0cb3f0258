package image

import (
	"bytes"
	"encoding/binary"
)

// Magics of the trailer (MCUboot bootutil_public.c, boot_img_magic): for writes
// of up to 8 bytes, and what follows the largest write in the others.
const (
	trailerMagicSize = 16
	trailerMagic8    = "\x77\xc2\x95\xf3\x60\xd2\xef\x7f\x35\x52\x50\x0f\x2c\xb6\x79\x80"
	trailerMagicTail = "\x2d\xe1\x5d\x29\x41\x0b\x8d\x77\x67\x9c\x11\x0f\x1f\x8a"
)

// Trailer is the swap trailer that "imgtool sign --pad", "--test" or "--confirm"
// puts at the very end of a file as long as the slot. In the secondary slot it
// makes the bootloader swap the image in at the next reset (MCUboot
// docs/design.md, "Image trailer").
type Trailer struct {
	Align   int  // bytes: the bootloader's largest write size, 8, 16 or 32
	ImageOK bool // set: the swap is permanent (confirmed); unset: on trial (test)
}

// Trailer returns the swap trailer at the end of the file, and false if there is
// none.
func (m *Image) Trailer() (Trailer, bool) {
	behind := m.raw[m.end:]
	if len(behind) < trailerMagicSize {
		return Trailer{}, false
	}
	align := trailerAlign(behind[len(behind)-trailerMagicSize:])
	if align == 0 {
		return Trailer{}, false
	}
	// The magic takes a whole multiple of the alignment, image_ok one unit below.
	at := len(m.raw) - max(trailerMagicSize, align) - align
	return Trailer{Align: align, ImageOK: at >= m.end && m.raw[at] == 1}, true
}

// trailerAlign returns the alignment that the magic stands for, or 0 if it is
// none.
func trailerAlign(magic []byte) int {
	if bytes.Equal(magic, []byte(trailerMagic8)) {
		return 8
	}
	align := int(binary.LittleEndian.Uint16(magic))
	if !bytes.Equal(magic[2:], []byte(trailerMagicTail)) || align != 16 && align != 32 {
		return 0
	}
	return align
}
