package dfu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// persist takes a step, and takes it up again when the connection ends in the middle or the line loses too much:
// unplugged, reset, or renamed. An upload goes on at the device's offset, other steps find their work done.
func (r *runner) persist(ctx context.Context, s Step, do func(context.Context, Step) error) error {
	r.resumed, r.reached = false, 0
	for {
		err := r.blame(ctx, do(ctx, s))
		if err == nil || !r.mayPass(err) {
			return err
		}
		if err := r.regain(ctx, s, err); err != nil {
			return err
		}
		r.resumed = true
	}
}

// blame is [smp.ErrInBootloader] for a refusal that came from there: the device restarted in the middle of a step, and
// one of its requests has kept it from starting the application.
func (r *runner) blame(ctx context.Context, err error) error {
	var refused *smp.DeviceError
	if !r.opened || !errors.As(err, &refused) && !errors.Is(err, smp.ErrNotListed) {
		return err
	}
	if firmware, _, failed := r.client.Who(ctx); failed == nil && firmware == smp.SerialRecovery {
		return smp.ErrInBootloader
	}
	return err
}

// mayPass reports whether a step that ended with err may be taken up again. A device that has never answered is not
// waited for.
func (r *runner) mayPass(err error) bool {
	var stuck *inBootloaderError
	switch {
	case errors.Is(err, ErrNotBack), errors.As(err, &stuck):
		return false
	case errors.Is(err, smp.ErrClosed):
		return true
	case errors.Is(err, smp.ErrNoReply), errors.Is(err, smp.ErrStalled):
		return r.heard
	case errors.Is(err, smp.ErrInBootloader):
		return r.opened // it restarted in the middle, and something kept it there
	}
	return false
}

// regain waits until the application answers again after err, and says so.
func (r *runner) regain(ctx context.Context, s Step, err error) error {
	r.note(s, interruption(err)+": waiting for the device")
	patience := shortPatience
	if s.Action == MarkTest || s.Action == MarkPermanent || s.Action == Reset {
		patience = r.o.Wait // it may start an image on trial
	}
	if cause := r.reconnect(ctx, patience); cause != nil {
		if errors.Is(cause, ErrNotBack) {
			return fmt.Errorf("%w; then %w", err, cause)
		}
		return cause
	}
	r.note(s, "the device is back")
	return nil
}

// interruption says for the user why a step was not finished.
func interruption(err error) string {
	switch {
	case errors.Is(err, smp.ErrClosed):
		return "the connection ended"
	case errors.Is(err, smp.ErrInBootloader):
		return "the device restarted into its bootloader"
	}
	return "no answer"
}

// shortPatience is how long a device may start, of which no trial can be lost, before it is asked who it is.
const shortPatience = 10 * time.Second

// reconnect waits for the application, over another connection if the present one has ended, and reads what it lists.
func (r *runner) reconnect(ctx context.Context, patience time.Duration) error {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	if r.client != nil {
		r.client.Restarted()
	}
	b := r.newBoot(patience)
	if err := sleep(ctx, redialPause); err != nil {
		return notBack(err, nil, r.o.Wait)
	}
	return r.arrive(ctx, b)
}

func (r *runner) newBoot(patience time.Duration) *boot {
	b := &boot{asked: time.Now(), patience: patience, deaf: r.deaf, exits: 1, note: func(text string) { r.note(Step{}, text) }}
	if r.deaf {
		b.patience, b.exits = 0, 2 // it is easily asked too soon
	}
	return b
}

// arrive waits for the application of a device that starts, and notes what it lists.
func (r *runner) arrive(ctx context.Context, b *boot) error {
	list, err := r.application(ctx, b)
	r.met(b)
	if err != nil {
		return r.lost(ctx, b, err)
	}
	r.saw(list)
	r.listened = r.listened && !r.deaf // it may have been dark when it was asked whether it hears
	return nil
}

// met notes that the bootloader was met, and how long after the reset.
func (r *runner) met(b *boot) {
	r.caught = r.caught || b.caught
	r.slowest = max(r.slowest, b.took)
}

// saw notes what the application lists.
func (r *runner) saw(list smp.ImageList) {
	r.device.Images, r.device.Firmware = list, smp.Application
	r.ran = r.ran || r.running(r.device)
}

// lost names the reason why the wait for the application ended, and leaves no device in its bootloader.
func (r *runner) lost(ctx context.Context, b *boot, cause error) error {
	words := r.farewell(ctx, b)
	switch {
	case errors.Is(cause, smp.ErrInBootloader), errors.Is(cause, ErrNotBack) && b.inside:
		return &inBootloaderError{words}
	case errors.Is(cause, ErrNotBack):
		return notBack(cause, b.last, r.o.Wait)
	}
	return cause
}

// inBootloaderError says that a device did not leave its bootloader, and what was done about it.
type inBootloaderError struct{ then string }

func (e *inBootloaderError) Error() string {
	return "the device answers from its bootloader (MCUboot serial recovery) after every reset" + e.then
}

func (e *inBootloaderError) Is(target error) bool { return target == smp.ErrInBootloader }

// bounded is ctx until the update has gone on for too long without getting any further. All trials that are begun again
// share two such times.
func (r *runner) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := r.progressed.Add(r.o.Wait)
	if !r.last.IsZero() && r.last.Before(limit) {
		limit = r.last
	}
	return context.WithDeadlineCause(ctx, limit, ErrNotBack)
}

// reach notes how far an upload has come: only what it never reached before is progress.
func (r *runner) reach(done int) {
	if done > r.reached {
		r.reached = done
		r.advance()
	}
}

// advance notes progress. The time since the last one was not spent waiting, so what begins again does not have less
// for it.
func (r *runner) advance() {
	now := time.Now()
	if !r.last.IsZero() {
		r.last = r.last.Add(now.Sub(r.progressed))
	}
	r.progressed = now
}
