package smp

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
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
var ErrInBootloader = errors.New("the device is in its bootloader (MCUboot serial recovery), where an upload " +
	"overwrites the application: " +
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
}

// Error says what was asked and what is wrong with the answer.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("%s: unusable answer: %s", e.Command, printable(e.Problem))
}

func protocolError(command, problem string) *ProtocolError { return &ProtocolError{command, problem} }

// decode reads the payload of a reply: first whether it is a refusal, then the values.
func (cmd command[Q, A]) decode(body []byte) (A, error) {
	var answer A
	if err := refusal(cmd.name, cmd.group, body); err != nil {
		return answer, err
	}
	if err := decode(body, &answer); err != nil {
		var nothing A
		return nothing, protocolError(cmd.name, err.Error())
	}
	return answer, nil
}

// status holds the keys by which a reply says no (Zephyr smp_protocol.rst, "Minimal response SMP data").
type status struct {
	RC     int64           `cbor:"rc"`
	Reason string          `cbor:"rsn"`
	Err    groupStatus     `cbor:"err"`
	Ret    cbor.RawMessage `cbor:"ret"` // name of err in the first servers with version 2; a number in shell replies
}

type groupStatus struct {
	Group uint16 `cbor:"group"`
	RC    int64  `cbor:"rc"`
}

// refusal returns the error that the reply carries, or nil. The keys are looked for whatever the version of the
// reply, because MCUboot answers version 2 requests in the shape of version 1.
func refusal(name string, group Group, body []byte) error {
	var s status
	if err := decode(body, &s); err != nil {
		return protocolError(name, err.Error())
	}
	return s.refusal(name, group)
}

func (s *status) refusal(name string, group Group) error {
	if s.Err.RC == 0 && isMap(s.Ret) {
		if err := decode(s.Ret, &s.Err); err != nil {
			return protocolError(name, err.Error())
		}
	}
	switch {
	case s.Err.RC != 0:
		return &DeviceError{Command: name, Group: Group(s.Err.Group), Code: clampInt32(s.Err.RC), Reason: s.Reason}
	case s.RC != 0:
		return &DeviceError{Command: name, Group: group, Code: clampInt32(s.RC), Global: true, Reason: s.Reason}
	}
	return nil
}

// clampInt32 keeps a huge code from becoming another one, or none, where int has 32 bits.
func clampInt32(n int64) int { return int(min(max(n, math.MinInt32), math.MaxInt32)) }

// maxPrintable limits how much of a device's text an error message repeats, in bytes.
const maxPrintable = 512

// printable makes text from a device fit for a terminal: everything that is not a printable character is escaped as
// in a Go string, and a very long text is cut.
func printable(s string) string {
	cut := len(s) > maxPrintable
	if cut {
		s = s[:maxPrintable]
	}
	if strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) >= 0 {
		quoted := strconv.Quote(s)
		s = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	}
	if cut {
		s += "…"
	}
	return s
}
