package sim

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockOffset is a place far behind the end of any flash file: a lock of Windows keeps others from reading what it
// covers.
const lockOffset = 1 << 30 // times 4 GiB

// lock takes an open file for this program alone until it is closed.
func lock(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{OffsetHigh: lockOffset})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errFlashBusy
	}
	return err
}

// swapFor puts the file next in the place of the open one. An open file cannot be renamed over here, so for a moment
// the name is unlocked; a program that takes it then keeps it, and this one gets an error.
func (f *flashFile) swapFor(next *os.File) error {
	if err := next.Close(); err != nil {
		return err
	}
	if f.f != nil {
		f.f.Close()
	}
	err := os.Rename(next.Name(), f.name)
	open, openErr := os.OpenFile(f.name, os.O_RDWR, 0)
	f.f = open
	if openErr == nil {
		openErr = lock(open)
	}
	if err != nil {
		return err
	}
	return openErr
}
