package sim

import "github.com/smpctl/smpctl/image"

// content says what the bootloader thinks of the bytes in a slot.
type content uint8

const (
	empty   content = iota // no header: there is nothing to boot
	invalid                // a header, but hash, signature, size or address do not fit
	valid
)

// candidate is a slot as the bootloader sees it.
type candidate struct {
	content content
	version image.Version
	needs   []image.Dependency
	trailer trailer
}

// move is what happens to the bytes of a pair of slots at boot.
type move uint8

const (
	keep        move = iota
	exchange         // swap the images
	exchangeIn       // the same, with the image of slot 1 at its second sector before and at its first after
	exchangeOut      // the way back
	copyOver         // slot 1 over slot 0, then slot 1 is wiped
)

// plan is what the bootloader does with one pair of slots at a reset.
type plan struct {
	run   int     // slot that runs afterwards; -1: nothing can
	erase [2]bool // slots that are erased before anything else
	move  move
	// marks are the fields written at the end, into an erased trailer after a move and on top of what is there
	// otherwise. A zero value writes nothing.
	marks [2]trailer
}

// rules are the build options of the bootloader that decide.
type rules struct {
	mode        Mode
	noDowngrade bool
}

// decideAll decides for each image. If a set of swapped images does not fit together, none of them is moved, and the
// candidates stay for a later boot (MCUboot loader.c: boot_verify_dependencies).
func (r rules) decideAll(pairs [][2]candidate) []plan {
	plans := make([]plan, len(pairs))
	next := make([]candidate, len(pairs)) // what would run
	for i, p := range pairs {
		plans[i] = r.decide(p[0], p[1])
		next[i] = p[0]
		if plans[i].move != keep {
			next[i] = p[1]
		}
	}
	if !r.mode.swaps() || fitTogether(next) {
		return plans
	}
	for i, p := range pairs {
		if plans[i].move != keep {
			plans[i] = stay(p[0])
		}
	}
	return plans
}

func fitTogether(running []candidate) bool {
	for _, c := range running {
		for _, need := range c.needs {
			n := int(need.Image)
			if n >= len(running) || running[n].content == empty || running[n].version.CompareIgnoringBuild(need.Minimum) < 0 {
				return false
			}
		}
	}
	return true
}

// stay boots the primary slot as it is.
func stay(a candidate) plan {
	if a.content != valid {
		return plan{run: -1}
	}
	return plan{run: 0}
}

// decide is the whole of the bootloader's mind for one image: what to do with slots a (primary) and b (secondary). It
// touches nothing (MCUboot bootutil/src/loader.c, docs/design.md).
func (r rules) decide(a, b candidate) plan {
	switch r.mode {
	case Swap, SwapOffset, Overwrite:
		return r.decideSwap(a, b)
	default:
		return r.decideDirect([2]candidate{a, b})
	}
}

// swapType is what the trailers of a pair ask for (MCUboot bootutil_public.h: BOOT_SWAP_TYPE_*).
type swapType uint8

const (
	swapNone swapType = iota
	swapTest
	swapPermanent
	swapRevert
)

// info is the number of the type in a trailer, where "none" has number 1.
func (t swapType) info() byte { return byte(t) + 1 }

// swapTypeOf is MCUboot's table of trailers, first match first (bootutil_public.c: boot_swap_tables).
func swapTypeOf(primary, secondary trailer) swapType {
	switch {
	case secondary.magic == set && secondary.imageOK == unset:
		return swapTest
	case secondary.magic == set && secondary.imageOK == set:
		return swapPermanent
	case primary.magic == set && primary.imageOK == unset && primary.copyDone == set && secondary.magic == unset:
		return swapRevert
	}
	return swapNone
}

func (r rules) decideSwap(a, b candidate) plan {
	t := swapTypeOf(a.trailer, b.trailer)
	if t == swapNone || r.mode == Overwrite && t == swapRevert {
		return stay(a)
	}
	if !r.accepts(a, b) {
		// The candidate is wiped and the old image marked as good, so that the next boot does not try again. Nobody
		// is told.
		p := stay(a)
		p.erase[1] = true
		p.marks[0] = trailer{imageOK: set, copyDone: set}
		return p
	}
	if r.mode == Overwrite {
		return plan{run: 0, move: copyOver}
	}
	p := plan{run: 0, move: r.exchange(t)}
	p.marks[0] = trailer{magic: set, copyDone: set, swapInfo: t.info()}
	if t != swapTest {
		p.marks[0].imageOK = set
	}
	return p
}

func (r rules) exchange(t swapType) move {
	switch {
	case r.mode != SwapOffset:
		return exchange
	case t == swapRevert:
		return exchangeOut
	}
	return exchangeIn
}

// accepts reports whether the image in the secondary slot may replace the one in the primary.
func (r rules) accepts(a, b candidate) bool {
	if b.content != valid {
		return false
	}
	return !r.noDowngrade || a.content == empty || b.version.CompareIgnoringBuild(a.version) >= 0
}

// decideDirect tries the slots from the highest version down and wipes each one that cannot run, as a bootloader does
// whose slots are equals.
func (r rules) decideDirect(s [2]candidate) plan {
	p := plan{run: -1}
	for _, n := range byVersion(s) {
		if s[n].content == empty {
			continue
		}
		if r.mode == DirectXIPRevert {
			t := s[n].trailer
			if t.magic != set || t.copyDone == set && t.imageOK != set {
				// Never marked for boot, or tried once and not confirmed since.
				p.erase[n] = true
				continue
			}
			if t.copyDone == unset {
				p.marks[n].copyDone = set
			}
		}
		if s[n].content == valid {
			p.run = n
			return p
		}
		p.erase[n] = true
		p.marks[n] = trailer{}
	}
	return p
}

// byVersion orders the slots as they are tried: the higher version first, slot 0 if they are equal.
func byVersion(s [2]candidate) [2]int {
	if s[1].version.CompareIgnoringBuild(s[0].version) > 0 && s[1].content != empty || s[0].content == empty {
		return [2]int{1, 0}
	}
	return [2]int{0, 1}
}

// apply carries the plan out on the bytes of the two slots.
func (p plan) apply(a, b []byte) {
	for n, slot := range [2][]byte{a, b} {
		if p.erase[n] {
			fill(slot, erased)
		}
	}
	body := len(a) - trailerSize(len(a))
	switch p.move {
	case exchange:
		swapBytes(a, b, body)
	case exchangeIn:
		copy(b, b[Sector:body])
		swapBytes(a, b, body-Sector)
	case exchangeOut:
		swapBytes(a, b, body-Sector)
		copy(b[Sector:body], b)
		fill(b[:Sector], erased)
	case copyOver:
		copy(a, b[:body])
		fill(a[body:], erased)
		// The header and the trailer of the copied image go, or it would be copied again.
		fill(b[:Sector], erased)
		fill(b[body:], erased)
	}
	p.marks[0].put(a)
	p.marks[1].put(b)
}

// swapBytes exchanges the first n bytes and erases the rest.
func swapBytes(a, b []byte, n int) {
	for i := range n {
		a[i], b[i] = b[i], a[i]
	}
	fill(a[n:], erased)
	fill(b[n:], erased)
}
