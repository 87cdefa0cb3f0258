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
//	asked          silence ends              patience ends
//	  |---- nothing ----|---- [smp.Client.AwaitApplication] ----|---- any request ---->
//
// MCUboot swaps first and then opens its wait window, in which any request keeps it from starting the application.
// After a swap for a test that is worse than a delay: leaving the bootloader takes another boot, and that boot goes
// back to the old image. So for as long as an application may need, only what no bootloader hears is sent.
type boot struct {
	asked    time.Time
	silence  time.Duration // in which nothing is sent
	patience time.Duration // in which only what no bootloader hears is sent
	deaf     bool          // the application does not hear that either
	exits    int           // how often the device may be told to leave its bootloader
	note     func(string)  // tells the user what is going on

	vanished bool          // the link ended since
	caught   bool          // the bootloader answered since
	took     time.Duration // until it did so last
	inside   bool          // it was the last to answer
	last     error         // why the last look failed; nil if it did not
	seen     time.Time     // when the application answered last
}

const (
	// quiet is how long a device is left alone after it accepted a reset. Zephyr resets 250 ms after its answer, and bytes
	// that arrive at the very moment of a reset can leave a UART deaf.
	quiet = 1500 * time.Millisecond
	// probeInterval is the time between two requests that only an application hears.
	probeInterval = 500 * time.Millisecond
	// leaveMargin is how much longer than it took to be caught in the bootloader the device is left alone when it starts
	// again. It is longer than any wait window that makes sense (BOOT_SERIAL_WAIT_FOR_DFU_TIMEOUT, 500 ms by default).
	leaveMargin = 5 * time.Second
	// lull is how long a port that came back is left alone if its application may not answer a probe: in MCUboot's usual wait
	// window the port is the bootloader's, and goes away once more.
	lull = 700 * time.Millisecond
)

// patienceIn is the patience within a time that ends: a quarter of it is for a look at who it is.
func (b *boot) patienceIn(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(b.patience, end.Sub(b.asked)*3/4)
	}
	return b.patience
}

// restarted reports whether the device is known to have started again since.
func (b *boot) restarted() bool { return b.vanished || b.caught }

// application waits until the application answers and returns what it lists. A device that is caught in its bootloader
// is told to leave it, and left alone for longer than that took; once all exits are used up, the error is
// [smp.ErrInBootloader].
func (n *connection) application(ctx context.Context, b *boot) (smp.ImageList, error) {
	for {
		firmware, list, err := n.look(ctx, b)
		b.inside = err == nil && firmware == smp.SerialRecovery
		switch {
		case err == nil && !b.inside:
			b.last, b.seen = nil, time.Now()
			return list, nil
		case b.inside && (b.exits == 0 || len(list.Images) == 0): // there is nothing that it could start
			b.caught, b.took = true, time.Since(b.asked)
			return list, smp.ErrInBootloader
		case b.inside:
			err = n.exit(ctx, b)
		}
		if errors.Is(err, smp.ErrClosed) {
			b.vanished = true
		}
		if !errors.Is(err, ErrNotBack) { // cut short, which says nothing of the device
			b.last = err
		}
		if cause := pause(ctx, err); cause != nil {
			return list, cause
		}
	}
}

// exit has the device leave its bootloader, and starts the clock of the boot again.
func (n *connection) exit(ctx context.Context, b *boot) error {
	b.caught, b.last, b.took = true, smp.ErrInBootloader, time.Since(b.asked)
	b.exits--
	b.note("the bootloader answers: resetting to leave it")
	if err := n.leave(ctx); err != nil {
		return err
	}
	b.inside, b.asked = false, time.Now()
	b.patience = max(b.patience, 2*b.took+leaveMargin) // it may have to swap back, and then opens its window again
	if b.silence = quiet; b.deaf {
		b.silence = b.patienceIn(ctx)
	}
	return nil
}

// leave has the bootloader start the application. It asks twice if need be, for a second reset does no harm there; the
// answer may be lost with the bootloader.
func (n *connection) leave(ctx context.Context) error {
	err := n.client.OS.Reset(ctx, smp.ResetOptions{})
	if errors.Is(err, smp.ErrNoReply) && ctx.Err() == nil {
		err = n.client.OS.Reset(ctx, smp.ResetOptions{})
	}
	if errors.Is(err, smp.ErrNoReply) && ctx.Err() == nil {
		err = nil
	}
	if err == nil {
		n.client.Restarted()
	}
	return err
}

// farewellTime bounds the last request to a device that nobody waits for any more.
const farewellTime = 5 * time.Second

// farewell leaves no device in its bootloader that answered from there last: it is reset and then left alone.
func (n *connection) farewell(ctx context.Context, b *boot) string {
	if !b.inside || n.client == nil || n.client.Err() != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewellTime)
	defer cancel()
	if err := n.leave(ctx); err != nil {
		return "; it was told to leave it, and did not answer"
	}
	return "; it was told to leave it once more, and not asked again"
}

// look asks once who answers and what it lists, over a new connection if the old one has ended.
func (n *connection) look(ctx context.Context, b *boot) (smp.Firmware, smp.ImageList, error) {
	if err := n.keepSilent(ctx, b); err != nil {
		return smp.UnknownFirmware, smp.ImageList{}, err
	}
	fresh, err := n.again(ctx)
	if err != nil {
		return smp.UnknownFirmware, smp.ImageList{}, err
	}
	left := b.patienceIn(ctx) - time.Since(b.asked)
	switch {
	case left > 0:
		probing, cancel := context.WithTimeoutCause(ctx, left, smp.ErrNoReply)
		err = n.client.AwaitApplication(probing, probeInterval)
		cancel()
	case fresh:
		err = n.watch(ctx, lull)
	}
	if err != nil {
		return smp.UnknownFirmware, smp.ImageList{}, causeOr(ctx, err)
	}
	return n.who(ctx)
}

// who asks the device at once. One that does not answer yet is asked again rather than waited for: it hears only what
// is sent once it is up.
func (n *connection) who(ctx context.Context) (smp.Firmware, smp.ImageList, error) {
	hello, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	if _, err := n.client.Negotiate(hello); err != nil {
		return smp.UnknownFirmware, smp.ImageList{}, causeOr(ctx, fmt.Errorf("%w: %w", smp.ErrNoReply, err))
	}
	return n.client.Who(ctx)
}

// causeOr is the cause of a context that has ended, else the error.
func causeOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// keepSilent sends nothing until the boot's silence is over. A link that outlives the reset stays open, because opening
// a port may reset the board; what was learned over it is forgotten.
func (n *connection) keepSilent(ctx context.Context, b *boot) error {
	left := b.silence - time.Since(b.asked)
	if left <= 0 {
		return nil
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-n.ended():
		b.vanished = true
		n.close()
		if b.caught { // the port that comes back first may be the bootloader's
			return sleep(ctx, b.silence-time.Since(b.asked))
		}
		b.silence = 0
	case <-t.C:
		if n.client != nil {
			n.client.Restarted()
		}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// watch waits for d and returns an error if the link ends meanwhile.
func (n *connection) watch(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-n.ended():
		return n.client.Err()
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
