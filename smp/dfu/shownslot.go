package dfu

import (
	"fmt"
	"slices"
	"strings"

	"github.com/smpctl/smpctl/smp"
)

// erased judges an erase.
func (q Request) erased(before, after smp.ImageList) (verdict, string) {
	was, known := application(before)
	if known {
		is, runs := application(after)
		switch {
		case !runs:
			return notDone, "does not list any more which image runs"
		case is.problem != "":
			return notDone, is.problem
		}
		if text := restarted(*was.running, *is.running); text != "" {
			return notDone, text
		}
	}
	at := slot{q.Slot / 2, q.Slot % 2}
	if q.Slot < 0 {
		if !known {
			return notDone, "does not list which image runs, so nothing shows which slot it chose"
		}
		at = slot{was.running.Image, 1 - was.running.Slot%2}
	}
	gone := goneFrom(before, after)
	for _, s := range after.Images {
		if slotOf(s) == at {
			return notDone, fmt.Sprintf("still lists %s in %s%s", named(s), at, instead(gone))
		}
	}
	switch {
	case slices.ContainsFunc(gone, func(s smp.ImageState) bool { return slotOf(s) == at }):
		return doneNow, ""
	case len(gone) > 0:
		return notDone, fmt.Sprintf("listed nothing in %s before%s", at, instead(gone))
	}
	return doneBefore, fmt.Sprintf("%s listed no image before either: the device says that it is erased, "+
		"and nothing else shows it",
		at)
}

// goneFrom are the images that a device listed before and not after.
func goneFrom(before, after smp.ImageList) []smp.ImageState {
	var gone []smp.ImageState
	for _, s := range before.Images {
		if !slices.ContainsFunc(after.Images, func(o smp.ImageState) bool { return slotOf(o) == slotOf(s) }) {
			gone = append(gone, s)
		}
	}
	return gone
}

// instead names what was erased in the place of a slot.
func instead(gone []smp.ImageState) string {
	if len(gone) == 0 {
		return ""
	}
	var names []string
	for _, s := range gone {
		names = append(names, fmt.Sprintf("%s in %s", named(s), slotOf(s)))
	}
	return ", and has erased " + strings.Join(names, " and ")
}

// stored judges an upload.
func (q Request) stored(before, after smp.ImageList) (verdict, string) {
	is := pairOf(after, q.Image)
	switch {
	case is.problem != "":
		return notDone, is.problem
	case q.in(is):
		if q.in(pairOf(before, q.Image)) {
			return doneBefore, ""
		}
		return doneNow, ""
	case is.running == nil && slices.ContainsFunc(is.slots, q.holds):
		return notDone, fmt.Sprintf("does not list which of its images runs, and so not whether %s is in the "+
			"slot that is free",
			q.Hash.Short())
	case is.running != nil && q.holds(*is.running):
		return notDone, fmt.Sprintf("lists %s only as the running image, and not in the slot that is free",
			q.Hash.Short())
	}
	for _, s := range after.Images {
		if q.holds(s) {
			return notDone, fmt.Sprintf("lists %s in %s, and not in the free slot of image %d",
				q.Hash.Short(), slotOf(s), q.Image)
		}
	}
	return notDone, "does not list the image " + q.Hash.Short()
}

// in reports whether a slot that does not run holds the image. Of a pair of which no running image is listed, the
// secondary one does not.
func (q Request) in(p pair) bool {
	return slices.ContainsFunc(p.slots, func(s smp.ImageState) bool {
		return q.holds(s) && (p.running == nil && s.Slot != 0 || p.running != nil && slotOf(s) != slotOf(*p.running))
	})
}
