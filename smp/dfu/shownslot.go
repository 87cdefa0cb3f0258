package dfu

import (
	"fmt"
	"slices"
	"strings"

	"github.com/smpctl/smpctl/smp"
)

// erased judges an erase.
func (q Request) erased(before, after smp.ImageList) (Word, string) {
	was, known := application(before)
	if known {
		is, runs := application(after)
		switch {
		case !runs:
			return Undone, "does not list any more which image runs"
		case is.problem != "":
			return Undone, is.problem
		}
		if text := restarted(*was.running, *is.running); text != "" {
			return Undone, text
		}
	}
	slot := place{q.Slot / 2, q.Slot % 2}
	if q.Slot < 0 {
		if !known {
			return Undone, "does not list which image runs, so nothing shows which slot it chose"
		}
		slot = place{was.running.Image, 1 - was.running.Slot%2}
	}
	gone := vanished(before, after)
	for _, s := range after.Images {
		if placeOf(s) == slot {
			return Undone, fmt.Sprintf("still lists %s in %s%s", named(s), slot, instead(gone))
		}
	}
	switch {
	case slices.ContainsFunc(gone, func(s smp.ImageState) bool { return placeOf(s) == slot }):
		return DoneNow, ""
	case len(gone) > 0:
		return Undone, fmt.Sprintf("listed nothing in %s before%s", slot, instead(gone))
	}
	return DoneBefore, fmt.Sprintf("%s listed no image before either: the device says that it is erased, and nothing else shows it", slot)
}

// vanished are the images that a device listed before and not after.
func vanished(before, after smp.ImageList) []smp.ImageState {
	var gone []smp.ImageState
	for _, s := range before.Images {
		if !slices.ContainsFunc(after.Images, func(o smp.ImageState) bool { return placeOf(o) == placeOf(s) }) {
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
		names = append(names, fmt.Sprintf("%s in %s", named(s), placeOf(s)))
	}
	return ", and has erased " + strings.Join(names, " and ")
}

// stored judges an upload.
func (q Request) stored(before, after smp.ImageList) (Word, string) {
	is := pairOf(after, q.Image)
	switch {
	case is.problem != "":
		return Undone, is.problem
	case q.in(is):
		if q.in(pairOf(before, q.Image)) {
			return DoneBefore, ""
		}
		return DoneNow, ""
	case is.running == nil && slices.ContainsFunc(is.slots, q.holds):
		return Undone, fmt.Sprintf("does not list which of its images runs, and so not whether %s is in the slot that is free", q.Hash.Short())
	case is.running != nil && q.holds(*is.running):
		return Undone, fmt.Sprintf("lists %s only as the running image, and not in the slot that is free", q.Hash.Short())
	}
	for _, s := range after.Images {
		if q.holds(s) {
			return Undone, fmt.Sprintf("lists %s in %s, and not in the free slot of image %d", q.Hash.Short(), placeOf(s), q.Image)
		}
	}
	return Undone, "does not list the image " + q.Hash.Short()
}

func (q Request) holds(s smp.ImageState) bool { return s.Hash.Equal(q.Hash) }

// in reports whether a slot that does not run holds the image. Of a pair of which no running image is listed, the
// secondary one does not.
func (q Request) in(p pair) bool {
	return slices.ContainsFunc(p.slots, func(s smp.ImageState) bool {
		return q.holds(s) && (p.running == nil && s.Slot != 0 || p.running != nil && placeOf(s) != placeOf(*p.running))
	})
}
