package dfu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// unchanged is how long an image list that looks as before the reset is taken for the old firmware's, when nothing else shows
// that the device has reset.
const unchanged = 6 * time.Second

// maxResets bounds how often a reset is asked for. The last request counts as taken even without an answer: a device may reset before it
// answers, and look afterwards as before.
const maxResets = 3

// errNotTaken says that the device still runs as before after a reset request that nobody answered.
var errNotTaken = errors.New("the reset request was lost")

// reset restarts the device and waits until it shows what it runs. A request that was lost is repeated, but only after the
// device has answered a later one and runs as before: a second reset would return to the old image.
func (r *runner) reset(ctx context.Context) error {
	before := r.device
	if list, err := r.client.Image.List(ctx); err == nil {
		before.Images = list // marks made elsewhere count too
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.Wait, ErrNotBack)
	defer cancel()
	for tries := 1; ; tries++ {
		a := attempt{asked: time.Now()}
		err := r.client.OS.Reset(ctx, smp.ResetOptions{})
		unanswered := errors.Is(err, smp.ErrNoReply) || errors.Is(err, smp.ErrClosed)
		if err != nil && !unanswered {
			return err
		}
		a.doubtful = unanswered && tries < maxResets
		if a.vanished, err = r.settle(ctx); err != nil {
			return err
		}
		if err := r.comeBack(ctx, before, a); err != errNotTaken {
			return err
		}
	}
}

// attempt is a reset request and what came of it.
type attempt struct {
	asked    time.Time
	doubtful bool // no answer came, so the device may not have got it, and it may be sent again
	vanished bool // the link ended after it
}

// comeBack looks at the device until it shows a state after the reset.
func (r *runner) comeBack(ctx context.Context, before Device, a attempt) error {
	last := smp.ErrNoReply
	for left := false; ; {
		list, err := r.look(ctx)
		switch {
		case errors.Is(err, ErrNotBack): // cut short, which says nothing of the device
		case err != nil:
			a.vanished = a.vanished || errors.Is(err, smp.ErrClosed)
			last = err
		default:
			last = nil
			r.device.Images = list
			switch {
			case r.device.Firmware == smp.SerialRecovery && !left:
				left = true
				last = r.leaveAgain(ctx)
			case a.doubtful && sameStates(before.Images.Images, list.Images):
				if time.Since(a.asked) > unchanged {
					return errNotTaken
				}
			case r.decided(before, a.vanished, time.Since(a.asked)):
				return nil
			}
		}
		if err := pause(ctx, last); err != nil {
			return r.lost(err, last)
		}
	}
}

// leaveAgain starts the application once more, and leaves the device alone for longer: a swap takes its time before the wait window opens,
// and then a look at the device keeps it in the bootloader.
func (r *runner) leaveAgain(ctx context.Context) error {
	r.note(Step{Reset, allTargets}, "the bootloader answers; perhaps it was asked too soon: resetting once more")
	if err := r.leave(ctx); err != nil {
		return err
	}
	return sleep(ctx, longQuiet)
}

// longQuiet is longer than any wait window that makes sense.
const longQuiet = 5 * time.Second

// leave has the bootloader start the application.
func (r *runner) leave(ctx context.Context) error {
	err := r.client.OS.Reset(ctx, smp.ResetOptions{})
	if errors.Is(err, smp.ErrNoReply) && ctx.Err() == nil {
		err = nil
	}
	if err == nil {
		r.client.Forget()
	}
	return err
}

// look asks who answers and what it lists once, over a new connection if the old one has ended.
func (r *runner) look(ctx context.Context) (smp.ImageList, error) {
	if err := r.again(ctx); err != nil {
		return smp.ImageList{}, err
	}
	// A device that does not answer yet is asked again rather than waited for: it hears only what is sent once it is up.
	hello, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	if _, err := r.client.Negotiate(hello); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return smp.ImageList{}, cause
		}
		return smp.ImageList{}, fmt.Errorf("%w: %w", smp.ErrNoReply, err)
	}
	list, err := r.client.Image.List(ctx)
	if err != nil {
		return list, err
	}
	r.device.Firmware, err = r.client.Identify(ctx, list)
	return list, err
}

// decided reports whether the list shows the device after its reset. The new image running proves it, and so does a list that changed:
// a bootloader that refuses an image takes its mark away. Otherwise the link must have gone, or enough time.
func (r *runner) decided(before Device, vanished bool, since time.Duration) bool {
	if r.device.Firmware == smp.SerialRecovery {
		return false // it may still start the application
	}
	if r.running(r.device) && !r.running(before) {
		return true
	}
	if !slices.ContainsFunc(r.device.Images.Images, func(s smp.ImageState) bool { return s.Active }) {
		return false // no application lists images without running one
	}
	if !sameStates(before.Images.Images, r.device.Images.Images) {
		return true
	}
	if r.marked(before) {
		return false // still selected: the old firmware has not reset yet
	}
	return vanished || since > unchanged
}

// running reports whether every target runs.
func (r *runner) running(d Device) bool {
	for _, t := range r.targets {
		if !positionOf(d, t).running && !d.taken(t) {
			return false
		}
	}
	return true
}

// marked reports whether a target is selected for the next boot.
func (r *runner) marked(d Device) bool {
	for _, t := range r.targets {
		if positionOf(d, t).pending {
			return true
		}
	}
	return false
}

func sameStates(a, b []smp.ImageState) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i], b[i]
		if x.Image != y.Image || x.Slot != y.Slot || !x.Hash.Equal(y.Hash) || x.Active != y.Active ||
			x.Pending != y.Pending || x.Confirmed != y.Confirmed || x.Permanent != y.Permanent {
			return false
		}
	}
	return true
}

// lost names the reason why the wait for the device ended.
func (r *runner) lost(cause, last error) error {
	if !errors.Is(cause, ErrNotBack) || last != nil {
		return notBack(cause, last, r.o.Wait)
	}
	t := r.targets[0]
	p := positionOf(r.device, t)
	if r.device.Firmware == smp.SerialRecovery || p.active == nil {
		return &NotRunningError{Reason: InBootloader, Image: t.Image, Wanted: t.Hash()}
	}
	return &NotRunningError{Reason: NoReset, Image: t.Image, Wanted: t.Hash(), Running: p.active}
}

// verify compares what runs with what should.
func (r *runner) verify() error {
	for _, t := range r.targets {
		p := positionOf(r.device, t)
		if r.device.taken(t) {
			r.note(Step{Verify, allTargets}, fmt.Sprintf("image %d: the device does not list what runs there; it has taken the update out of its slot", t.Image))
			continue
		}
		if p.running {
			continue
		}
		r.report.Result = Reverted
		reason := WentBack
		if !p.listed {
			reason = Rejected
		}
		if p.active == nil {
			reason = InBootloader
		}
		return &NotRunningError{Reason: reason, Image: t.Image, Wanted: t.Hash(), Running: p.active}
	}
	return nil
}

// check runs the caller's test with the port free for it. When it fails, a reset brings the old image back.
func (r *runner) check(ctx context.Context, s Step) error {
	r.close()
	failed := r.o.Check(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := r.reconnect(ctx); err != nil {
		return errors.Join(failed, err)
	}
	if failed == nil {
		return nil
	}
	t := r.targets[0]
	if !canRevert(r.device) || positionOf(r.device, t).confirmed {
		return fmt.Errorf("check failed, and this device cannot go back to the old image: %w", failed)
	}
	r.note(s, "the check failed: resetting, to return to the old image")
	if err := r.reset(ctx); err != nil {
		return errors.Join(failed, err)
	}
	p := positionOf(r.device, t)
	if p.running {
		return fmt.Errorf("check failed, and the new image still runs after a reset: %w", failed)
	}
	r.report.Result = Reverted
	return &NotRunningError{Reason: CheckFailed, Image: t.Image, Wanted: t.Hash(), Running: p.active, Err: failed}
}

// reconnect connects again after the port was lent out, and reads the device's state.
func (r *runner) reconnect(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.Wait, ErrNotBack)
	defer cancel()
	for {
		list, err := r.look(ctx)
		if err == nil {
			r.device.Images = list
			if r.device.Firmware == smp.SerialRecovery {
				return smp.ErrInBootloader
			}
			return nil
		}
		if cause := pause(ctx, err); cause != nil {
			return r.lost(cause, err)
		}
	}
}
