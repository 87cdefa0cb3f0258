package dfu

import (
	"fmt"
	"slices"

	"github.com/smpctl/smpctl/smp"
)

// verdict is what a device's image lists say of a request that it answered with success.
type verdict int

// What cannot be seen is not done.
const (
	notDone verdict = iota
	doneNow
	doneBefore // nothing had to change
)

// Shown is nil if the image lists from before and after a request show that it is done, else an *[UndoneError].
//
// A device's success alone counts for nothing: servers ignore keys that they do not know, bootloaders that choose by
// version have nothing to mark, and MCUboot up to 1.10.0 takes a mark for a wish to see the list.
func (q Request) Shown(before, after smp.ImageList) error {
	if v, problem := q.verdict(before, after); v == notDone {
		return &UndoneError{q, problem}
	}
	return nil
}

// verdict is Shown with more to say. The text completes "the device answered with success, but …" for notDone; else it
// is a sentence for the user, or empty if there is nothing to add.
func (q Request) verdict(before, after smp.ImageList) (verdict, string) {
	switch q.Action {
	case MarkTest, MarkPermanent:
		return q.marked(before, after)
	case Confirm:
		return q.confirmed(before, after)
	case Erase:
		return q.erased(before, after)
	case Upload:
		return q.stored(before, after)
	}
	return notDone, "nothing shows what came of it"
}

// marked judges a mark by hash.
func (q Request) marked(before, after smp.ImageList) (verdict, string) {
	number, others, ok := q.holder(before)
	if !ok {
		number, others, ok = q.holder(after)
	}
	if !ok {
		return notDone, "does not list the image " + q.Hash.Short()
	}
	was, is := pairOf(before, number), pairOf(after, number)
	switch {
	case is.problem != "":
		return notDone, is.problem
	case !q.markedIn(is):
		return notDone, q.unmarked(was, is)
	}
	v, note := doneNow, ""
	if was.problem == "" && q.markedIn(was) {
		v = doneBefore
	}
	switch {
	case len(others) > 0:
		note = fmt.Sprintf("several images of the device have the hash %s; this is about image %d",
			q.Hash.Short(), number)
	case is.next == nil && !is.running.Hash.Equal(q.Hash):
		note = fmt.Sprintf("%s runs unconfirmed, and the next reset returns to %s", named(*is.running), q.Hash.Short())
	}
	return v, note
}

// markedIn reports whether a list shows what a mark wants.
func (q Request) markedIn(p pair) bool {
	if p.next != nil {
		return p.next.Hash.Equal(q.Hash) && p.next.Permanent == (q.Action == MarkPermanent)
	}
	if q.Action == MarkTest || p.running == nil {
		return false
	}
	if p.running.Hash.Equal(q.Hash) {
		return p.running.Confirmed
	}
	// What the bootloader returns to, because the running image is unconfirmed, needs no mark.
	return !p.running.Confirmed && slices.ContainsFunc(p.slots, func(s smp.ImageState) bool {
		return s.Confirmed && q.holds(s)
	})
}

// unmarked says what a list shows in the place of a mark.
func (q Request) unmarked(was, is pair) string {
	runs := is.running != nil && is.running.Hash.Equal(q.Hash)
	ran := was.running != nil && was.running.Hash.Equal(q.Hash)
	switch next := is.next; {
	case next != nil && !next.Hash.Equal(q.Hash):
		return fmt.Sprintf("lists %s as selected for the next boot", named(*next))
	case next != nil && next.Permanent && was.next != nil && was.next.Permanent:
		return fmt.Sprintf("lists %s as selected for good, not once: it was marked so before, and a mark stays "+
			"until its slot is erased", named(*next))
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
	case !slices.ContainsFunc(is.slots, q.holds):
		return fmt.Sprintf("does not list the image %s any more", q.Hash.Short())
	}
	return fmt.Sprintf("does not list %s as selected for the next boot", q.Hash.Short())
}

// confirmed judges a confirm of the running image.
func (q Request) confirmed(before, after smp.ImageList) (verdict, string) {
	was, known := application(before)
	is, runs := application(after)
	switch {
	case !known:
		return notDone, "did not list before which image runs"
	case !runs:
		return notDone, "does not list which image runs"
	case is.problem != "":
		return notDone, is.problem
	}
	if text := restarted(*was.running, *is.running); text != "" {
		return notDone, text
	}
	switch {
	case !is.running.Confirmed:
		return notDone, fmt.Sprintf("does not list the running %s as confirmed", named(*is.running))
	case is.next != nil:
		return notDone, fmt.Sprintf("lists %s as selected for the next boot: it replaces the running %s",
			named(*is.next), named(*is.running))
	case was.problem == "" && was.running.Confirmed && was.next == nil:
		return doneBefore, ""
	}
	return doneNow, ""
}
