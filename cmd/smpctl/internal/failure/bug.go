package failure

import (
	"fmt"
)

// BugError is a panic: a mistake in smpctl, whatever the user, a file or the device did.
type BugError struct {
	cause any
	Where string // the functions that were at work, the innermost first
	Stack []byte
}

func (e *BugError) Error() string {
	return fmt.Sprintf("this is a bug in smpctl: %v, in %s", e.cause, e.Where)
}

// NewBug makes an error of a panic.
func NewBug(cause any, where string, stack []byte) error { return &BugError{cause, where, stack} }

const bugHint = "please report it with the whole command line, this message and what smpctl version prints: " +
	"https://github.com/smpctl/smpctl/issues (-l debug shows more)"
