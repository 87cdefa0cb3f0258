package fleet

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// ExpectError says that there are not as many boards as there should be. Nothing was touched.
type ExpectError struct {
	Want  int
	Found []Board // what is there, in the order of the plan
}

// Error names what is there.
func (e *ExpectError) Error() string {
	boards := "boards"
	if e.Want == 1 {
		boards = "board"
	}
	s := fmt.Sprintf("%d %s expected, %d there", e.Want, boards, len(e.Found))
	if len(e.Found) == 0 {
		return s
	}
	return s + ": " + list(e.Found, Board.text)
}

// ClashError says that several boards have the same identity, so that none of them is touched. To go on, plug in one of
// them at a time; or give each a serial number of its own.
type ClashError struct {
	Boards []Candidate // those that have it, at least two, in the order of their places
}

// Error names the identity and the places.
func (e *ClashError) Error() string {
	return fmt.Sprintf("%d boards say that they are %04x:%04x with serial number %s, and cannot be told apart: %s",
		len(e.Boards), e.Boards[0].VID, e.Boards[0].PID, e.Boards[0].Serial, list(e.Boards, Candidate.where))
}

// PortsError says that a board has several ports that fit, so that it is not touched. To go on, name one of them, by an
// address with the number of its interface, or by its own name.
type PortsError struct {
	Ports []Candidate // of the board, at least two, in the order of their interfaces
}

// Error names the ports.
func (e *PortsError) Error() string {
	return "the board has several ports that fit: " + list(e.Ports, Candidate.which)
}

// PanicError is a bug in the work with one board, which ends that board's work and nothing else.
type PanicError struct {
	Value any    // of the panic; nil if the work ended its goroutine
	Stack []byte // of the goroutine
}

// Error says that it is a bug.
func (e *PanicError) Error() string {
	if e.Value == nil {
		return "bug: the work ended its goroutine"
	}
	return fmt.Sprintf("bug: panic: %v", e.Value)
}

// Unwrap gives the value of the panic, if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

func panicked(value any) *PanicError { return &PanicError{Value: value, Stack: debug.Stack()} }

// maxListed is how many boards a message names.
const maxListed = 64

func list[T any](all []T, text func(T) string) string {
	var texts []string
	for _, t := range all[:min(len(all), maxListed)] {
		texts = append(texts, text(t))
	}
	if more := len(all) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, ", ")
}

// text is a board with its port.
func (b Board) text() string {
	if b.Name == b.Port {
		return b.Port
	}
	return fmt.Sprintf("%s (%s)", b.Name, b.Port)
}

// where says where a port is.
func (c Candidate) where() string {
	if c.Location == "" {
		return c.Port
	}
	return fmt.Sprintf("%s at %s", c.Port, c.Location)
}

// which says which of a board's ports this is.
func (c Candidate) which() string {
	if c.Interface < 0 {
		return c.Port
	}
	return fmt.Sprintf("%s (if=%d)", c.Port, c.Interface)
}
