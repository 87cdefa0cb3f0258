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
	for _, reason := range []string{e.c.dark(), e.c.wrongFile(), e.wrongState(), e.c.wrongCheck(), e.lostTrial(),
		e.c.otherStarts()} {
		if reason != "" {
			return reason
		}
	}
	return ""
}

// dark is about a device that was powered up a moment ago and is silent for longer than anybody waits who has never
// heard of it.
func (c crossing) dark() string {
	if c.fault == "dies-any" && c.nth == 1 {
		return "nothing was ever heard of it"
	}
	if c.dies() && c.boot == sim.DirectXIPRevert && c.secretive() {
		return "nobody knows that a restart erases a slot, and not the bootloader's judgement"
	}
	moved := time.Duration(len(c.numbers())) * c.swap
	if c.fault != "none" && moved+c.window+c.start > crossedWait/3 {
		return "it needs a longer wait, to boot several times"
	}
	if c.begins() && !c.starts && !c.usb() && c.swap+c.start > firstContact {
		return "nothing answers"
	}
	return ""
}

// firstContact is what a device has for its first answer: three tries of three seconds.
const firstContact = 9 * time.Second

// wrongFile is about files that the bootloader does not start.
func (c crossing) wrongFile() string {
	switch {
	case c.mode == dfu.UploadOnly && !c.dies(): // else the bootloader may see the file, and erase it
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
	for _, n := range e.c.numbers() {
		if reason := e.wrongSlots(n); reason != "" {
			return reason
		}
	}
	return ""
}

// secretive reports whether the device does not tell how its bootloader decides.
func (c crossing) secretive() bool { return c.server == "bare" || c.server == "no-bootloader-info" }

// wrongSlots is wrongState of one image.
func (e *experiment) wrongSlots(number int) string {
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
	runs := bytes.Equal(file.Hash(), active.Hash)
	mere := e.c.mode == dfu.UploadOnly
	switch {
	case !active.Confirmed && (!runs || mere || e.c.force):
		return "the other slot holds the fallback"
	case !runs && !mere && e.c.noStepBack() && active.Version.CompareIgnoringBuild(file.Header.Version) > 0:
		return "what runs has a higher version"
	case e.c.newest() && e.c.secretive() && other.Version.CompareIgnoringBuild(file.Header.Version) > 0:
		return "what does not run has a higher version, and the device does not say that this matters"
	case e.c.blind() && number > 0 && !active.Confirmed:
		return "nobody sees the trial that keeps the slot"
	case runs && e.c.blind() && number > 0:
		return "nobody knows that it runs already"
	}
	return ""
}

// wrongCheck is about checks that leave nothing to confirm.
func (c crossing) wrongCheck() string {
	switch c.check {
	case "none", "passes", "confirms":
		return ""
	}
	return "the check"
}

// lostTrial is about a device that restarts by itself while it runs an image on trial: once the trial is begun again,
// twice it is not.
func (e *experiment) lostTrial() string {
	for _, n := range e.c.numbers() {
		once := func(s sim.SlotState) bool { return s.Image == n && s.Pending && !s.Permanent }
		if slices.ContainsFunc(e.victim.slots, once) && e.needsNoTrial(n) {
			return "a trial that cannot be used begins"
		}
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
	case "other-uploaded", "other-once", "other-for-good", "runs-other-once", "runs-other-for-good":
		if c.dies() {
			return "the other image starts meanwhile"
		}
	}
	return ""
}
