package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

var (
	// ErrBusy says that another program holds the port.
	ErrBusy = errors.New("port is in use by another program")

	// ErrDisconnected says that the far end is gone: the device was unplugged,
	// reset its USB, or closed the connection. The system's own error is
	// wrapped beside it. A [Conn] that returned it is of no further use.
	ErrDisconnected = errors.New("device disconnected")

	// ErrClosed says that [Conn.Close] was called.
	ErrClosed = errors.New("connection is closed")

	errNotPort = errors.New("not a serial port")

	// errNoPort is for systems that do not say it themselves.
	errNoPort error = worded{"there is no such port", fs.ErrNotExist}
)

// OpenError says why an address could not be opened. Its cause matches
// [fs.ErrNotExist], [fs.ErrPermission] or [ErrBusy] where one of these is meant,
// or is a [*ChoiceError] if the address did not name exactly one port.
type OpenError struct {
	Address string // as the user gave it; empty if none was given
	Err     error  // the cause

	// Holder is a process that has the port open, if the cause is [ErrBusy] and the system tells: Linux does, of the
	// user's own processes, and of others' if they locked the port as this package does. It may be this process.
	Holder Process

	// Group is the group whose members may open the device file, if the cause is [fs.ErrPermission] and that is what
	// is missing, on Linux: dialout, uucp, plugdev. It is a number if it has no name, and never that of root.
	Group string
	// InGroup says that the user is in Group by now, but was not when this session began: who logs in again may open
	// the port.
	InGroup bool
}

// Process is a running program.
type Process struct {
	PID int // 0 if unknown
	// Name is what the program calls itself, 64 bytes at most. It may have any bytes in it: whoever prints it must
	// filter what could steer a terminal.
	Name string
}

// Error names the address, if one was given, and the cause.
func (e *OpenError) Error() string {
	if e.Address == "" {
		return "open the serial port: " + e.Err.Error()
	}
	return "open " + e.Address + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error { return e.Err }

// AddressError says what is wrong with the text of an address. It is a mistake
// of the user, found before anything is opened.
type AddressError struct {
	Address string // as the user gave it
	Problem string // what is wrong, in words
}

// Error names the address and the problem.
func (e *AddressError) Error() string {
	return fmt.Sprintf("address %q: %s", e.Address, e.Problem)
}

// ChoiceError says that an address did not mean exactly one of the ports present.
type ChoiceError struct {
	Matched int // how many ports fit the address: 0, or more than 1
	// Candidates are the ports to choose from: those that fit if several did,
	// else every USB port present.
	Candidates []Port
	Present    []Port // every USB port present, for [AddressOf]
}

// Error names the ports to choose from.
func (e *ChoiceError) Error() string {
	names := make([]string, len(e.Candidates))
	for i, p := range e.Candidates {
		names[i] = p.Name
	}
	list := strings.Join(names, ", ")
	switch {
	case e.Matched > 1:
		return fmt.Sprintf("%d ports match: %s", e.Matched, list)
	case list == "":
		return "no USB serial port present"
	}
	return "no port matches; present: " + list
}

// Is makes a choice without any match an [fs.ErrNotExist].
func (e *ChoiceError) Is(target error) bool {
	return e.Matched == 0 && target == fs.ErrNotExist
}
