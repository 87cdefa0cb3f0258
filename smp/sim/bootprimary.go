package sim

// swapType is what the trailers of a pair ask for, in MCUboot's numbers (bootutil_public.h: BOOT_SWAP_TYPE_*).
type swapType uint8

const (
	swapNone swapType = iota + 1
	swapTest
	swapPermanent
	swapRevert
	swapFail // was under way, and the image is not valid any more
)

// info is the byte in a trailer that says what a swap is for.
func (t swapType) info(number int) byte { return byte(number)<<4 | byte(t) }

// moves reports whether images are moved.
func (t swapType) moves() bool { return t == swapTest || t == swapPermanent || t == swapRevert }

// swapTypeOf is MCUboot's table of trailers, first match first (bootutil_public.c: boot_swap_tables).
func swapTypeOf(m Mode, primary, secondary trailer) swapType {
	switch {
	case m == SwapOffset && secondary.magic == set && secondary.imageOK == unset && secondary.copyDone == set:
		return swapRevert // one that was about to begin
	case secondary.magic == set && secondary.imageOK == unset:
		return swapTest
	case secondary.magic == set && secondary.imageOK == set:
		return swapPermanent
	case primary.magic == set && primary.imageOK == unset && primary.copyDone == set:
		return swapRevert
	}
	return swapNone
}

func (l *loader) swapType(i int) swapType {
	return swapTypeOf(l.mode, readTrailer(l.slot(i, 0)), readTrailer(l.slot(i, 1)))
}

// bootPrimary boots from the primary slots: it finishes what was interrupted, finds out what is to be moved, moves it,
// and checks what is to run then.
func (l *loader) bootPrimary() bool {
	var p progress
	upgrades := false
	for i := range l.images {
		p = l.prepare(i)
		upgrades = upgrades || l.images[i].swap.moves()
	}
	if len(l.images) > 1 && upgrades && !l.needsMet() {
		for i := range l.images {
			l.images[i].swap = swapNone
		}
	}
	for i := range l.images {
		if len(l.images) > 1 {
			p = progress{}
		}
		p.kind = l.images[i].swap
		l.update(i, &p)
	}
	for i := range l.images {
		if l.images[i].swap != swapNone {
			l.readHeaders(i, nil)
		}
		if !l.boots(i, 0, &p, 0) {
			return false
		}
	}
	return true
}

// prepare finds out what is to be done for an image, and finishes an interrupted swap (MCUboot loader.c:
// boot_prepare_image_for_update).
func (l *loader) prepare(i int) progress {
	state := &l.images[i]
	l.readHeaders(i, nil)
	p := progress{kind: swapNone}
	if l.mode != Overwrite {
		p = l.readProgress(i)
		if !l.readHeaders(i, &p) {
			l.say("W: Failed reading image headers; Image=%d", i)
			state.swap = swapNone
			return p
		}
	}
	if p.at > 0 {
		l.review(i)
		l.swap(i, &p)
		l.markMoved(i, p.kind)
		l.readHeaders(i, nil)
		state.swap = swapNone
		return p
	}
	switch {
	case p.kind == swapNone:
		state.swap = l.wanted(i, &p)
	case l.boots(i, 1, &p, 0):
		state.swap = p.kind
	default:
		state.swap = swapFail
	}
	if state.swap != swapNone && state.swap != swapRevert {
		l.review(i)
	}
	return p
}

var swapNames = [...]string{swapNone: "none", swapTest: "test", swapPermanent: "perm", swapRevert: "revert"}

// wanted is what the trailers ask for, if the image for it is good.
func (l *loader) wanted(i int, p *progress) swapType {
	t := l.swapType(i)
	l.say("I: Image index: %d, Swap type: %s", i, swapNames[t])
	if t.moves() && !l.boots(i, 1, p, t) {
		return swapNone
	}
	return t
}

// review takes back the reverts of earlier images: this one is in the middle of a move, or at the beginning of one, so
// they were moved only just now, before a reset, and never ran (MCUboot loader.c: boot_review_image_swap_types).
func (l *loader) review(i int) {
	for n := range i {
		if l.images[n].swap == swapRevert {
			l.images[n].swap = swapNone
		}
	}
}

// update does what was decided for an image.
func (l *loader) update(i int, p *progress) {
	state := &l.images[i]
	switch state.swap {
	case swapNone:
	case swapTest, swapPermanent, swapRevert:
		if state.swap != swapRevert && l.downgrades(i) {
			state.swap = swapNone
			return
		}
		if l.mode == Overwrite {
			l.overwrite(i)
			return
		}
		l.measure(i, p)
		l.swap(i, p)
		l.markMoved(i, state.swap)
	case swapFail:
		if l.mode != Overwrite {
			l.markGood(i)
		}
	default:
		panic(halt("the trailer asks for a swap of a type that does not exist"))
	}
}

// downgrades reports whether an update is refused for its version. A revert never is (MCUboot loader.c:
// check_downgrade_prevention; an overwrite is refused earlier).
func (l *loader) downgrades(i int) bool {
	if !l.noDowngrade || l.mode == Overwrite || !l.older(i) {
		return false
	}
	l.say("I: Image %d in slot 1 erased due to downgrade prevention", i)
	l.wipe(i, 1)
	return true
}

// measure finds the number of bytes to swap: those of the larger image.
func (l *loader) measure(i int, p *progress) {
	p.size = 0
	for slot, h := range l.images[i].headers {
		if h.magic != imageMagic {
			continue
		}
		size, ok := h.totalSize(l.slot(i, slot), l.startOf(i, slot))
		assert(ok, "the size of an image to swap cannot be read")
		l.images[i].loose[slot], _ = h.unprotected(l.slot(i, slot), l.startOf(i, slot))
		p.size = max(p.size, size)
	}
}

// swap exchanges the images, from where it stopped if it was interrupted.
func (l *loader) swap(i int, p *progress) {
	l.moved++
	if p.at > 0 {
		p.size = l.readSwapSize(i)
	}
	if l.mode == SwapOffset {
		l.swapOffset(i, p)
	} else {
		l.swapMove(i, p)
	}
}

// markMoved says in the trailer that a move is complete, and that what is there now stays, unless it is on trial.
func (l *loader) markMoved(i int, t swapType) {
	if t == swapPermanent || t == swapRevert {
		l.markGood(i)
	}
	if t.moves() {
		l.mark(i, 0, copyDoneFromEnd)
	}
}

// markGood keeps the image in the primary slot for good.
func (l *loader) markGood(i int) {
	if readTrailer(l.slot(i, 0)).imageOK == unset {
		l.mark(i, 0, imageOKFromEnd)
	}
}
