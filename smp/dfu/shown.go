package dfu

import (
	"fmt"
	"slices"

	"github.com/smpctl/smpctl/smp"
)

// Erase is the action of a [Request] that empties a slot; no update takes it.
const Erase Action = "erase"

// Request is one thing that a device was asked to do with its slots.
//
//	MarkTest       boot the image with Hash once, at the next reset
//	MarkPermanent  boot the image with Hash from the next reset on; or keep it, if it runs
//	Confirm        keep the image that runs
//	Erase          empty Slot
//	Upload         put the image with Hash into the slot of Image that does not run
type Request struct {
	Action Action
	Image  int      // number of the image; of an upload only
	Hash   smp.Hash // of a mark and an upload
	Slot   int      // of an erase, counted over all images: image × 2 + slot; [smp.SlotDefault] if the device chooses
}

// Word is what a device's image lists say of a request that it answered with success.
type Word int

// The words. What cannot be seen is not done.
const (
	Undone Word = iota
	DoneNow
	DoneBefore // nothing had to change
)

// String gives the word in English.
func (w Word) String() string { return [...]string{"undone", "done", "done before"}[w] }

// Shown says whether the image lists from before and after a request show that it is done. The text completes "the
// device answered with success, but …" for Undone; else it is a sentence for the user, or empty if there is nothing to
// add.
//
// A device's success alone counts for nothing: servers ignore keys that they do not know, bootloaders that choose by
// version have nothing to mark, and MCUboot up to 1.10.0 takes a mark for a wish to see the list.
func Shown(before, after smp.ImageList, q Request) (Word, string) {
	switch q.Action {
	case MarkTest, MarkPermanent:
		return q.marked(before, after)
	case Confirm:
		return q.kept(before, after)
	case Erase:
		return q.erased(before, after)
	case Upload:
		return q.stored(before, after)
	}
	return Undone, "nothing shows what came of it"
}

// pair is what a list says of the slots of one image.
type pair struct {
	slots   []smp.ImageState
	running *smp.ImageState
	next    *smp.ImageState // selected for the next boot
	problem string          // the list contradicts itself, and shows nothing
}

func pairOf(l smp.ImageList, number int) pair {
	p := pair{running: Device{Images: l}.running(number)}
	seen, active, pending := map[int]bool{}, 0, 0
	for _, s := range l.Images {
		if s.Image != number {
			continue
		}
		p.slots = append(p.slots, s)
		if seen[s.Slot] {
			p.problem = fmt.Sprintf("its list has %s twice", place{number, s.Slot})
		}
		seen[s.Slot] = true
		if s.Active {
			active++
		}
		if s.Pending {
			pending++
			p.next = &s
		}
	}
	switch {
	case p.problem != "":
	case active > 1:
		p.problem = fmt.Sprintf("its list has %d running images for image %d", active, number)
	case pending > 1:
		p.problem = fmt.Sprintf("its list has %d images selected for the next boot of image %d", pending, number)
	}
	return p
}

// String names a slot for people.
func (p place) String() string { return fmt.Sprintf("slot %d of image %d", p.slot, p.image) }

// placeOf is where a listed image is.
func placeOf(s smp.ImageState) place { return place{s.Image, s.Slot} }

// named is an image for people: its version and the first digits of its hash.
func named(s smp.ImageState) string {
	if len(s.Hash) == 0 {
		return Describe(s)
	}
	return fmt.Sprintf("%s (%s)", Describe(s), s.Hash.Short())
}

// sameImage reports whether two entries are of one image. Bootloaders that list no hashes leave the version.
func sameImage(a, b smp.ImageState) bool {
	if len(a.Hash) == 0 && len(b.Hash) == 0 {
		return a.Version == b.Version
	}
	return a.Hash.Equal(b.Hash)
}

// holder is the number of the image that a mark is about: of the first slot that holds the hash, for that is the one
// that servers take.
func (q Request) holder(l smp.ImageList) (number int, others []int, ok bool) {
	var numbers []int
	for _, s := range l.Images {
		if s.Hash.Equal(q.Hash) {
			numbers = append(numbers, s.Image)
		}
	}
	if len(numbers) == 0 {
		return 0, nil, false
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	return numbers[0], numbers[1:], true
}

// marked judges a mark by hash.
func (q Request) marked(before, after smp.ImageList) (Word, string) {
	number, others, ok := q.holder(before)
	if !ok {
		number, others, ok = q.holder(after)
	}
	if !ok {
		return Undone, "does not list the image " + q.Hash.Short()
	}
	was, is := pairOf(before, number), pairOf(after, number)
	switch {
	case is.problem != "":
		return Undone, is.problem
	case !q.stands(is):
		return Undone, q.missing(was, is)
	}
	word, note := DoneNow, ""
	if was.problem == "" && q.stands(was) {
		word = DoneBefore
	}
	switch {
	case len(others) > 0:
		note = fmt.Sprintf("several images of the device have the hash %s; this is about image %d", q.Hash.Short(), number)
	case is.next == nil && !is.running.Hash.Equal(q.Hash):
		note = fmt.Sprintf("%s runs unconfirmed, and the next reset returns to %s", named(*is.running), q.Hash.Short())
	}
	return word, note
}

// stands reports whether a list shows what a mark wants.
func (q Request) stands(p pair) bool {
	if p.next != nil {
		return p.next.Hash.Equal(q.Hash) && p.next.Permanent == (q.Action == MarkPermanent)
	}
	if q.Action == MarkTest || p.running == nil {
		return false
	}
	if p.running.Hash.Equal(q.Hash) {
		return p.running.Confirmed
	}
	// What the bootloader returns to, because the running image is on trial, needs no mark.
	return !p.running.Confirmed && slices.ContainsFunc(p.slots, func(s smp.ImageState) bool { return s.Confirmed && s.Hash.Equal(q.Hash) })
}

// missing says what a list shows in the place of a mark.
func (q Request) missing(was, is pair) string {
	runs := is.running != nil && is.running.Hash.Equal(q.Hash)
	ran := was.running != nil && was.running.Hash.Equal(q.Hash)
	switch next := is.next; {
	case next != nil && !next.Hash.Equal(q.Hash):
		return fmt.Sprintf("lists %s as selected for the next boot", named(*next))
	case next != nil && next.Permanent && was.next != nil && was.next.Permanent:
		return fmt.Sprintf("lists %s as selected for good, not once: it was marked so before, and a mark stays until its slot is erased", named(*next))
	case next != nil && next.Permanent:
		return fmt.Sprintf("lists %s as selected for good, not once", named(*next))
	case next != nil:
		return fmt.Sprintf("lists %s as selected for one boot only", named(*next))
	case runs && !ran && was.running != nil:
		return fmt.Sprintf("restarted meanwhile: it ran %s, and now runs %s", named(*was.running), named(*is.running))
	case runs && q.Action == MarkTest:
		return fmt.Sprintf("runs %s already", named(*is.running))
	case runs:
		return fmt.Sprintf("runs %s, and does not list it as confirmed", named(*is.running))
	case !slices.ContainsFunc(is.slots, func(s smp.ImageState) bool { return s.Hash.Equal(q.Hash) }):
		return fmt.Sprintf("does not list the image %s any more", q.Hash.Short())
	}
	return fmt.Sprintf("does not list %s as selected for the next boot", q.Hash.Short())
}

// application is the image that answers: the running one of image 0, or else the first that runs.
func application(l smp.ImageList) (pair, bool) {
	if p := pairOf(l, 0); p.running != nil {
		return p, true
	}
	for _, s := range l.Images {
		if s.Active {
			return pairOf(l, s.Image), true
		}
	}
	return pair{}, false
}

// kept judges a confirm of the running image.
func (q Request) kept(before, after smp.ImageList) (Word, string) {
	was, known := application(before)
	is, runs := application(after)
	switch {
	case !known:
		return Undone, "did not list before which image runs"
	case !runs:
		return Undone, "does not list which image runs"
	case is.problem != "":
		return Undone, is.problem
	}
	if text := restarted(*was.running, *is.running); text != "" {
		return Undone, text
	}
	switch {
	case !is.running.Confirmed:
		return Undone, fmt.Sprintf("does not list the running %s as confirmed", named(*is.running))
	case is.next != nil:
		return Undone, fmt.Sprintf("lists %s as selected for the next boot: it replaces the running %s", named(*is.next), named(*is.running))
	case was.problem == "" && was.running.Confirmed && was.next == nil:
		return DoneBefore, ""
	}
	return DoneNow, ""
}

// restarted says that another image runs than before; empty if not.
func restarted(was, is smp.ImageState) string {
	if was.Image == is.Image && was.Slot == is.Slot && sameImage(was, is) {
		return ""
	}
	return fmt.Sprintf("restarted meanwhile: it ran %s, and now runs %s", named(was), named(is))
}
