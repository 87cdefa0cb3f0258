//go:build !windows

package files

import (
	"errors"
	"os"
	"syscall"
)

// lock waits for a lock that ends with the file.
func lock(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
