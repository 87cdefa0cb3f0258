package dfu

import (
	"fmt"
	"slices"

	"github.com/smpctl/smpctl/smp"
)

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

// pair is what a list says of the slots of one image.
type pair struct {
	slots   []smp.ImageState
	running *smp.ImageState
	next    *smp.ImageState // selected for the next boot
	problem string          // the list contradicts itself, and shows nothing
}

func pairOf(l smp.ImageList, number int) pair {
	p := pair{running: device{Images: l}.running(number)}
	seen, active, pending := map[int]bool{}, 0, 0
	for _, s := range l.Images {
		if s.Image != number {
			continue
		}
		p.slots = append(p.slots, s)
		if seen[s.Slot] {
			p.problem = fmt.Sprintf("its list has %s twice", slot{number, s.Slot})
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

// holds reports whether a slot holds the image of the request.
func (q Request) holds(s smp.ImageState) bool { return s.Hash.Equal(q.Hash) }

// restarted says that another image runs than before; empty if not.
func restarted(was, is smp.ImageState) string {
	if was.Image == is.Image && was.Slot == is.Slot && sameImage(was, is) {
		return ""
	}
	return fmt.Sprintf("restarted meanwhile: it ran %s, and now runs %s", named(was), named(is))
}

// sameImage reports whether two entries are of one image. Bootloaders that list no hashes leave the version.
func sameImage(a, b smp.ImageState) bool {
	if len(a.Hash) == 0 && len(b.Hash) == 0 {
		return a.Version == b.Version
	}
	return a.Hash.Equal(b.Hash)
}

// named is an image for people: its version and the first digits of its hash.
func named(s smp.ImageState) string {
	if len(s.Hash) == 0 {
		return versionText(s)
	}
	return fmt.Sprintf("%s (%s)", versionText(s), s.Hash.Short())
}
