package dfu

// outcome names the result of an update, from what the device showed before its first step and after its last. It is
// the only place that does: whatever else looks at a target asks [stateOf] too. The error is a *[NotRunningError]; with
// it the result says what the device does instead.
func outcome(before, after device, targets []Target, mode Mode) (Result, error) {
	if mode == UploadOnly {
		return uploadOutcome(before, after, targets)
	}
	already, known, lasting := true, true, true
	for _, t := range targets {
		switch stateAfterBoot(after, t) {
		case absent:
			return Reverted, notRunning(after, t, Rejected)
		case inSlot:
			return Reverted, notRunning(after, t, RevertedOrRefused)
		case unlisted:
			return Unverified, notRunning(after, t, NotShown)
		case contradictory:
			return Unverified, notRunning(after, t, Contradicts)
		case handedOver, runs:
			known = false
		case ends:
			if mode != Test {
				return RunningUnconfirmed, notRunning(after, t, notConfirmed(after, t))
			}
			lasting = false
		}
		already = already && stateOf(before, t) == stays
	}
	switch {
	case !known:
		return Unverified, nil
	case !lasting:
		return RunningUnconfirmed, nil
	case already:
		return AlreadyRunning, nil
	}
	return Confirmed, nil
}

// uploadOutcome names the result of an update that boots nothing.
func uploadOutcome(before, after device, targets []Target) (Result, error) {
	known := true
	for _, t := range targets {
		p := positionOf(after, t)
		if started := p.running && !positionOf(before, t).running; !p.listed && !started {
			return Unverified, notRunning(after, t, NotListed)
		}
		known = known && (p.active != nil || after.unseen(t.Image)) // else it may be the slot that runs
	}
	if !known {
		return Unverified, nil
	}
	return Uploaded, nil
}

// recoveryOutcome names the result of a serial recovery, from what the application lists after it. A target in another
// slot than the primary one does not run by itself.
func recoveryOutcome(after device, targets []Target, slots []slot) (Result, error) {
	result := Uploaded
	for i, t := range targets {
		if slots[i].number != 0 {
			continue
		}
		at := Target{Image: slots[i].image, File: t.File}
		switch stateOf(after, at) {
		case stays, runs:
			result = Recovered
		case ends:
			return RunningUnconfirmed, notRunning(after, at, notConfirmed(after, at))
		case handedOver, unlisted:
			return Unverified, notRunning(after, t, NotShown)
		case contradictory:
			return Unverified, notRunning(after, t, Contradicts)
		default:
			other := notRunning(after, at, OtherRuns)
			other.Image = t.Image
			return NotRunning, other
		}
	}
	return result, nil
}

// notConfirmed is why an image that runs does not stay.
func notConfirmed(d device, t Target) Reason {
	if positionOf(d, t).next != nil {
		return OtherSelected
	}
	return NotConfirmed
}

// notRunning is the error for a target that does not run, or not for good.
func notRunning(d device, t Target, why Reason) *NotRunningError {
	return &NotRunningError{Reason: why, Image: t.Image, Wanted: t.hash(), Running: positionOf(d, t).active}
}
