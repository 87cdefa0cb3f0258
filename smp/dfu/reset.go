package dfu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// reset boots the marked targets. It looks first: a device that restarted by itself is not reset out of its test.
func (r *runner) reset(ctx context.Context) error {
	if err := r.readBeforeReset(ctx); err != nil {
		return err
	}
	if allRun(r.device, r.targets) {
		return skipped("the device restarted by itself and runs the new image")
	}
	if t, ok := partialTest(r.device, r.targets); ok {
		return lostPart(t)
	}
	if t, ok := r.unmarked(); ok {
		return r.maybeLost(notRunning(r.device, t, RevertedOrRefused),
			"the device restarted by itself before the reset, and went back")
	}
	return r.restart(ctx, r.resetWith)
}

// unmarked returns a target that needs a mark and has lost it.
func (r *runner) unmarked() (Target, bool) {
	for _, t := range r.targets {
		p := positionOf(r.device, t)
		if !choosesNewest(r.device) && stateOf(r.device, t) == inSlot && !p.pending && !p.confirmed {
			return t, true
		}
	}
	return Target{}, false
}

// readBeforeReset reads the list right before a reset, over a new connection if need be: a step of its own within the
// reset, which may be resumed where the reset itself may not.
func (r *runner) readBeforeReset(ctx context.Context) error {
	return r.resuming(ctx, deviceStep(Reset), func(ctx context.Context, _ Step) error { return r.read(ctx) })
}

// unchanged is how long an image list that looks as before the reset is taken for the old firmware's, when nothing else
// shows that the device has reset.
const unchanged = 6 * time.Second

// maxRequests bounds how often a reset is asked for. The last request counts as taken even without an answer: a device
// may reset before it answers, and look afterwards as before.
const maxRequests = 3

// errNotTaken says that the device still runs as before after a reset request that nobody answered.
var errNotTaken = errors.New("the reset request was lost")

// restart resets the device and waits until it shows what it runs. A request that was lost is repeated, but only after
// the device has answered a later one and runs as before: a second reset would return to the old image.
func (r *runner) restart(ctx context.Context, how smp.ResetOptions) error {
	r.progressed = time.Now()
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	before := r.device
	_ = r.probe(ctx)
	for requests := 1; ; requests++ {
		b := r.newBoot(r.wait)
		b.silence = r.silence()
		err := r.client.OS.Reset(ctx, how)
		unanswered := errors.Is(err, smp.ErrNoReply) || errors.Is(err, smp.ErrClosed)
		if err != nil && !unanswered {
			return notBackOr(ctx, err, r.wait)
		}
		b.began = time.Now()
		if err := r.awaitRestart(ctx, before, b, unanswered && requests < maxRequests); err != errNotTaken {
			return err
		}
		r.note(deviceStep(Reset), "the reset request was lost: asking again")
	}
}

// awaitRestart looks at the device until it shows a state after the reset. With doubtful, the device may not have got
// the request.
func (r *runner) awaitRestart(ctx context.Context, before device, b *boot, doubtful bool) error {
	for {
		list, err := r.awaitApplication(ctx, b)
		r.noteBootloader(b)
		if err != nil {
			return r.restartFailed(ctx, b, err)
		}
		r.noteList(list)
		same := sameStates(before.Images.Images, list.Images)
		switch {
		case doubtful && same && !b.metBootloader:
			if time.Since(b.began) > unchanged {
				return errNotTaken
			}
		case r.restartShown(before, b, same):
			return nil
		}
		if err := pause(ctx, nil); err != nil {
			return r.restartFailed(ctx, b, err)
		}
	}
}

// restartShown reports whether the list shows the device after its reset. The new image running proves it, and so does
// a list that changed: a bootloader that refuses an image takes its mark away. Otherwise the link must have gone, or
// enough time.
func (r *runner) restartShown(before device, b *boot, same bool) bool {
	since := time.Since(b.began)
	switch {
	case len(r.targets) == 0:
		return true // nothing is expected of it, and it accepted the reset a while ago
	case allRun(r.device, r.targets) && !allRun(before, r.targets):
		return true
	case !slices.ContainsFunc(r.device.Images.Images, func(s smp.ImageState) bool { return s.Active }):
		return false // no application lists images without running one
	case !same:
		return true
	case slices.ContainsFunc(r.targets, func(t Target) bool { return positionOf(before, t).pending }):
		return b.restarted() && since > unchanged // the old firmware has not reset yet, or the bootloader left the mark
	}
	return b.restarted() || since > unchanged
}

func sameStates(a, b []smp.ImageState) bool {
	return slices.EqualFunc(a, b, func(x, y smp.ImageState) bool {
		return x.Image == y.Image && x.Slot == y.Slot && x.Hash.Equal(y.Hash) && x.Active == y.Active &&
			x.Pending == y.Pending && x.Confirmed == y.Confirmed && x.Permanent == y.Permanent
	})
}

// restartFailed names the reason why a reset did not come to an end.
func (r *runner) restartFailed(ctx context.Context, b *boot, cause error) error {
	err := r.notStarted(ctx, b, cause)
	var inside *inBootloaderError
	switch {
	case len(r.targets) == 0:
		return err
	case errors.As(err, &inside):
		r.report.Result = NotRunning
		return fmt.Errorf("%w%s", notRunning(device{}, r.targets[0], InBootloader), inside.then)
	case !errors.Is(cause, ErrNotBack) || b.last != nil || time.Since(b.answered) >= lookTime:
		return err
	case stateOf(r.device, r.targets[0]) == unlisted:
		r.report.Result = Unverified
		return notRunning(r.device, r.targets[0], NotShown)
	}
	r.report.Result = Reverted
	return notRunning(r.device, r.targets[0], NoReset)
}

// start brings a device that answers from its bootloader into its application: one reset, and more for a long wait
// window if the bootloader lists an image that it could start.
func (r *runner) start(ctx context.Context) error {
	r.note(Step{}, "the device is in its bootloader: starting its application first")
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	r.probed, r.ignoresProbes = false, false // it was the bootloader that did not answer
	if err := r.leaveBootloader(ctx); err != nil {
		return notBackOr(ctx, err, r.wait)
	}
	b := r.newBoot(startTime)
	b.silence, b.resets = resetSilence, 2
	if err := r.awaitStart(ctx, b); err != nil {
		return err
	}
	r.note(Step{}, "the application answers")
	return nil
}

// startTime is longer than a wait window and the start of an application.
const startTime = 8 * time.Second
