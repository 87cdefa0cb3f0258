//go:build !windows

package files

import (
	"errors"
	"os"
	"syscall"
)

// lock waits for a lock that ends with the file.
func lock(f *os.File) error { return flock(f, syscall.LOCK_EX) }

// tryLock takes such a lock, or returns errHeld at once.
func tryLock(f *os.File) error {
	err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errHeld
	}
	return err
}

func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// isLocked reports whether another open file has the lock.
func isLocked(f *os.File) bool {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); !errors.Is(err, syscall.EINTR) {
			return err != nil
		}
	}
}
