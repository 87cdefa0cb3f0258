package files

import (
	"errors"
	"syscall"
	"time"
)

const (
	heldFor   = 2 * time.Second // how long others may look into a file
	heldEvery = 20 * time.Millisecond
)

// unheld does something with a file. Windows refuses to replace one while any program has it open, such as another
// smpctl that reads it, or a virus scanner, and to open one that is being replaced: that is over in a moment.
func unheld(do func() error) error {
	const sharingViolation = syscall.Errno(32)
	for start := time.Now(); ; time.Sleep(heldEvery) {
		err := do()
		held := errors.Is(err, syscall.ERROR_ACCESS_DENIED) || errors.Is(err, sharingViolation)
		if !held || time.Since(start) >= heldFor {
			return err
		}
	}
}
