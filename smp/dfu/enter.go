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
	// entrySilence is kept after an accepted reset: the old firmware answers for another 250 ms, and bytes that arrive
	// at the very moment of the reset can leave a UART deaf.
	entrySilence = 500 * time.Millisecond
	// staysTime is how long an application goes on answering before it counts as having come back, when nothing else
	// shows that the device has reset.
	staysTime = 3 * time.Second
	// whoInterval is how often an application that answers is asked whether it still is one.
	whoInterval = 2 * time.Second
	// whoTime limits one such question, because the device may be reset in the middle of it. MCUboot checks signatures
	// before it answers, so it doubles with each attempt.
	whoTime = 5 * time.Second
)

// EnterBootloader waits until the bootloader answers on a device that has just accepted a reset with boot mode 1, at
// most for the given time. It returns the client to go on with: c itself, or a new one after c's link ended, in which
// case c is closed. A *[BootloaderError] says that the application came back instead; with an error c is closed.
func EnterBootloader(ctx context.Context, c *smp.Client, dial Dial, wait time.Duration) (*smp.Client, error) {
	s := newSession(dial, nil, wait, nil)
	s.client = c
	e := newEntry(&s)
	e.accepted = time.Now()
	if err := e.await(ctx, wait); err != nil {
		s.close()
		return c, err
	}
	return s.client, nil
}

// entry waits for the bootloader: until it comes up by itself, or to catch its wait window.
type entry struct {
	*session
	quiet     bool      // the user is not told what is going on
	accepted  time.Time // when the application accepted to reboot into the bootloader; zero if it was not asked
	linkEnded bool      // since then
	connected bool      // there was a connection at all

	application bool   // answers
	answer      []byte // that came last
	asked       time.Time
	askTime     time.Duration // how long the next question who answers may take
	noted       string
}

func newEntry(s *session) *entry {
	return &entry{session: s, askTime: whoTime, connected: s.client != nil}
}

// ask has the application reboot into its bootloader. It reports whether the bootloader is there already.
func (e *entry) ask(ctx context.Context) (inside bool, err error) {
	if err := e.connect(ctx); err != nil {
		return false, err
	}
	e.connected = true
	firmware, _, err := e.client.Who(ctx)
	if err != nil || firmware == smp.SerialRecovery {
		return err == nil, err
	}
	err = e.client.OS.Reset(ctx, smp.ResetOptions{BootMode: smp.BootBootloader})
	if err != nil && !errors.Is(err, smp.ErrNoReply) {
		return false, err
	}
	e.accepted = time.Now()
	return false, nil
}

// await waits until the bootloader answers.
func (e *entry) await(ctx context.Context, wait time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, wait, ErrNotBack)
	defer cancel()
	if !e.accepted.IsZero() { // it resets
		err := e.watch(ctx, entrySilence)
		if e.linkEnded = errors.Is(err, smp.ErrClosed); err != nil && !e.linkEnded {
			return err
		}
	}
	for {
		inside, err := e.try(ctx)
		switch {
		case inside:
			return nil
		case ctx.Err() != nil:
			return e.gaveUp(context.Cause(ctx), err, wait)
		case e.permanent(err):
			return err
		}
		if err != nil {
			e.explain(err)
		}
		if cause := sleep(ctx, catchInterval); cause != nil {
			return e.gaveUp(cause, err, wait)
		}
	}
}

// try asks until something answers or a second has passed, and looks who it is.
func (e *entry) try(ctx context.Context) (inside bool, err error) {
	if _, err := e.again(ctx); err != nil {
		return false, err
	}
	e.connected = true
	catching, cancel := context.WithTimeoutCause(ctx, catchTime, smp.ErrNoReply)
	defer cancel()
	answer, err := e.client.CatchBootloader(catching, catchInterval)
	if err != nil {
		e.linkEnded = e.linkEnded || errors.Is(err, smp.ErrClosed)
		return false, err
	}
	return e.identify(ctx, answer)
}

// identify asks who gave an answer. What answers as an application did a moment ago is taken for that.
func (e *entry) identify(ctx context.Context, answer []byte) (inside bool, err error) {
	same := e.application && bytes.Equal(answer, e.answer) && time.Since(e.asked) < whoInterval
	e.answer = answer
	if same {
		return false, nil
	}
	e.client.Restarted()
	asking, cancel := context.WithTimeoutCause(ctx, e.askTime, smp.ErrNoReply)
	defer cancel()
	firmware, _, err := e.client.Who(asking)
	if err != nil {
		e.askTime *= 2
		e.linkEnded = e.linkEnded || errors.Is(err, smp.ErrClosed)
		return false, err
	}
	e.asked = time.Now()
	e.application = firmware != smp.SerialRecovery
	if e.application {
		return false, e.applicationAnswers()
	}
	return true, nil
}

// applicationAnswers says so. An application that came back after it was to reboot into the bootloader ends the wait.
func (e *entry) applicationAnswers() error {
	if e.accepted.IsZero() {
		e.say("the application answers: reset or power up the board now, or ask it to reboot into the bootloader")
		return nil
	}
	if e.linkEnded || time.Since(e.accepted) > staysTime {
		return &BootloaderError{Asked: true}
	}
	return nil
}

// permanent reports whether an error will not pass: what keeps a port from being opened the first time, unless it is
// not there yet; an application that came back; an image list that is refused or makes no sense.
func (e *entry) permanent(err error) bool {
	var back *BootloaderError
	var refused *smp.DeviceError
	var nonsense *smp.ProtocolError
	if errors.As(err, &back) || errors.As(err, &refused) || errors.As(err, &nonsense) {
		return true
	}
	return err != nil && !e.connected && !errors.Is(err, fs.ErrNotExist)
}

// explain says why nothing answers.
func (e *entry) explain(err error) {
	switch {
	case !e.accepted.IsZero():
	case errors.Is(err, fs.ErrNotExist):
		e.say("the port is not there: reset or power up the board now")
	default:
		e.say("nothing answers: reset or power up the board now")
	}
}

// say tells the user, once, what is going on.
func (e *entry) say(text string) {
	if e.quiet || text == e.noted {
		return
	}
	e.noted = text
	e.note(deviceStep(Enter), text)
}

// gaveUp names the reason why the wait for the bootloader ended.
func (e *entry) gaveUp(cause, last error, wait time.Duration) error {
	switch {
	case !errors.Is(cause, ErrNotBack):
		return cause
	case e.application:
		return &BootloaderError{Asked: !e.accepted.IsZero()}
	case !e.accepted.IsZero():
		return notBack(cause, last, wait)
	case last == nil || errors.Is(last, ErrNotBack):
		last = smp.ErrNoReply
	}
	return fmt.Errorf("no bootloader within %v: %w", wait, last)
}
