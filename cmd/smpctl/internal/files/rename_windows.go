package files

import (
	"errors"
	"os"
	"syscall"
	"time"
)

const (
	renameWait  = 2 * time.Second // how long others may look into a file that is to be replaced
	renameEvery = 20 * time.Millisecond
)

// rename puts a file in the place of another. Windows refuses that while any program has the other one open, such as
// another smpctl that reads it, or a virus scanner: that is over in a moment.
func rename(from, to string) error {
	const sharingViolation = syscall.Errno(32)
	for start := time.Now(); ; time.Sleep(renameEvery) {
		err := os.Rename(from, to)
		held := errors.Is(err, syscall.ERROR_ACCESS_DENIED) || errors.Is(err, sharingViolation)
		if !held || time.Since(start) >= renameWait {
			return err
		}
	}
}
