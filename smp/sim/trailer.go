package sim

// Layout of the trailer at the end of a slot for a write alignment of 8 bytes, as distances from the end of the slot
// (MCUboot bootutil_public.c: boot_magic_off, boot_image_ok_off, boot_copy_done_off, boot_swap_info_off).
const (
	magicFromEnd    = 16
	imageOKFromEnd  = 24
	copyDoneFromEnd = 32
	swapInfoFromEnd = 40
	writeAlign      = 8
)

const erased = 0xff // what flash reads after it was erased

// bootMagic ends a trailer (MCUboot bootutil_public.c: boot_img_magic).
const bootMagic = "\x77\xc2\x95\xf3\x60\xd2\xef\x7f\x35\x52\x50\x0f\x2c\xb6\x79\x80"

// mark is the state of one field of a trailer.
type mark uint8

const (
	unset mark = iota // still erased
	set               // the value that means yes; for the magic: good
	bad               // anything else
)

// trailer is what the bootloader reads at the end of a slot (MCUboot bootutil_public.h: struct boot_swap_state).
type trailer struct {
	magic, imageOK, copyDone mark
	swapInfo                 byte // what put writes; reading leaves it out
}

func readTrailer(slot []byte) trailer {
	return trailer{
		magic:    readMark(slot[len(slot)-magicFromEnd:], bootMagic),
		imageOK:  readMark(slot[len(slot)-imageOKFromEnd:][:1], "\x01"),
		copyDone: readMark(slot[len(slot)-copyDoneFromEnd:][:1], "\x01"),
	}
}

func readMark(field []byte, yes string) mark {
	switch {
	case string(field) == yes:
		return set
	case isErased(field):
		return unset
	}
	return bad
}

// put writes the fields of t that are set into an erased trailer.
func (t trailer) put(slot []byte) {
	if t.magic == set {
		copy(slot[len(slot)-magicFromEnd:], bootMagic)
	}
	if t.imageOK == set {
		slot[len(slot)-imageOKFromEnd] = 1
	}
	if t.copyDone == set {
		slot[len(slot)-copyDoneFromEnd] = 1
	}
	if t.swapInfo != 0 {
		slot[len(slot)-swapInfoFromEnd] = t.swapInfo
	}
}

// trailerSize is the space that MCUboot keeps free at the end of a slot: the fields above, the size of the swap, and an
// entry for each step that a swap can have. It is not a multiple of a sector (MCUboot bootutil_area.c:
// boot_trailer_sz).
func trailerSize(m Mode, slotSize int) int {
	size := slotSize/Sector*stepsPerSector(m)*writeAlign + 4*writeAlign + magicFromEnd
	if m == SwapOffset {
		size += writeAlign // sizes of unprotected TLVs
	}
	return size
}

// stepsPerSector is how many status entries there are for each sector (MCUboot bootutil_area.h:
// BOOT_STATUS_STATE_COUNT).
func stepsPerSector(m Mode) int {
	if m == SwapOffset {
		return 2
	}
	return 3
}

// roundUp gives the bytes of the whole sectors that hold n bytes.
func roundUp(n int) int { return (n + Sector - 1) / Sector * Sector }

func isErased(p []byte) bool {
	for _, b := range p {
		if b != erased {
			return false
		}
	}
	return true
}

func fill(p []byte, b byte) {
	if len(p) == 0 {
		return
	}
	p[0] = b
	for n := 1; n < len(p); n *= 2 {
		copy(p[n:], p[:n])
	}
}
