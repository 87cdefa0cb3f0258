package app

import (
	"context"
	"errors"
	"io"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// exit reports the error, if any, and returns the exit code.
func (a *App) exit(ctx context.Context, err error) int {
	if lost := a.out.lost(); lost != nil && (err == nil || errors.Is(err, lost)) {
		if readerGone(lost) && !a.updating.Load() {
			return codeReaderGone
		}
		err = lost
	}
	if err == nil {
		return 0
	}
	var status failure.StatusError
	if errors.As(err, &status) {
		return status.Code() // the device's command has said why
	}
	if !a.Began {
		err = failure.AsUsage(err)
	}
	k, f := failure.KindOf(ctx, err), a.Failure(ctx, err)
	var group *noCommandError
	if errors.As(err, &group) && !a.Flags.JSON {
		_, _ = io.WriteString(a.Err, group.help) // standard output is for results
		f.Hint = ""
	}
	a.ShowFailure(f)
	return k.Code
}

// ShowFailure shows an error and what to do about it, as the end of a command does.
func (a *App) ShowFailure(f Failure) {
	if a.Flags.JSON {
		a.jsonLine(errorEvent{f})
		return
	}
	a.Fault(f.Message)
	if f.Hint != "" {
		a.tell(screen.Bold, "hint: ", f.Hint)
	}
}

// Fault shows an error to a person.
func (a *App) Fault(message string) { a.tell(Failed.bold(), "smpctl: ", message) }

// codeReaderGone is for a command whose reader has enough, as in "| head -1": what a shell makes of a filter that its
// pipe ended (128 and SIGPIPE), without a word. It is none of the kinds, for nothing failed.
const codeReaderGone = 141
