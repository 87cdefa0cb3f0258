package failure

import (
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/transport"
)

// Heard is what came over a link instead of an answer, and what kind of link that is.
type Heard struct {
	transport.Heard
	Link transport.Kind // of its address
	Baud int            // bits per second, of a serial port
	Raw  bool           // framing without lines
}

// unansweredError is a device that did not answer, with what came from it instead.
type unansweredError struct {
	error
	heard Heard
}

func (e *unansweredError) Error() string { return e.error.Error() + "; " + e.heard.sentence() }

func (e *unansweredError) Unwrap() error { return e.error }

// WithHeard adds to the error of a device that did not answer what was heard instead. Others stay as they are, also
// that of a port that went away.
func WithHeard(err error, h Heard) error {
	var open *transport.OpenError
	silent := errors.Is(err, smp.ErrNoReply) || errors.Is(err, smp.ErrStalled) || errors.Is(err, dfu.ErrNotBack)
	if !silent || errors.As(err, &open) {
		return err
	}
	return &unansweredError{err, h}
}

// HeardBy is a word for what was heard instead of an answer: nothing, text, garbage, echo or frames. It is empty if the
// error is another.
func HeardBy(err error) string {
	var e *unansweredError
	if !errors.As(err, &e) {
		return ""
	}
	return string(e.heard.Kind)
}

// sentence says what was heard.
func (h Heard) sentence() string {
	switch h.Kind {
	case transport.HeardText:
		if h.Line == "" {
			return "the device prints text"
		}
		return fmt.Sprintf("the device prints text: %q", h.Line)
	case transport.HeardGarbage:
		if h.Line != "" {
			return fmt.Sprintf("text turns into unreadable bytes: %q", h.Line)
		}
		return "unreadable bytes were heard"
	case transport.HeardEcho:
		return "our own bytes came back"
	case transport.HeardFrames:
		return frames[h.Frames].heard
	}
	if h.Answers > 0 {
		return "nothing was heard since its last answer"
	}
	return "nothing was heard"
}

// hint says what to do about what was heard.
func (h Heard) hint() string {
	switch {
	case h.Kind == transport.HeardFrames:
		return frames[h.Frames].hint
	case h.Kind == transport.HeardEcho:
		return "a terminal, a modem or a loop of the wires sends them back: " + otherPort
	case h.Kind == transport.HeardGarbage && h.Link == transport.KindTCP:
		return "is the device's baud rate another than that of the server's port?"
	case h.Kind == transport.HeardGarbage:
		return fmt.Sprintf("is it another baud rate than %d? try -b %d", h.Baud, h.otherBaud())
	case h.Answers > 0 && h.Kind == transport.HeardText:
		return "the firmware may have crashed or restarted; smpctl monitor shows what it prints"
	case h.Kind == transport.HeardText:
		return "a console or a shell? " + otherPort
	case h.Answers > 0:
		return "the command may take longer than --timeout, or the device has crashed or restarted"
	case h.Link == transport.KindUDP:
		return "check the address, and that the firmware has SMP over UDP on this port"
	case h.Link == transport.KindTCP:
		return "check what is behind the server, its baud rate, and that the firmware has SMP on this port " +
			h.framing()
	}
	return "check port, baud rate and cable, that the firmware has SMP on this port " + h.framing() +
		", and that no terminal program reads it too"
}

// framing is the other one: whoever hears the wrong one is silent.
func (h Heard) framing() string {
	if h.Raw {
		return "(without --raw if it uses console framing)"
	}
	return "(--raw if it uses raw framing)"
}

const otherPort = "SMP may be on another port, and smpctl ports --probe asks all of them"

// otherBaud is the rate to try: Zephyr's boards have 115200, and Nordic's and others 1000000 where it must be fast.
func (h Heard) otherBaud() int {
	if h.Baud == transport.DefaultBaud {
		return 1_000_000
	}
	return transport.DefaultBaud
}

// frames say what was heard, and what to do, of each kind of frame.
var frames = map[transport.FrameKind]struct{ heard, hint string }{
	transport.FramesUnasked: {"SMP packets came that answer none of ours",
		"another program or another host uses the same line"},
	transport.FramesDamaged: {"SMP packets came, and none was whole",
		"bytes get lost or changed on the way: another program that reads the port, a bad cable, a baud rate that is " +
			"too high; --trace FILE shows them"},
	transport.FramesRaw: {"bare SMP packets came", "the firmware uses raw framing: add --raw"},
	transport.FramesConsole: {"SMP packets came in console framing",
		"the firmware uses console framing: leave out --raw"},
	transport.FramesHDLC: {"frames of another protocol came (HDLC, as in PPP and Spinel)", otherPort},
	transport.FramesSLIP: {"frames of another protocol came (SLIP)", otherPort},
	transport.FramesCOBS: {"frames of another protocol came (COBS)", otherPort},
	"":                   {"packets of another protocol came", "check the address: something else answers there"},
}
