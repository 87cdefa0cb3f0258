package app

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// Guard runs f and makes a panic in it an error, for Go would end the process with exit code 2 and leave the terminal
// as it is. What no guard can catch: fatal errors of the Go runtime, such as a stack that is used up, and panics in
// goroutines of libraries, ours included.
func Guard(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = failure.NewBug(cause, atWork(), debug.Stack())
		}
	}()
	return f()
}

// Spawn runs f beside the command. A panic in it ends the command like one of its own.
func (a *App) Spawn(f func()) { go a.Guarded(f)() }

func (a *App) Guarded(f func()) func() {
	if a.end == nil { // not in a command
		return f
	}
	return func() {
		if err := Guard(func() error { f(); return nil }); err != nil {
			a.end(err)
		}
	}
}

// afterBug gives the terminal back, and gives the bug of a goroutine in the place of the error that came of it.
func (a *App) afterBug(ctx context.Context, err error) error {
	var bug *failure.BugError
	if !errors.As(context.Cause(ctx), &bug) && !errors.As(err, &bug) {
		return err
	}
	if bars := a.bars.Swap(nil); bars != nil {
		bars.Shutdown()
	}
	a.Log.Debug("panic", "stack", string(bug.Stack))
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
