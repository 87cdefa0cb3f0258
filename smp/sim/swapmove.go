package sim

// swapMove exchanges the images of a pair without another place to put anything: first it moves the image of the
// primary slot up by one sector, beginning at its end, then it exchanges sector by sector:
//
//	primary    A0 A1 A2 --      -- A0 A1 A2      B0 A0 A1 A2      B0 B1 A1 A2      B0 B1 B2 A2
//	secondary  B0 B1 B2 --      B0 B1 B2 --      A0 B1 B2 --      A0 A1 B2 --      A0 A1 A2 --
//
// Every step is noted in the trailer of the primary slot, one for each sector that moves up and two for each that is
// exchanged, so that a run that was interrupted goes on where it was (MCUboot swap_move.c: swap_run).
func (l *loader) swapMove(i int, p *progress) {
	l.say("I: Starting swap using move algorithm.")
	count := max(1, l.swapSectors(p.size))
	if p.at == 0 && !l.room(count, p) {
		return
	}
	if p.at == 0 && p.kind == swapRevert && readTrailer(l.slot(i, 1)).magic == unset {
		l.beginRevert(i, p)
	}
	at := p.at - l.sectors() // steps of the exchange that are complete
	for step := p.at; step < count && at < 0; step++ {
		l.moveUp(i, count-step, step, p)
	}
	for step := max(0, at); step < 2*count; step++ {
		l.exchange(i, step/2, step)
	}
}

// beginRevert makes a revert look like a permanent update. Its status is about to be written where that of the trial
// is, and a reset in between must not find nothing.
func (l *loader) beginRevert(i int, p *progress) {
	l.wipeTrailer(i, 1)
	l.mark(i, 1, imageOKFromEnd)
	l.writeSwapSize(i, 1, p.size)
	l.writeMagic(i, 1)
}

// moveUp moves the sector below to a sector of the primary slot.
func (l *loader) moveUp(i, sector, step int, p *progress) {
	if step == 0 {
		if !p.resumed {
			l.wipeTrailer(i, 0)
			l.begin(i, 0, p)
		}
		l.wipeTrailer(i, 1)
	}
	l.erase(i, 0, sector*Sector)
	l.copySector(i, 0, (sector-1)*Sector, 0, sector*Sector)
	l.note(i, step, 1)
}

// exchange does one of the two steps that exchange a sector: first the new one comes to the primary slot, then the old
// one to the secondary.
func (l *loader) exchange(i, sector, step int) {
	from, to, up := 1, 0, 0
	if step%2 == 1 {
		from, to, up = 0, 1, 1
	}
	l.erase(i, to, sector*Sector)
	l.copySector(i, from, (sector+up)*Sector, to, sector*Sector)
	l.note(i, l.sectors()+step, byte(step%2+1))
}

// findMoved is where the header of a slot's image is in the middle of a swap.
func (l *loader) findMoved(i, slot int, p *progress) (n, off int) {
	count := max(1, l.swapSectors(l.readSwapSize(i)))
	at := p.at - l.sectors()
	switch {
	case at < 0: // moves up
		if slot == 0 && p.at >= count {
			return 0, Sector
		}
	case at >= 2*count:
	case at >= 2: // the first sectors are exchanged
		return 1 - slot, 0
	case slot == 0:
		return 0, Sector
	case at == 1:
		return 0, 0
	}
	return slot, 0
}
