package dfu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// resuming takes a step, and takes it again when the connection ends in the middle or the line loses too much:
// unplugged, reset, or renamed. An upload goes on at the device's offset, other steps find their work done.
func (r *runner) resuming(ctx context.Context, s Step, do func(context.Context, Step) error) error {
	r.resumed, r.accepted = false, 0
	for {
		err := r.fromBootloader(ctx, do(ctx, s))
		if err == nil || !r.mayResume(err) {
			return err
		}
		if err := r.regain(ctx, s, err); err != nil {
			return err
		}
		r.resumed = true
	}
}

// fromBootloader is [smp.ErrInBootloader] for a refusal that came from there: the device restarted in the middle of a
// step, and one of its requests has kept it from starting the application.
func (r *runner) fromBootloader(ctx context.Context, err error) error {
	var refused *smp.DeviceError
	if !r.inspected || !errors.As(err, &refused) && !errors.Is(err, smp.ErrNotListed) {
		return err
	}
	if firmware, _, failed := r.client.Who(ctx); failed == nil && firmware == smp.SerialRecovery {
		return smp.ErrInBootloader
	}
	return err
}

// mayResume reports whether a step that ended with err may be taken again. A device that has never answered is not
// waited for, unless it may be starting.
func (r *runner) mayResume(err error) bool {
	var stuck *inBootloaderError
	switch {
	case errors.Is(err, ErrNotBack), errors.As(err, &stuck):
		return false
	case errors.Is(err, smp.ErrClosed):
		return true
	case interrupted(err):
		return r.answered || r.o.Starting
	case errors.Is(err, smp.ErrInBootloader):
		return r.inspected // it restarted in the middle, and something kept it there
	}
	return false
}

// interrupted reports whether a step ended because of the line or the connection.
func interrupted(err error) bool {
	return errors.Is(err, smp.ErrClosed) || errors.Is(err, smp.ErrNoReply) || errors.Is(err, smp.ErrStalled)
}

// regain waits until the application answers again after err, and says so.
func (r *runner) regain(ctx context.Context, s Step, err error) error {
	r.note(s, interruption(err)+": waiting for the device")
	probing := shortProbing
	if s.Action == MarkTest || s.Action == MarkPermanent || s.Action == Reset || !r.answered {
		probing = r.wait // it may start an image for a test
	}
	if cause := r.reconnect(ctx, probing); cause != nil {
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

// shortProbing is how long a device that starts may take, of which no test can be lost, before it is asked who it is.
const shortProbing = 10 * time.Second

// reconnect waits for the application, over another connection if the present one has ended, and reads what it lists.
func (r *runner) reconnect(ctx context.Context, probing time.Duration) error {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	if r.client != nil {
		r.client.Restarted()
	}
	b := r.newBoot(probing)
	if err := sleep(ctx, redialPause); err != nil {
		return notBack(err, nil, r.wait)
	}
	return r.awaitStart(ctx, b)
}

func (r *runner) newBoot(probing time.Duration) *boot {
	b := &boot{began: time.Now(), probing: probing, ignoresProbes: r.ignoresProbes, resets: 1}
	if r.ignoresProbes {
		b.probing, b.resets = 0, 2 // it is easily asked too soon
	}
	return b
}

// awaitStart waits for the application of a device that starts, and notes what it lists.
func (r *runner) awaitStart(ctx context.Context, b *boot) error {
	list, err := r.awaitApplication(ctx, b)
	r.noteBootloader(b)
	if err != nil {
		return r.notStarted(ctx, b, err)
	}
	r.noteList(list)
	r.probed = r.probed && !r.ignoresProbes // it may have been off when it was probed
	return nil
}

// noteBootloader notes whether the bootloader answered, and how long after the reset.
func (r *runner) noteBootloader(b *boot) {
	r.metBootloader = r.metBootloader || b.metBootloader
	r.metAfter = max(r.metAfter, b.metAfter)
}

// notStarted names the reason why the wait for the application ended, and leaves no device in its bootloader.
func (r *runner) notStarted(ctx context.Context, b *boot, cause error) error {
	then := r.lastReset(ctx, b)
	switch {
	case errors.Is(cause, smp.ErrInBootloader), errors.Is(cause, ErrNotBack) && b.inBootloader:
		return &inBootloaderError{then}
	case errors.Is(cause, ErrNotBack):
		return notBack(cause, b.last, r.wait)
	}
	return cause
}

// inBootloaderError says that a device did not leave its bootloader, and what was done about it.
type inBootloaderError struct{ then string }

func (e *inBootloaderError) Error() string {
	return "the device answers from its bootloader (MCUboot serial recovery) after every reset" + e.then
}

func (e *inBootloaderError) Is(target error) bool { return target == smp.ErrInBootloader }
