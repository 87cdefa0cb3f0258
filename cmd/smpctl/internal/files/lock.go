package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
)

// lockWait is how long another smpctl may hold a lock. It needs milliseconds; one that is stopped holds it until it
// goes on.
const lockWait = 10 * time.Second

// Lock takes a lock that one program at a time can have, on every system, and waits for it. It is a file that
// stays, for removing it would take it from under who waits for it. Where the file system has no locks, none is taken.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, FileError(path, err)
	}
	locked, gaveUp := make(chan error), make(chan struct{})
	defer close(gaveUp)
	go func() { // may outlive the wait for it: nothing wakes it
		err := lock(f)
		select {
		case locked <- err:
		case <-gaveUp:
			f.Close()
		}
	}()
	select {
	case err := <-locked:
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			f.Close()
			return nil, FileError(path, err)
		}
		return func() { f.Close() }, nil
	case <-time.After(lockWait):
		return nil, fmt.Errorf("%s: another smpctl has held the lock for %s", path, human.Span(lockWait))
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Locked reports whether a program has the lock that [Lock] takes. It does not wait. Where the file system has no locks
// nobody knows, and the answer is yes.
func Locked(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, FileError(path, err)
	}
	defer f.Close()
	return isLocked(f), nil
}
