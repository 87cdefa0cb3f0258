package dfu_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// look is the truth about a device at one moment: the flash, and who would answer.
type look struct {
	application bool
	running     map[int]smp.Hash // of each image
	slots       []sim.SlotState
	holds       []bool // of each target: its bytes are in the slot that does not run
	marked      []bool // of each target: some image is selected for the next boot in the slot that does not run
}

func (c crossing) look(d *sim.Device) look {
	l := look{application: applicationUp(d), running: map[int]smp.Hash{}, slots: d.Slots()}
	free := map[int]int{}
	for _, s := range l.slots {
		if s.Active && l.application {
			l.running[s.Image] = s.Hash
		}
		if s.Active {
			free[s.Image] = 1 - s.Slot
		}
	}
	for _, n := range c.numbers() {
		l.holds = append(l.holds, bytes.Contains(d.SlotBytes(n, free[n]), c.file(n).Bytes()))
		selected := func(s sim.SlotState) bool { return s.Image == n && s.Slot == free[n] && s.Pending }
		l.marked = append(l.marked, slices.ContainsFunc(l.slots, selected))
	}
	return l
}

// applicationUp reports whether the application would answer. It looks twice, because the wait window may close between
// two questions.
func applicationUp(d *sim.Device) bool { return d.Alive() && !d.InRecovery() && d.Alive() }

// runs reports whether a target runs.
func (c crossing) runs(l look, number int) bool {
	return l.running[number].Equal(c.file(number).Hash())
}

// all reports whether every target runs.
func (c crossing) all(l look) bool {
	for _, n := range c.numbers() {
		if !c.runs(l, n) {
			return false
		}
	}
	return true
}

// verdict is something wrong with an update.
type verdict struct {
	class string
	text  string
}

func (e *experiment) verdict(class, format string, args ...any) verdict {
	if e.c.blind() {
		class = "network core: " + class
	}
	return verdict{class, fmt.Sprintf(format, args...)}
}

// crossedBound is what an update may take: three waits, and some for what is transferred.
const crossedBound = 3*crossedWait + 2*time.Minute

// judge holds what the update said against what the device is, and what it could have done.
func (e *experiment) judge() []verdict {
	var list []verdict
	if e.late && e.err == nil {
		return nil // what was said was true, and is not any more
	}
	if e.took > crossedBound || errors.Is(e.err, errHangs) {
		list = append(list, e.verdict("too slow", "it took %v: %v", e.took, e.err))
	}
	list = append(list, e.words()...)
	if e.err != nil {
		list = append(list, e.errorWords()...)
		if e.mayFail() == "" {
			list = append(list, e.verdict("avoidable failure", "%v", e.err))
		}
	}
	if !e.now.application && !namesBootloader(e.err) {
		list = append(list, e.verdict("left in its bootloader without a word", "%s, %v", e.report.Result, e.err))
	} else if !e.now.application && e.later.application {
		list = append(list, e.verdict("left in its bootloader, although a reset starts the application", "%v", e.err))
	}
	return list
}

// words judges the result.
func (e *experiment) words() []verdict {
	runs, stays := e.c.all(e.now), e.c.all(e.later)
	right := false
	switch e.report.Result {
	case dfu.Confirmed, dfu.AlreadyRunning:
		if e.c.blind() && e.err == nil && runs && stays {
			return []verdict{e.verdict("wrong word, even if true", "%s, of an image that the device does not list",
				e.report.Result)}
		}
		right = runs && stays
	case dfu.RunningUnconfirmed:
		right = runs && (!stays || e.c.check == "erases") // of what it would go back to, so that it does not
	case dfu.Uploaded:
		return e.uploaded()
	case dfu.Unverified:
		right = e.c.blind() || runs && e.c.newest() && e.c.secretive() || e.c.mode == dfu.UploadOnly && e.err != nil
	case dfu.Reverted, dfu.NotRunning:
		right = e.err != nil && (!runs || strings.Contains(e.err.Error(), "it was told to leave it"))
	case "":
		right = e.err != nil
	}
	if right {
		return nil
	}
	return []verdict{e.verdict("wrong word: "+string(e.report.Result), "runs %v, stays %v, error %v",
		runs, stays, e.err)}
}

// uploaded judges the result of a mere upload.
func (e *experiment) uploaded() []verdict {
	var list []verdict
	if e.c.mode != dfu.UploadOnly {
		list = append(list, e.verdict("wrong word: uploaded", "in mode %s", e.c.mode))
	}
	for i, n := range e.c.numbers() {
		if !e.now.holds[i] && !(e.struck && e.c.runs(e.now, n)) { // it restarted by itself and has it started
			list = append(list, e.verdict("wrong word: uploaded", "image %d: its slot does not hold the file", n))
		}
		if e.now.marked[i] && !e.began.marked[i] && !e.c.newest() {
			list = append(list, e.verdict("wrong word: uploaded", "image %d: it is selected for the next boot now", n))
		}
	}
	return list
}

// errorWords judges what an error says.
func (e *experiment) errorWords() []verdict {
	var list []verdict
	runs, stays := e.c.all(e.now), e.c.all(e.later)
	left := strings.Contains(fmt.Sprint(e.err), "it was told to leave it") // and nobody looked since
	var refused *smp.DeviceError
	hidden := e.c.blind() && errors.As(e.err, &refused)                   // a trial that nobody sees keeps the slot
	silent := errors.Is(e.err, smp.ErrNoReply) && len(e.report.Plan) == 0 // nothing is said of what runs
	if runs && stays && !silent && e.c.mode != dfu.UploadOnly && !errors.Is(e.err, errDark) && !left && !hidden {
		list = append(list, e.verdict("wrong error: all runs and stays", "%v", e.err))
	}
	var not *dfu.NotRunningError
	if errors.As(e.err, &not) {
		list = append(list, e.reasonWords(not)...)
	}
	if errors.Is(e.err, errDark) && runs && e.goesBack() {
		list = append(list, e.verdict("the check failed and it still runs", "%v", e.err))
	}
	if strings.Contains(e.err.Error(), "context") {
		list = append(list, e.verdict("the error tells of our own clock", "%v", e.err))
	}
	if !e.known() {
		list = append(list, e.verdict("error of an unknown kind", "%v", e.err))
	}
	return list
}

// goesBack reports whether a failed check must bring the old image back.
func (e *experiment) goesBack() bool {
	return e.c.images == "one" && e.c.reverts() && e.c.mode != dfu.Permanent && e.c.fault == "none" &&
		!e.began.marked[0] &&
		e.began.application && !e.c.all(e.began)
}

// reasonWords judges a NotRunningError, whose every field is a claim.
func (e *experiment) reasonWords(not *dfu.NotRunningError) []verdict {
	runs := e.c.runs(e.now, not.Image)
	seen := not.Image == 0 || !e.c.blind()
	left := strings.Contains(e.err.Error(), "it was told to leave it") // and nobody looked since
	saysRuns := not.Reason == dfu.NotConfirmed || not.Reason == dfu.OtherSelected
	switch {
	case saysRuns && !runs && seen:
		return []verdict{e.verdict("wrong error: it does not run", "%v", not)}
	case !saysRuns && runs && !left:
		return []verdict{e.verdict("wrong error: it runs", "%v", not)}
	case not.Reason == dfu.InBootloader && e.now.application && !left:
		return []verdict{e.verdict("wrong error: the application runs", "%v", not)}
	case not.Running != nil && !saysRuns && !not.Running.Hash.Equal(e.now.running[not.Image]):
		return []verdict{e.verdict("wrong error: another image runs", "%v", not)}
	}
	return nil
}

// known reports whether the error is one that says what it is.
func (e *experiment) known() bool {
	var not *dfu.NotRunningError
	var state *dfu.StateError
	var unfit *dfu.UnfitError
	for _, known := range []error{errDark, errHangs, smp.ErrNotListed, smp.ErrInBootloader} {
		if errors.Is(e.err, known) {
			return true
		}
	}
	return honest(e.err) || errors.As(e.err, &not) || errors.As(e.err, &state) || errors.As(e.err, &unfit)
}

func namesBootloader(err error) bool {
	var not *dfu.NotRunningError
	return errors.Is(err, smp.ErrInBootloader) || errors.As(err, &not) && not.Reason == dfu.InBootloader
}

// judgeAgain judges the same command, given once more over a sound link after the first one failed.
func (e *experiment) judgeAgain(first experiment) []verdict {
	var list []verdict
	for _, v := range e.judge() {
		list = append(list, verdict{"again: " + v.class, v.text + "; after " + first.err.Error()})
	}
	return list
}
