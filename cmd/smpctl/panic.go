package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// bugError is a panic: a mistake in smpctl, whatever the user, a file or the device did.
type bugError struct {
	cause any
	where string // the functions that were at work, the innermost first
	stack []byte
}

func (e *bugError) Error() string {
	return fmt.Sprintf("this is a bug in smpctl: %v, in %s", e.cause, e.where)
}

const bugHint = "please report it with the whole command line, this message and what smpctl version prints: " +
	"https://github.com/smpctl/smpctl/issues (-l debug shows more)"

// guard runs f and makes a panic in it an error, for Go would end the process with exit code 2 and leave the terminal
// as it is. What no guard can catch: fatal errors of the Go runtime, such as a stack that is used up, and panics in
// goroutines of libraries, ours included.
func guard(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &bugError{cause, atWork(), debug.Stack()}
		}
	}()
	return f()
}

// spawn runs f beside the command. A panic in it ends the command like one of its own.
func (a *app) spawn(f func()) { go a.guarded(f)() }

func (a *app) guarded(f func()) func() {
	if a.end == nil { // not in a command
		return f
	}
	return func() {
		if err := guard(func() error { f(); return nil }); err != nil {
			a.end(err)
		}
	}
}

// afterBug gives the terminal back, and gives the bug of a goroutine in the place of the error that came of it.
func (a *app) afterBug(ctx context.Context, err error) error {
	var bug *bugError
	if !errors.As(context.Cause(ctx), &bug) && !errors.As(err, &bug) {
		return err
	}
	if bars := a.bars.Swap(nil); bars != nil {
		bars.Shutdown()
	}
	a.log.Debug("panic", "stack", string(bug.stack))
	return bug
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
		case panicked && strings.HasSuffix(f.Function, ".guard"):
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
