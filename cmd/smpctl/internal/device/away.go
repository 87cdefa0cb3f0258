package device

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/transport"
)

var (
	// errAway says that no port of the device is there.
	errAway = fmt.Errorf("the device is not there: %w", fs.ErrNotExist)
	// errOtherIdentity says that the port that came back belongs to the bootloader, as far as one can tell.
	errOtherIdentity = errors.New("the port came back with another identity: perhaps the bootloader's")
	// errPassedOn says that a name belonged to another port by the time that it was opened.
	errPassedOn error = &passedOnError{}
)

// lackingError says that a device is there without the port that it is known by.
type lackingError struct {
	number int              // of the interface
	ports  []transport.Port // that it has
}

func (e *lackingError) Error() string {
	names := make([]string, len(e.ports))
	for i, p := range e.ports {
		names[i] = p.Name
		if p.Interface != transport.AnyInterface {
			names[i] = fmt.Sprintf("%s (if=%d)", p.Name, p.Interface)
		}
	}
	return fmt.Sprintf("the device is there without interface %d, with %s", e.number, strings.Join(names, ", "))
}

func (e *lackingError) Is(target error) bool { return target == fs.ErrNotExist }

// strangerError says that a port of this name is there, and another device's.
type strangerError struct{ port transport.Port }

func (e *strangerError) Error() string {
	if !e.port.USB {
		return "what has this name now is not on USB"
	}
	what := fmt.Sprintf("what has this name now is %v:%v", e.port.VID, e.port.PID)
	if e.port.Serial != "" {
		what += ", serial number " + e.port.Serial
	}
	return what + ": another board, or a bootloader with a serial number of its own"
}

func (e *strangerError) Is(target error) bool { return target == fs.ErrNotExist }

// passedOnError says that the port that was meant is not there any more under the name that was opened.
type passedOnError struct{}

func (*passedOnError) Error() string { return "the port has just got another name" }

func (*passedOnError) Is(target error) bool { return target == fs.ErrNotExist }

// movedError says that the device of an address with a place is in another place now.
type movedError struct {
	to   transport.Port
	from string // as the address has it
}

func (e *movedError) Error() string {
	return fmt.Sprintf("the device is plugged in at %s now, and the address means %s", e.to.Location, e.from)
}

func (e *movedError) Is(target error) bool { return target == fs.ErrNotExist }

// missing is the error of a device that did not come back, or not whole, to the port of this name.
func missing(name string, err error, present []transport.Port) error {
	var lacking *lackingError
	var moved *movedError
	switch i := slices.IndexFunc(present, named(name)); {
	case errors.As(err, &lacking):
		err = &transport.OpenError{Address: name, Err: err}
		return failure.WithHint(err, "smpctl ports --probe shows which of its ports answers: name that with -p")
	case errors.As(err, &moved):
		err = &transport.OpenError{Address: name, Err: err}
		return failure.WithHint(err, "plug it in where it was, and the same command takes an update up")
	case err != errAway:
		return err
	case i >= 0:
		err = &transport.OpenError{Address: name, Err: &strangerError{present[i]}}
		return failure.WithHint(err, "plug the board of before in again, and the same command takes an update up; what "+
			"is there now can be named with "+failure.Offer(present[i], present))
	}
	return &transport.OpenError{Address: name, Err: fs.ErrNotExist}
}
