package dfu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// boot is one start of the device, from the moment at which it may begin until its application answers.
//
//	began         silence ends                           probing ends
//	  |---- nothing ----|---- application probes only ----|---- any request ---->
//
// MCUboot swaps first and then opens its wait window, in which any request keeps it from starting the application.
// After a swap for a test that is worse than a delay: leaving the bootloader takes another boot, and that boot goes
// back to the old image. So for as long as an application may need, only what no bootloader hears is sent
// ([smp.Client.AwaitApplication]).
type boot struct {
	began         time.Time
	silence       time.Duration // from then on, in which nothing is sent
	probing       time.Duration // from then on, in which only application probes are sent
	ignoresProbes bool          // the application does not answer those
	resets        int           // how often the device may be reset to leave its bootloader

	linkEnded     bool          // since it began
	metBootloader bool          // the bootloader answered since
	metAfter      time.Duration // until it did so last
	inBootloader  bool          // it was the last to answer
	last          error         // why the last look failed; nil if it did not
	answered      time.Time     // when the application answered last
}

const (
	// resetSilence is how long a device is left alone after it accepted a reset. Zephyr resets 250 ms after its answer,
	// and bytes that arrive at the very moment of a reset can leave a UART deaf.
	resetSilence = 1500 * time.Millisecond
	// probeInterval is the time between two application probes.
	probeInterval = 500 * time.Millisecond
	// leaveMargin is how much longer than it took to meet the bootloader the device is left alone when it starts again.
	// It is longer than any wait window that makes sense (BOOT_SERIAL_WAIT_FOR_DFU_TIMEOUT, 500 ms by default).
	leaveMargin = 5 * time.Second
	// reopenSilence is how long a port that came back is left alone if its application may ignore probes: in MCUboot's
	// usual wait window the port is the bootloader's, and goes away once more.
	reopenSilence = 700 * time.Millisecond
)

// restarted reports whether the device is known to have started again since.
func (b *boot) restarted() bool { return b.linkEnded || b.metBootloader }

// awaitApplication waits until the application answers and returns what it lists. A device that answers from its
// bootloader is told to leave it, and left alone for longer than that took; once all resets are used up, the error is
// [smp.ErrInBootloader].
func (s *session) awaitApplication(ctx context.Context, b *boot) (smp.ImageList, error) {
	for {
		firmware, list, err := s.look(ctx, b)
		b.inBootloader = err == nil && firmware == smp.SerialRecovery
		switch {
		case err == nil && !b.inBootloader:
			b.last, b.answered = nil, time.Now()
			return list, nil
		case b.inBootloader && (b.resets == 0 || len(list.Images) == 0): // there is nothing that it could start
			b.metBootloader, b.metAfter = true, time.Since(b.began)
			return list, smp.ErrInBootloader
		case b.inBootloader:
			err = s.bootAgain(ctx, b)
		}
		if errors.Is(err, smp.ErrClosed) {
			b.linkEnded = true
		}
		if !errors.Is(err, ErrNotBack) { // cut short, which says nothing of the device
			b.last = err
		}
		if cause := pause(ctx, err); cause != nil {
			return list, cause
		}
	}
}

// look asks once who answers and what it lists, over a new connection if the old one has ended.
func (s *session) look(ctx context.Context, b *boot) (smp.Firmware, smp.ImageList, error) {
	if err := s.keepSilent(ctx, b); err != nil {
		return smp.UnknownFirmware, smp.ImageList{}, err
	}
	fresh, err := s.again(ctx)
	if err != nil {
		return smp.UnknownFirmware, smp.ImageList{}, err
	}
	left := b.probingWithin(ctx) - time.Since(b.began)
	switch {
	case left > 0:
		probing, cancel := context.WithTimeoutCause(ctx, left, smp.ErrNoReply)
		err = s.client.AwaitApplication(probing, probeInterval)
		cancel()
	case fresh:
		err = s.watch(ctx, reopenSilence)
	}
	if err != nil {
		return smp.UnknownFirmware, smp.ImageList{}, causeOr(ctx, err)
	}
	return s.askWho(ctx)
}

// keepSilent sends nothing until the boot's silence is over. A link that outlives the reset stays open, because opening
// a port may reset the board; the client learns of the restart.
func (s *session) keepSilent(ctx context.Context, b *boot) error {
	left := b.silence - time.Since(b.began)
	if left <= 0 {
		return nil
	}
	err := s.watch(ctx, left)
	switch {
	case err == nil && s.client != nil:
		s.client.Restarted()
	case errors.Is(err, smp.ErrClosed):
		b.linkEnded = true
		s.close()
		if b.metBootloader { // the port that comes back first may be the bootloader's
			return sleep(ctx, b.silence-time.Since(b.began))
		}
		b.silence = 0
		return nil
	}
	return err
}

// askWho asks the device at once. One that does not answer yet is asked again rather than waited for: it hears only
// what is sent once it is up.
func (s *session) askWho(ctx context.Context) (smp.Firmware, smp.ImageList, error) {
	negotiating, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	_, err := s.client.Negotiate(negotiating)
	switch {
	case err == nil:
		return s.client.Who(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		err = smp.ErrNoReply
	default:
		err = fmt.Errorf("%w: %w", smp.ErrNoReply, err)
	}
	return smp.UnknownFirmware, smp.ImageList{}, causeOr(ctx, err)
}

// bootAgain has the device leave its bootloader, and begins the boot again.
func (s *session) bootAgain(ctx context.Context, b *boot) error {
	b.metBootloader, b.last, b.metAfter = true, smp.ErrInBootloader, time.Since(b.began)
	b.resets--
	s.note(Step{}, "the bootloader answers: resetting to leave it")
	if err := s.leaveBootloader(ctx); err != nil {
		return err
	}
	b.inBootloader, b.began = false, time.Now()
	b.probing = max(b.probing, 2*b.metAfter+leaveMargin) // it may have to swap back, and then opens its window again
	if b.silence = resetSilence; b.ignoresProbes {
		b.silence = b.probingWithin(ctx)
	}
	return nil
}

// probingWithin is the time for probing within a context that ends: a quarter of it is left to ask who answers.
func (b *boot) probingWithin(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(b.probing, end.Sub(b.began)*3/4)
	}
	return b.probing
}

// lastResetTime bounds the last request to a device that nobody waits for any more.
const lastResetTime = 5 * time.Second

// lastReset leaves no device in its bootloader that answered from there last: it is reset and then left alone. It says
// for the user what was done.
func (s *session) lastReset(ctx context.Context, b *boot) string {
	if !b.inBootloader || s.client == nil || s.client.Err() != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastResetTime)
	defer cancel()
	if err := s.leaveBootloader(ctx); err != nil {
		return "; it was told to leave it, and did not answer"
	}
	return "; it was told to leave it once more, and not asked again"
}

// leaveBootloader has the bootloader start the application. It asks twice if need be, for a second reset does no harm
// there; the answer may be lost with the bootloader.
func (s *session) leaveBootloader(ctx context.Context) error {
	err := s.client.OS.Reset(ctx, smp.ResetOptions{})
	if errors.Is(err, smp.ErrNoReply) && ctx.Err() == nil {
		err = s.client.OS.Reset(ctx, smp.ResetOptions{})
	}
	if errors.Is(err, smp.ErrNoReply) && ctx.Err() == nil {
		err = nil
	}
	if err == nil {
		s.client.Restarted()
	}
	return err
}
