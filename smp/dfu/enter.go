package dfu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/smpctl/smpctl/smp"
)

const (
	// catchInterval is short against MCUboot's wait window (BOOT_SERIAL_WAIT_FOR_DFU_TIMEOUT, 500 ms by default).
	catchInterval = 80 * time.Millisecond
	// catchTime is how long a port is tried before it is called silent.
	catchTime = time.Second
	// resetSilence is kept after an accepted reset: the old firmware answers for another 250 ms, and bytes that arrive at
	// the very moment of the reset can leave a UART deaf.
	resetSilence = 500 * time.Millisecond
	// staysTime is how long an application goes on answering before it counts as having come back, when nothing else shows
	// that the device has reset.
	staysTime = 3 * time.Second
	// lookAgain is how often an application that answers is asked whether it still is one.
	lookAgain = 2 * time.Second
	// lookTime limits one such question, because the device may be reset in the middle of it. MCUboot checks signatures
	// before it answers, so it doubles with each attempt.
	lookTime = 5 * time.Second
)

// EnterBootloader waits until the bootloader answers on a device that has just accepted a reset with boot mode 1, at
// most for the given time. It returns the client to go on with: c itself, or a new one after c's link ended, in which
// case c is closed. A *[BootloaderError] says that the application came back instead.
func EnterBootloader(ctx context.Context, c *smp.Client, dial Dial, wait time.Duration) (*smp.Client, error) {
	n := &connection{dial, c}
	d := newDoor(n, func(string) {})
	d.accepted = time.Now()
	if err := d.enter(ctx, wait); err != nil {
		n.close()
		return c, err
	}
	return n.client, nil
}

// door waits for the bootloader behind a connection: until it comes up by itself, or to catch its wait window.
type door struct {
	*connection
	note     func(string) // tells the user what is going on
	accepted time.Time    // when the application accepted to reboot into the bootloader; zero if it was not asked
	vanished bool         // the link ended since
	reached  bool         // there was a connection at all

	application bool      // answers
	words       []byte    // that it answered with last
	looked      time.Time // when it was last asked what it is
	patience    time.Duration
	noted       string
}

func newDoor(n *connection, note func(string)) *door {
	return &door{connection: n, note: note, patience: lookTime, reached: n.client != nil}
}

// ask has the application reboot into its bootloader. It reports whether the bootloader is there already.
func (d *door) ask(ctx context.Context) (inside bool, err error) {
	if err := d.connect(ctx); err != nil {
		return false, err
	}
	d.reached = true
	firmware, _, err := d.client.Who(ctx)
	if err != nil || firmware == smp.SerialRecovery {
		return err == nil, err
	}
	err = d.client.OS.Reset(ctx, smp.ResetOptions{BootMode: smp.BootBootloader})
	if err != nil && !errors.Is(err, smp.ErrNoReply) {
		return false, err
	}
	d.accepted = time.Now()
	return false, nil
}

// enter waits until the bootloader answers.
func (d *door) enter(ctx context.Context, wait time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, wait, ErrNotBack)
	defer cancel()
	if !d.accepted.IsZero() {
		if err := d.keepSilent(ctx); err != nil {
			return err
		}
	}
	for {
		inside, err := d.try(ctx)
		switch {
		case inside:
			return nil
		case ctx.Err() != nil:
			return d.locked(context.Cause(ctx), err, wait)
		case d.hopeless(err):
			return err
		}
		if err != nil {
			d.tell(err)
		}
		if cause := sleep(ctx, catchInterval); cause != nil {
			return d.locked(cause, err, wait)
		}
	}
}

// keepSilent leaves the device alone while it resets.
func (d *door) keepSilent(ctx context.Context) error {
	t := time.NewTimer(resetSilence)
	defer t.Stop()
	select {
	case <-d.client.Done():
		d.vanished = true
	case <-t.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// hopeless reports whether an error will not pass: what keeps a port from being opened the first time, unless it is not
// there yet; an application that came back; an image list that is refused or makes no sense.
func (d *door) hopeless(err error) bool {
	var back *BootloaderError
	var refused *smp.DeviceError
	var nonsense *smp.ProtocolError
	if errors.As(err, &back) || errors.As(err, &refused) || errors.As(err, &nonsense) {
		return true
	}
	return err != nil && !d.reached && !errors.Is(err, fs.ErrNotExist)
}

// try asks until something answers or a second has passed, and looks who it is.
func (d *door) try(ctx context.Context) (inside bool, err error) {
	if _, err := d.again(ctx); err != nil {
		return false, err
	}
	d.reached = true
	catching, cancel := context.WithTimeoutCause(ctx, catchTime, smp.ErrNoReply)
	defer cancel()
	words, err := d.client.CatchBootloader(catching, catchInterval)
	if err != nil {
		d.vanished = d.vanished || errors.Is(err, smp.ErrClosed)
		return false, err
	}
	return d.answered(ctx, words)
}

// answered takes that answer. What answers as an application did a moment ago is taken for that.
func (d *door) answered(ctx context.Context, words []byte) (inside bool, err error) {
	now := time.Now()
	same := d.application && bytes.Equal(words, d.words) && now.Sub(d.looked) < lookAgain
	d.words = words
	if same {
		return false, nil
	}
	d.client.Restarted()
	looking, cancel := context.WithTimeoutCause(ctx, d.patience, smp.ErrNoReply)
	defer cancel()
	firmware, _, err := d.client.Who(looking)
	if err != nil {
		d.patience *= 2
		d.vanished = d.vanished || errors.Is(err, smp.ErrClosed)
		return false, err
	}
	d.looked = time.Now()
	d.application = firmware != smp.SerialRecovery
	if d.application {
		return false, d.outside()
	}
	return true, nil
}

// outside says that the application answers. One that came back after it was to reboot into the bootloader ends the
// wait.
func (d *door) outside() error {
	if d.accepted.IsZero() {
		d.say("the application answers: reset or power up the board now, or ask it to reboot into the bootloader")
		return nil
	}
	if d.vanished || time.Since(d.accepted) > staysTime {
		return &BootloaderError{Asked: true}
	}
	return nil
}

// tell says why nothing answers.
func (d *door) tell(err error) {
	switch {
	case !d.accepted.IsZero():
	case errors.Is(err, fs.ErrNotExist):
		d.say("the port is not there: reset or power up the board now")
	default:
		d.say("nothing answers: reset or power up the board now")
	}
}

func (d *door) say(text string) {
	if text != d.noted {
		d.noted = text
		d.note(text)
	}
}

// locked names the reason why the wait for the bootloader ended.
func (d *door) locked(cause, last error, wait time.Duration) error {
	switch {
	case !errors.Is(cause, ErrNotBack):
		return cause
	case d.application:
		return &BootloaderError{Asked: !d.accepted.IsZero()}
	case !d.accepted.IsZero():
		return notBack(cause, last, wait)
	case last == nil || errors.Is(last, ErrNotBack):
		last = smp.ErrNoReply
	}
	return fmt.Errorf("no bootloader within %v: %w", wait, last)
}
