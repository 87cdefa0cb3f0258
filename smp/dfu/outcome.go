package dfu

import "github.com/smpctl/smpctl/smp"

// standing is what the device shows of one target.
type standing int

const (
	stays   standing = iota // it runs, and the next boot starts it again
	ends                    // it runs until the next reset
	runs                    // it runs; whether it stays cannot be known
	handed                  // it was taken out of its slot, and the device does not list what runs there
	waiting                 // it is in its slot and does not run
	gone                    // it is nowhere, and another image runs
	torn                    // two images of its number are said to run
	unshown                 // the device does not say which image runs
)

// standingOf reads the standing of a target from what the device shows. It takes the device's flags at their word and
// never makes up for a missing one: an image counts as staying only if nothing on the device speaks against it.
func standingOf(d Device, t Target) standing {
	p := positionOf(d, t)
	switch {
	case p.torn:
		return torn
	case p.active != nil && len(p.active.Hash) == 0:
		return unshown
	case p.running && p.rival != nil:
		return ends
	case p.running && d.Bootloader.Mode == smp.ModeUnknown && uncertain(d, p):
		return runs
	case p.running && p.confirmed: // or what it would go back to is the same image
		return stays
	case p.running:
		return ends
	case d.unseen(t.Image) && !p.listed:
		return handed
	case p.listed && (p.active != nil || d.unseen(t.Image)):
		return waiting
	case p.active != nil:
		return gone
	}
	return unshown
}

// afterBoot is the standing of a target that the device was told to boot. In the slot of an image that the device does
// not list, it was refused or exchanged for an image that is the same.
func afterBoot(d Device, t Target) standing {
	if d.unseen(t.Image) && !positionOf(d, t).pending {
		return handed
	}
	return standingOf(d, t)
}

// uncertain reports whether it depends on what the device does not say, namely how its bootloader decides, whether an
// image that runs stays: where it may decide by version, a higher one would be next, and older servers confirm nothing.
func uncertain(d Device, p position) bool {
	if d.StateWrite == nil {
		return p.active.Confirmed && p.newer != nil
	}
	return !*d.StateWrite && !p.active.Confirmed
}

// outcome names the result of an update, from what the device showed before its first step and after its last. It is
// the only place that does: whatever else looks at a target asks [standingOf] too. The error is a *[NotRunningError];
// with it the result says what the device does instead.
func outcome(before, after Device, targets []Target, mode Mode) (Result, error) {
	already, known, lasting := true, true, true
	for _, t := range targets {
		p := positionOf(after, t)
		if mode == UploadOnly {
			if started := p.running && !positionOf(before, t).running; !p.listed && !started {
				return Unverified, missing(after, t, NotListed)
			}
			known = known && (p.active != nil || after.unseen(t.Image)) // else it may be the slot that runs
			continue
		}
		switch afterBoot(after, t) {
		case gone:
			return Reverted, missing(after, t, Rejected)
		case waiting:
			return Reverted, missing(after, t, WentBack)
		case unshown:
			return Unverified, missing(after, t, NotShown)
		case torn:
			return Unverified, missing(after, t, Contradicts)
		case handed, runs:
			known = false
		case ends:
			if mode != Test {
				return RunningUnconfirmed, missing(after, t, notConfirmed(after, t))
			}
			lasting = false
		}
		already = already && standingOf(before, t) == stays
	}
	switch {
	case !known:
		return Unverified, nil
	case mode == UploadOnly:
		return Uploaded, nil
	case !lasting:
		return RunningUnconfirmed, nil
	case already:
		return AlreadyRunning, nil
	}
	return Confirmed, nil
}

// notConfirmed is why an image that runs does not stay.
func notConfirmed(d Device, t Target) Reason {
	if positionOf(d, t).rival != nil {
		return OtherSelected
	}
	return NotConfirmed
}

// recovered names the result of a serial recovery, from what the application lists after it. A target in another slot
// than the primary one does not run by itself.
func recovered(after Device, targets []Target, places []place) (Result, error) {
	result := Uploaded
	for i, t := range targets {
		if places[i].slot != 0 {
			continue
		}
		at := Target{Image: places[i].image, File: t.File}
		switch standingOf(after, at) {
		case stays, runs:
			result = Recovered
		case ends:
			return RunningUnconfirmed, missing(after, at, notConfirmed(after, at))
		case handed, unshown:
			return Unverified, missing(after, t, NotShown)
		case torn:
			return Unverified, missing(after, t, Contradicts)
		default:
			return NotRunning, &NotRunningError{Reason: OtherRuns, Image: t.Image, Wanted: t.Hash(), Running: positionOf(after, at).active}
		}
	}
	return result, nil
}

// missing is the error for a target that is not where it should be.
func missing(d Device, t Target, why Reason) *NotRunningError {
	return &NotRunningError{Reason: why, Image: t.Image, Wanted: t.Hash(), Running: positionOf(d, t).active}
}
