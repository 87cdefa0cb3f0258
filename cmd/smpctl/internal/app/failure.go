package app

import (
	"context"
	"errors"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
)

// Failure is an error in JSON, the same wherever it stands.
type Failure struct {
	// Kind is the sort of failure; each has its exit code: other 1, usage 2, port 3, no-reply 4, refused 5, image 6,
	// not-running 7, some-failed 8, interrupted 130.
	Kind    string `json:"kind"`
	Message string `json:"message"` // a sentence for people
	// Group is the number of the command group that the code belongs to; absent if it is one of the protocol itself.
	Group *int   `json:"group,omitempty"`
	Code  *int   `json:"code,omitempty"` // number with which the device refused
	Name  string `json:"name,omitempty"` // of the code
	// Heard is what came from a device that did not answer: nothing, text, garbage, echo or frames.
	Heard string `json:"heard,omitempty"`
	// Reason is a word for programs: why the new image does not run, what is wrong with a file, or the device's own.
	Reason string `json:"reason,omitempty"`
	Hint   string `json:"hint,omitempty"` // what to do next
}

// errorEvent is the line of standard error that tells the error.
type errorEvent struct {
	Error Failure `json:"error"`
}

// Failure describes the error that ended the command.
func (a *App) Failure(ctx context.Context, err error) Failure {
	k := failure.KindOf(ctx, err)
	switch {
	case k == failure.KindInterrupted:
		err = failure.ErrInterrupted
	case a.Heard != nil:
		err = failure.WithHeard(err, a.Heard())
	}
	now := failure.Situation{Reached: a.Reached, Command: a.command}
	f := Failure{Kind: k.Name, Message: failure.Text(err), Heard: failure.HeardBy(err), Hint: failure.Hint(k, err, now)}
	var refused *smp.DeviceError
	if errors.As(err, &refused) {
		f.Code, f.Name, f.Reason = &refused.Code, refused.Name(), refused.Reason
		if !refused.Global {
			group := int(refused.Group)
			f.Group = &group
		}
	}
	var running *dfu.NotRunningError
	if errors.As(err, &running) {
		f.Reason = string(running.Reason)
	}
	var file *image.Error
	if errors.As(err, &file) {
		f.Reason = string(file.Kind)
	}
	var reasoned interface{ Reason() string }
	if errors.As(err, &reasoned) {
		f.Reason = reasoned.Reason()
	}
	return f
}
