//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package sim

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes an open file for this program alone until it is closed.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errFlashBusy
	}
	return err
}

// swapFor puts the file next in the place of the open one, without a moment in which the name is unlocked.
func (f *flashFile) swapFor(next *os.File) error {
	if err := os.Rename(next.Name(), f.name); err != nil {
		return err
	}
	if f.f != nil {
		f.f.Close()
	}
	f.f = next
	return nil
}
