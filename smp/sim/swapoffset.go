package sim

import "encoding/binary"

// looseFromEnd is where in the trailer of a swap with an offset the sizes of the unprotected TLVs are.
const looseFromEnd = swapInfoFromEnd + writeAlign

// swapOffset exchanges the images of a pair with the help of the first sector of the secondary slot, which is free: the
// image there starts at the second. Sector by sector, the old one goes to the free sector, and the new one to where
// that was:
//
//	primary    A0 A1 A2 --      B0 A1 A2 --      B0 B1 A2 --      B0 B1 B2 --
//	secondary  -- B0 B1 B2      A0 -- B1 B2      A0 A1 -- B2      A0 A1 A2 --
//
// A revert is the way back, from the last sector to the first. Every step is noted in the trailer of the primary slot
// (MCUboot swap_offset.c: swap_run).
func (l *loader) swapOffset(i int, p *progress) {
	l.say("I: Starting swap using offset algorithm.")
	last := max(1, l.swapSectors(p.size)) - 1
	if p.at == 0 && !l.room(last, p) {
		return
	}
	if p.at < 2 {
		l.beginOffset(i, p)
	}
	used := l.usedSectors(i)
	back := l.reverts(i, p)
	for step := p.at; step < 2*(last+1); step++ {
		sector := step / 2
		if back {
			sector = last - sector
		}
		l.exchangeOffset(i, sector, step, back, used)
	}
	if back {
		l.erase(i, 1, 0) // a stale image there must not be taken for an update
		l.wipeTrailer(i, 1)
	}
}

// beginOffset writes the trailers. A revert is first noted in the secondary slot, as its status comes to where that of
// the trial is.
func (l *loader) beginOffset(i int, p *progress) {
	if p.kind == swapRevert && readTrailer(l.slot(i, 1)).magic == unset {
		l.wipeTrailer(i, 1)
		l.mark(i, 1, copyDoneFromEnd)
		l.begin(i, 1, p)
	}
	if !p.resumed {
		l.wipeTrailer(i, 0)
		l.begin(i, 0, p)
	}
	l.wipeTrailer(i, 1)
}

// reverts reports whether the image that was replaced comes back.
func (l *loader) reverts(i int, p *progress) bool {
	return p.kind == swapRevert || l.swapType(i) == swapRevert
}

// usedSectors is how many sectors the image of each slot takes. It goes by the trailer, for in the middle of a swap the
// TLVs are not in one piece.
func (l *loader) usedSectors(i int) (used [2]uint32) {
	loose := binary.LittleEndian.Uint32(l.slot(i, 0)[l.size-looseFromEnd:])
	for slot, h := range l.images[i].headers {
		size := uint32(h.headerSize) + uint32(h.protectedSize) + h.imageSize + loose>>(16*slot)&0xffff
		used[slot] = (size + Sector - 1) / Sector
	}
	return used
}

// exchangeOffset does one of the two steps that exchange a sector. What no image uses is not copied.
func (l *loader) exchangeOffset(i, sector, step int, back bool, used [2]uint32) {
	gap, far := sector, sector+1 // of the secondary slot: where the old sector goes, where the new one comes from
	if back {
		gap, far = far, gap
	}
	switch {
	case step%2 == 0 && uint32(sector) <= used[0]:
		l.erase(i, 1, gap*Sector)
		l.copySector(i, 0, sector*Sector, 1, gap*Sector)
	case step%2 == 1 && uint32(sector) <= used[1]:
		l.erase(i, 0, sector*Sector)
		l.copySector(i, 1, far*Sector, 0, sector*Sector)
	}
	l.note(i, step, byte(step%2+1))
}

// secondaryStart is where the image in a secondary slot starts: at the second sector, or at the first if a revert is to
// bring it back. If there is none, the other place will do.
func (l *loader) secondaryStart(i int, p *progress) int {
	kind := l.swapType(i)
	start, other := Sector, 0
	if kind == swapRevert || p != nil && p.kind == swapRevert {
		start = 0
	}
	if kind == swapRevert {
		other = Sector
	}
	if readHeader(l.slot(i, 1)[start:]).magic == imageMagic {
		return start
	}
	return other
}

// findOffset is where the header of a slot's image is in the middle of a swap.
func (l *loader) findOffset(i, slot int, p *progress) (n, off int) {
	last := max(1, l.swapSectors(l.readSwapSize(i))) - 1
	sector, half := p.at/2, p.at%2
	if l.reverts(i, p) {
		done := sector > last
		switch {
		case slot == 0 && (done || sector == last && half == 1):
			return 1, Sector
		case slot == 1 && done:
			return 0, 0
		}
		return slot, 0
	}
	switch {
	case slot == 0 && sector+1 <= last:
		return 1, 0 // at least one step is done
	case slot == 1 && sector > 0:
		return 0, 0
	case slot == 1:
		return 1, Sector
	}
	return 0, 0
}
