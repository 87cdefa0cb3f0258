package smp

import (
	"errors"
	"fmt"
)

// ErrNoReply says that the device did not answer any try of a request in time.
var ErrNoReply = errors.New("no reply")

// ErrClosed says that the client was closed, by [Client.Close] or because its link ended; in the second case the link's
// own error is in the chain too.
var ErrClosed = errors.New("connection closed")

// ErrStalled says that an upload or a download made no progress for half a minute although the device kept answering,
// or that the device restarted too often.
var ErrStalled = errors.New("transfer makes no progress")

// ErrInBootloader says that an upload for the application cannot begin, or go on, because MCUboot's serial recovery
// answers.
var ErrInBootloader = errors.New("the device is in its bootloader (MCUboot serial recovery), where an upload overwrites the application: " +
	"no test, no way back")

// DeviceError is a refusal: the device understood the packet and answered with an error.
type DeviceError struct {
	Command string // what was asked, such as "image upload"
	Group   Group  // whose table Code is from; meaningless when Global
	Code    int    // never 0
	Global  bool   // Code is from the table that all groups share: all of version 1, and those of the server itself
	Reason  string // the device's own words (rsn), often empty; untrusted text
}

// Error names the command, the code's meaning and the device's own words, if any. Control characters are escaped.
func (e *DeviceError) Error() string {
	c := e.entry()
	text := c.text
	if text == "" {
		text = "unknown error"
	}
	where := fmt.Sprintf("rc %d", e.Code)
	if !e.Global {
		where = fmt.Sprintf("%s %d", e.Group, e.Code)
	}
	if c.name != "" {
		where += " " + c.name
	}
	s := fmt.Sprintf("%s: device refused: %s (%s)", e.Command, text, where)
	if e.Reason != "" {
		s += ": " + printable(e.Reason)
	}
	return s
}

// Name is the code's name in Zephyr's sources without its prefix, such as "NO_FREE_SLOT"; empty if this package does
// not know it.
func (e *DeviceError) Name() string { return e.entry().name }

// Unsupported reports whether the device does not have the command at all: an unknown group or command, or one that
// was not built in.
func (e *DeviceError) Unsupported() bool { return e.Global && e.Code == rcNotSupported }

// Busy reports whether the device asks to try again later.
func (e *DeviceError) Busy() bool { return e.Global && e.Code == rcBusy }

// exhausted reports whether the device lacks memory for now: for a request, its answer, or an upload.
func (e *DeviceError) exhausted() bool {
	return e.Global && e.Code == rcNoMemory || !e.Global && e.Group == GroupImage && e.Code == imageNoMemory
}

func (e *DeviceError) entry() code {
	if e.Global {
		return globalCodes[e.Code]
	}
	return groupCodes[e.Group][e.Code]
}

// IsUnsupported reports whether err is a refusal because the device does not have the command: for an optional command
// a normal outcome.
func IsUnsupported(err error) bool {
	var d *DeviceError
	return errors.As(err, &d) && d.Unsupported()
}

// isRefusal reports whether err is any refusal of the device.
func isRefusal(err error) bool {
	var d *DeviceError
	return errors.As(err, &d)
}

// ProtocolError is an answer that makes no sense: not decodable, or not allowed in this place.
type ProtocolError struct {
	Command string // what was asked
	Problem string // what is wrong with the answer
	Packet  []byte // the payload that caused it, at most 256 bytes of it; may be nil
}

// Error says what was asked and what is wrong with the answer.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("%s: unusable answer: %s", e.Command, printable(e.Problem))
}

// maxQuoted limits how much of an answer an error keeps.
const maxQuoted = 256

func protocolError(command, problem string, packet []byte) *ProtocolError {
	return &ProtocolError{command, problem, append([]byte(nil), packet[:min(len(packet), maxQuoted)]...)}
}
