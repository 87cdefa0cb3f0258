package dfu

import (
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// state is what the device shows of one target.
type state int

const (
	stays         state = iota // it runs, and the next boot starts it again
	ends                       // it runs until the next reset
	runs                       // it runs; whether it stays cannot be known
	handedOver                 // it was taken out of its slot, and the device does not list what runs there
	inSlot                     // it is in its slot and does not run
	absent                     // it is nowhere, and another image runs
	contradictory              // two images of its number are said to run
	unlisted                   // the device does not say which image runs
)

// allRun reports whether there are targets and all of them run, as far as the device shows.
func allRun(d device, targets []Target) bool {
	for _, t := range targets {
		switch stateOf(d, t) {
		case stays, ends, runs, handedOver:
		default:
			return false
		}
	}
	return len(targets) > 0
}

// partlyTested is why an update cannot begin: it restarted after only some of the images were marked.
const partlyTested = "it runs on trial already, and the reset that the other images need would bring the old one " +
	"back: reset, and begin again"

// partialTest returns a target that runs for a test while another one still has to be booted: the reset for the one
// ends the other.
func partialTest(d device, targets []Target) (Target, bool) {
	for _, t := range targets {
		switch stateOf(d, t) {
		case absent, inSlot:
			return underTest(d, targets)
		}
	}
	return Target{}, false
}

// underTest returns a target that the next reset would end.
func underTest(d device, targets []Target) (Target, bool) {
	for _, t := range targets {
		if p := positionOf(d, t); p.running && !p.confirmed && canRevert(d) {
			return t, true
		}
	}
	return Target{}, false
}

// stateAfterBoot is the state of a target that the device was told to boot. In the slot of an image that the device
// does not list, it was refused or exchanged for an image that is the same.
func stateAfterBoot(d device, t Target) state {
	if d.unseen(t.Image) && !positionOf(d, t).pending {
		return handedOver
	}
	return stateOf(d, t)
}

// stateOf reads the state of a target from what the device shows. It takes the device's flags at their word and never
// makes up for a missing one: an image counts as staying only if nothing on the device speaks against it.
func stateOf(d device, t Target) state {
	p := positionOf(d, t)
	switch {
	case p.contradictory:
		return contradictory
	case p.active != nil && len(p.active.Hash) == 0:
		return unlisted
	case p.running && p.next != nil:
		return ends
	case p.running && d.Bootloader.Mode == smp.ModeUnknown && uncertain(d, p):
		return runs
	case p.running && p.confirmed: // or what it would go back to is the same image
		return stays
	case p.running:
		return ends
	case d.unseen(t.Image) && !p.listed:
		return handedOver
	case p.listed && (p.active != nil || d.unseen(t.Image)):
		return inSlot
	case p.active != nil:
		return absent
	}
	return unlisted
}

// uncertain reports whether it depends on what the device does not say, namely how its bootloader decides, whether an
// image that runs stays: where it may decide by version, a higher one would be next, and older servers confirm nothing.
func uncertain(d device, p position) bool {
	if d.StateWrite == nil {
		return p.active.Confirmed && p.newer != nil
	}
	return !*d.StateWrite && !p.active.Confirmed
}

// position is where on the device a target is, as its image list shows it.
type position struct {
	running       bool // it is the active image
	confirmed     bool // it is active and confirmed, or will be returned to
	listed        bool // in a slot that is not running
	pending       bool // in such a slot, and selected for the next boot
	permanent     bool // selected for good
	contradictory bool // the device says that two images of this number run

	active   *smp.ImageState
	fallback *smp.ImageState // the image to which the bootloader returns unless the active one is confirmed
	next     *smp.ImageState // another image than the active one, which the next boot starts
	newer    *smp.ImageState // another image of a higher version than the active one
}

func positionOf(d device, t Target) position {
	var p position
	for _, s := range d.Images.Images {
		if s.Image == t.Image {
			p.add(d, t, s)
		}
	}
	if p.active != nil && p.active.Confirmed {
		p.fallback = nil
	}
	if p.next == nil && choosesNewest(d) {
		p.next = p.newer
	}
	if p.next != nil && p.active != nil && p.next.Hash.Equal(p.active.Hash) {
		p.next = nil
	}
	return p
}

// add takes one slot of the target's image number into account.
func (p *position) add(d device, t Target, s smp.ImageState) {
	same := s.Hash.Equal(t.hash())
	if d.runs(s) {
		p.contradictory = p.contradictory || p.active != nil
		p.active = &s
		p.running = same && !p.contradictory
		p.confirmed = p.confirmed || same && s.Confirmed
		return
	}
	if same {
		p.listed = true
		p.pending = p.pending || s.Pending
		p.permanent = p.permanent || s.Pending && s.Permanent
		p.confirmed = p.confirmed || s.Confirmed
	}
	if s.Confirmed {
		p.fallback = &s
	}
	if s.Pending {
		p.next = &s
	}
	if newer(s, d.running(s.Image)) {
		p.newer = &s
	}
}

// newer reports whether s has a higher version than the image that runs.
func newer(s smp.ImageState, running *smp.ImageState) bool {
	if running == nil {
		return false
	}
	mine, err := image.ParseVersion(running.Version)
	theirs, failed := image.ParseVersion(s.Version)
	return err == nil && failed == nil && theirs.CompareIgnoringBuild(mine) > 0
}
