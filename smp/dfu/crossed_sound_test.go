package dfu_test

import (
	"bytes"
	"slices"
	"time"

	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// mayFail says why an update that began like this may end with an error; empty if it must succeed.
func (e *experiment) mayFail() string {
	for _, reason := range []string{e.c.dark(), e.c.wrongFile(), e.wrongState(), e.c.wrongCheck(), e.lostTrial(), e.c.otherStarts()} {
		if reason != "" {
			return reason
		}
	}
	return ""
}

// dark is about a device that was powered up a moment ago and is silent for longer than anybody waits who has never heard of it.
func (c crossing) dark() string {
	if c.before == "just-powered" && c.link != "usb" && c.swap+c.start > firstContact {
		return "nothing answers"
	}
	return ""
}

// firstContact is what a device has for its first answer: three tries of three seconds.
const firstContact = 9 * time.Second

// wrongFile is about files that the bootloader does not start.
func (c crossing) wrongFile() string {
	switch {
	case c.mode == dfu.UploadOnly:
	case c.key == "wrong":
		return "the key is wrong"
	case c.lower() && c.noStepBack():
		return "the bootloader does not start a lower version"
	}
	return ""
}

// noStepBack reports whether the bootloader never starts a lower version than what runs.
func (c crossing) noStepBack() bool {
	return c.newest() || c.boot == sim.DirectXIPRevert || c.server == "no-downgrade" || c.server == "lower-no-downgrade"
}

// wrongState is about devices that need somebody's decision first.
func (e *experiment) wrongState() string {
	running, trials := 0, 0
	for _, n := range e.c.numbers() {
		reason, runs, trial := e.wrongSlots(n)
		if reason != "" {
			return reason
		}
		if runs {
			running++
		}
		if trial {
			trials++
		}
	}
	if trials > 0 && running < len(e.c.numbers()) {
		return "one image is on trial, and the other needs a reset"
	}
	return ""
}

// wrongSlots is wrongState of one image.
func (e *experiment) wrongSlots(number int) (reason string, runs, trial bool) {
	var active, other sim.SlotState
	for _, s := range e.began.slots {
		switch {
		case s.Image != number:
		case s.Active:
			active = s
		default:
			other = s
		}
	}
	file := e.c.file(number)
	runs = bytes.Equal(file.Hash(), active.Hash)
	trial = runs && !active.Confirmed
	mere := e.c.mode == dfu.UploadOnly
	switch {
	case !active.Confirmed && (!runs || mere || e.c.force):
		return "the other slot holds the fallback", runs, trial
	case trial && number > 0 && e.c.mode != dfu.Test:
		return "a second image on trial cannot be confirmed", runs, trial
	case runs && other.Pending && !mere:
		return "another image is selected, and the device does not take that back", runs, trial
	case runs && e.c.newest() && other.Version.CompareIgnoringBuild(active.Version) > 0:
		return "what does not run has a higher version", runs, trial
	case !runs && !mere && e.c.noStepBack() && active.Version.CompareIgnoringBuild(file.Header.Version) > 0:
		return "what runs has a higher version", runs, trial
	case runs && e.c.blind() && number > 0:
		return "nobody knows that it runs already", runs, trial
	}
	return "", runs, trial
}

// wrongCheck is about checks that leave nothing to confirm.
func (c crossing) wrongCheck() string {
	switch c.check {
	case "none", "passes", "confirms":
		return ""
	}
	return "the check"
}

// lostTrial is about a device that restarts by itself while it runs an image on trial, which ends the trial, or between the marks of two
// images.
func (e *experiment) lostTrial() string {
	if e.c.fault == "dies-check" && e.c.reverts() {
		return "the trial is lost"
	}
	marked, left := 0, 0
	for i, n := range e.c.numbers() {
		onTrial := func(s sim.SlotState) bool { return s.Image == n && s.Active && !s.Confirmed }
		once := func(s sim.SlotState) bool { return s.Image == n && s.Pending && !s.Permanent }
		switch {
		case slices.ContainsFunc(e.victim.slots, onTrial):
			return "the trial is lost"
		case slices.ContainsFunc(e.victim.slots, once) && e.needsNoTrial(n):
			return "a trial that cannot be used begins"
		case len(e.victim.marked) > 0 && e.victim.marked[i]:
			marked++
		case len(e.victim.marked) > 0:
			left++
		}
	}
	if marked > 0 && left > 0 && e.c.reverts() {
		return "one image of two is on trial"
	}
	return ""
}

// needsNoTrial reports whether a trial of an image only stands in the way.
func (e *experiment) needsNoTrial(number int) bool {
	return e.c.force || e.c.mode == dfu.UploadOnly || number > 0 && e.c.mode != dfu.Test
}

// otherStarts is about a device that restarts by itself while another image is selected.
func (c crossing) otherStarts() string {
	switch c.before {
	case "other-uploaded", "other-once", "other-for-good":
		if c.dies() {
			return "the other image starts meanwhile"
		}
	}
	return ""
}
