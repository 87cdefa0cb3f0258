package sim

import "encoding/binary"

// progress is how far a swap came (MCUboot struct boot_status).
type progress struct {
	at      int      // status entries that are written: steps of the swap that are complete
	resumed bool     // the trailer of the primary slot tells of a swap that is not complete
	kind    swapType // of the swap
	size    uint32   // bytes to swap
}

// readProgress reads the trailer of the primary slot, which keeps the progress as long as the swap lasts (MCUboot
// swap_misc.c: swap_read_status).
func (l *loader) readProgress(i int) progress {
	p := progress{kind: swapNone}
	a, b := readTrailer(l.slot(i, 0)), readTrailer(l.slot(i, 1))
	if a.magic != set || a.copyDone != unset || b.magic == set {
		return p
	}
	l.say("I: Boot source: primary slot")
	p.resumed = true
	slot := l.slot(i, 0)
	for n := range l.statusEntries() {
		if slot[l.statusOffset(n)] != erased {
			p.at = n + 1
		}
	}
	if info := slot[l.size-swapInfoFromEnd]; info != erased {
		p.kind = swapType(info & 0xf)
	}
	return p
}

// statusEntries is how many steps a swap can have.
func (l *loader) statusEntries() int { return l.sectors() * stepsPerSector(l.mode) }

// statusOffset is where in the trailer a step is noted.
func (l *loader) statusOffset(step int) int {
	return l.size - trailerSize(l.mode, l.size) + step*writeAlign
}

// note writes that a step is complete. The value tells the halves of an exchange apart. More steps than a trailer has
// room for, which only a damaged one asks for, first spoil the rest of the trailer and then are not noted.
func (l *loader) note(i, step int, value byte) {
	if off := l.statusOffset(step); off <= l.size-writeAlign {
		l.field(i, 0, l.size-off, []byte{value})
	}
}

// mark sets a flag of a trailer.
func (l *loader) mark(i, slot, fromEnd int) { l.field(i, slot, fromEnd, []byte{1}) }

// field writes a field of a trailer, filled up to a write unit.
func (l *loader) field(i, slot, fromEnd int, value []byte) {
	unit := [writeAlign]byte{erased, erased, erased, erased, erased, erased, erased, erased}
	copy(unit[:], value)
	l.write(i, slot, l.size-fromEnd, unit[:])
}

func (l *loader) writeMagic(i, slot int) { l.write(i, slot, l.size-magicFromEnd, []byte(bootMagic)) }

func (l *loader) swapSizeFromEnd() int {
	if l.mode == SwapOffset {
		return looseFromEnd + writeAlign
	}
	return swapInfoFromEnd + writeAlign
}

func (l *loader) writeSwapSize(i, slot int, size uint32) {
	l.field(i, slot, l.swapSizeFromEnd(), binary.LittleEndian.AppendUint32(nil, size))
}

func (l *loader) readSwapSize(i int) uint32 {
	return binary.LittleEndian.Uint32(l.slot(i, 0)[l.size-l.swapSizeFromEnd():])
}

// begin writes a new trailer for a swap. The magic comes last, so that what is there with it is complete (MCUboot
// swap_misc.c: swap_status_init).
func (l *loader) begin(i, slot int, p *progress) {
	if p.kind != swapNone {
		l.field(i, slot, swapInfoFromEnd, []byte{p.kind.info(i)})
	}
	if readTrailer(l.slot(i, 1)).imageOK == set {
		l.mark(i, slot, imageOKFromEnd)
	}
	l.writeSwapSize(i, slot, p.size)
	if l.mode == SwapOffset {
		loose := l.images[i].loose
		l.field(i, slot, looseFromEnd, binary.LittleEndian.AppendUint32(nil, uint32(loose[1])<<16|uint32(loose[0])))
	}
	l.writeMagic(i, slot)
}

// swapSectors is the number of sectors that hold a number of bytes. MCUboot counts them up in 32 bits, and never comes
// to an end for the largest numbers.
func (l *loader) swapSectors(size uint32) int {
	assert(size <= 0xffffffff-Sector+1, "counts the sectors of a swap without an end")
	return (int(size) + Sector - 1) / Sector
}

// room reports whether that many sectors leave enough for the trailer.
func (l *loader) room(sectors int, p *progress) bool {
	available := l.trailerStart() / Sector
	if sectors < available {
		return true
	}
	l.say("W: Not enough free space to run swap upgrade")
	l.say("W: required %d bytes but only %d are available", (sectors+1)*Sector, available*Sector)
	p.kind = swapNone
	return false
}
