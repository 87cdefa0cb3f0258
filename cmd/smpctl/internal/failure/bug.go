package failure

import (
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
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

const bugHint = "please report it with the whole command line, this message and what smpctl version prints: " +
	"https://github.com/smpctl/smpctl/issues (-l debug shows more)"

// Guard runs f and makes a panic in it a *[BugError], for Go would end the process with exit code 2 and leave the
// terminal as it is. What no guard can catch: fatal errors of the Go runtime, such as a stack that is used up, and
// panics in goroutines of libraries, ours included.
func Guard(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &BugError{cause, atWork(), debug.Stack()}
		}
	}()
	return f()
}

// atWork names the functions of this program that a panic unwinds, without the folders of who built it.
func atWork() string {
	const deepest, shown = 64, 4
	pc := make([]uintptr, deepest)
	frames := runtime.CallersFrames(pc[:runtime.Callers(0, pc)])
	var names []string
	panicked := false
	for more := true; more && len(names) < shown; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicked = true
		case panicked && strings.HasSuffix(f.Function, ".Guard"):
			more = false
		case panicked && isOurs(f.Function):
			names = append(names, fmt.Sprintf("%s (%s:%d)", path.Base(f.Function), filepath.Base(f.File), f.Line))
		}
	}
	return strings.Join(names, " < ")
}

func isOurs(function string) bool {
	return strings.HasPrefix(function, "main.") || strings.HasPrefix(function, "github.com/smpctl/smpctl/")
}
