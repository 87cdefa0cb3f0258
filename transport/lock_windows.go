package transport

import (
	"errors"

	"golang.org/x/sys/windows"
)

// portLock does nothing: Windows opens a serial port for one program at a time.
type portLock struct{}

func lockPort(string) (*portLock, error) { return &portLock{}, nil }

// adopt has nothing to do: handles are not inherited unless asked for.
func (l *portLock) adopt() {}

func (l *portLock) close() {}

// isBusy tells which error the library passes on as it is.
func isBusy(err error) bool { return errors.Is(err, windows.ERROR_SHARING_VIOLATION) }
