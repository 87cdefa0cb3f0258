package app

import (
	"context"
	"errors"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// Spawn runs f beside the command. A panic in it ends the command like one of its own.
func (a *App) Spawn(f func()) { go a.Guarded(f)() }

func (a *App) Guarded(f func()) func() {
	if a.end == nil { // not in a command
		return f
	}
	return func() {
		if err := failure.Guard(func() error { f(); return nil }); err != nil {
			a.end(err)
		}
	}
}

// afterBug gives the terminal back, and the bug of a goroutine in the place of the error that came of it.
func (a *App) afterBug(ctx context.Context, err error) error {
	var bug *failure.BugError
	if !errors.As(context.Cause(ctx), &bug) && !errors.As(err, &bug) {
		return err
	}
	a.doing.endAll()
	a.Log.Debug("panic", "stack", string(bug.Stack))
	return bug
}
