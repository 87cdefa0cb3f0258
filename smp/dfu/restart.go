package dfu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// unchanged is how long an image list that looks as before the reset is taken for the old firmware's, when nothing else
// shows that the device has reset.
const unchanged = 6 * time.Second

// maxRequests bounds how often a reset is asked for. The last request counts as taken even without an answer: a device
// may reset before it answers, and look afterwards as before.
const maxRequests = 3

// errNotTaken says that the device still runs as before after a reset request that nobody answered.
var errNotTaken = errors.New("the reset request was lost")

// reset boots the marked targets. It looks first: a device that restarted by itself is not reset out of its trial.
func (r *runner) reset(ctx context.Context) error {
	if err := r.lookFirst(ctx); err != nil {
		return err
	}
	if r.running(r.device) {
		return skipped("the device restarted by itself and runs the new image")
	}
	if t, ok := halfway(r.device, r.targets); ok {
		return halfTrial(t)
	}
	if t, ok := r.unmarked(); ok {
		return r.trial(missing(r.device, t, WentBack), "the device restarted by itself before the reset, and went back")
	}
	return r.restart(ctx, r.how)
}

// lookFirst reads the list right before a reset, over a new connection if need be: a step of its own within the reset,
// which may be repeated where the reset itself may not.
func (r *runner) lookFirst(ctx context.Context) error {
	return r.persist(ctx, Step{Action: Reset, Target: allTargets}, func(ctx context.Context, _ Step) error { return r.list(ctx) })
}

// unmarked returns a target that needs a mark and has lost it.
func (r *runner) unmarked() (Target, bool) {
	for _, t := range r.targets {
		p := positionOf(r.device, t)
		if !choosesNewest(r.device) && standingOf(r.device, t) == waiting && !p.pending && !p.confirmed {
			return t, true
		}
	}
	return Target{}, false
}

// restart resets the device and waits until it shows what it runs. A request that was lost is repeated, but only after
// the device has answered a later one and runs as before: a second reset would return to the old image.
func (r *runner) restart(ctx context.Context, how smp.ResetOptions) error {
	r.progressed = time.Now()
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	before := r.device
	_ = r.listen(ctx)
	for requests := 1; ; requests++ {
		b := r.newBoot(r.o.Wait)
		b.silence = r.silence()
		err := r.client.OS.Reset(ctx, how)
		unanswered := errors.Is(err, smp.ErrNoReply) || errors.Is(err, smp.ErrClosed)
		if err != nil && !unanswered {
			return notBackOr(ctx, err, r.o.Wait)
		}
		b.asked = time.Now()
		if err := r.comeBack(ctx, before, b, unanswered && requests < maxRequests); err != errNotTaken {
			return err
		}
		r.note(Step{Reset, allTargets}, "the reset request was lost: asking again")
	}
}

// comeBack looks at the device until it shows a state after the reset. With doubtful, the device may not have got the
// request.
func (r *runner) comeBack(ctx context.Context, before Device, b *boot, doubtful bool) error {
	for {
		list, err := r.application(ctx, b)
		r.met(b)
		if err != nil {
			return r.stuck(ctx, b, err)
		}
		r.saw(list)
		same := sameStates(before.Images.Images, list.Images)
		switch {
		case doubtful && same && !b.caught:
			if time.Since(b.asked) > unchanged {
				return errNotTaken
			}
		case r.decided(before, b, same):
			return nil
		}
		if err := pause(ctx, nil); err != nil {
			return r.stuck(ctx, b, err)
		}
	}
}

// decided reports whether the list shows the device after its reset. The new image running proves it, and so does a
// list that changed: a bootloader that refuses an image takes its mark away. Otherwise the link must have gone, or
// enough time.
func (r *runner) decided(before Device, b *boot, same bool) bool {
	since := time.Since(b.asked)
	switch {
	case len(r.targets) == 0:
		return true // nothing is expected of it, and it accepted the reset a while ago
	case r.running(r.device) && !r.running(before):
		return true
	case !slices.ContainsFunc(r.device.Images.Images, func(s smp.ImageState) bool { return s.Active }):
		return false // no application lists images without running one
	case !same:
		return true
	case r.selected(before):
		return b.restarted() && since > unchanged // the old firmware has not reset yet, or the bootloader left the mark
	}
	return b.restarted() || since > unchanged
}

// selected reports whether a target is selected for the next boot.
func (r *runner) selected(d Device) bool {
	return slices.ContainsFunc(r.targets, func(t Target) bool { return positionOf(d, t).pending })
}

func sameStates(a, b []smp.ImageState) bool {
	return slices.EqualFunc(a, b, func(x, y smp.ImageState) bool {
		return x.Image == y.Image && x.Slot == y.Slot && x.Hash.Equal(y.Hash) && x.Active == y.Active &&
			x.Pending == y.Pending && x.Confirmed == y.Confirmed && x.Permanent == y.Permanent
	})
}

// stuck names the reason why a reset did not come to an end.
func (r *runner) stuck(ctx context.Context, b *boot, cause error) error {
	err := r.lost(ctx, b, cause)
	var inside *inBootloaderError
	switch {
	case len(r.targets) == 0:
		return err
	case errors.As(err, &inside):
		r.report.Result = NotRunning
		return fmt.Errorf("%w%s", missing(Device{}, r.targets[0], InBootloader), inside.then)
	case !errors.Is(cause, ErrNotBack) || b.last != nil || time.Since(b.seen) >= lookPatience:
		return err
	case standingOf(r.device, r.targets[0]) == unshown:
		r.report.Result = Unverified
		return missing(r.device, r.targets[0], NotShown)
	}
	r.report.Result = Reverted
	return missing(r.device, r.targets[0], NoReset)
}

// probeTime is how long an application has to show whether it answers application probes.
const probeTime = time.Second

// listen finds out whether the application hears what its bootloader does not, unless that is known.
func (r *runner) listen(ctx context.Context) error {
	if r.listened {
		return nil
	}
	r.listened = true
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	err := r.client.AwaitApplication(ctx, probeInterval)
	if errors.Is(err, smp.ErrClosed) {
		r.listened = false // that was the link
		return err
	}
	r.deaf, r.heard = err != nil, r.heard || err == nil
	return err
}

// fastSwap is the rate at which a fast bootloader moves images, in bytes per second: no silence should outlast it by
// much.
const fastSwap = 128 << 10

// silence is how long nothing is sent after a reset. An application that answers application probes needs no more than the moment of
// the reset; another one needs the time of a fast swap, and more once it was caught too early.
func (r *runner) silence() time.Duration {
	if !r.deaf {
		return quiet
	}
	s := quiet + r.moving()
	if r.caught {
		s = max(s, 2*r.slowest+leaveMargin)
	}
	return min(s, r.o.Wait/2)
}

// moving is how long a fast bootloader takes to move the targets.
func (r *runner) moving() time.Duration {
	n := 0
	for _, t := range r.targets {
		if t.File != nil {
			n += len(t.File.Bytes())
		}
	}
	return time.Duration(n) * time.Second / fastSwap
}

// start brings a device that answers from its bootloader into its application: one reset, and more for a long wait
// window if the bootloader lists an image that it could start.
func (r *runner) start(ctx context.Context) error {
	r.note(Step{}, "the device is in its bootloader: starting its application first")
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	r.listened, r.deaf = false, false // it was the bootloader that did not answer a probe
	if err := r.leave(ctx); err != nil {
		return notBackOr(ctx, err, r.o.Wait)
	}
	b := r.newBoot(startPatience)
	b.silence, b.exits = quiet, 2
	if err := r.arrive(ctx, b); err != nil {
		return err
	}
	r.note(Step{}, "the application answers")
	return nil
}

// startPatience is longer than a wait window and the start of an application.
const startPatience = 8 * time.Second
