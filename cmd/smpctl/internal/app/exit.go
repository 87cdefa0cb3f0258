package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
)

// exit reports the error, if any, and returns the exit code.
func (a *App) exit(ctx context.Context, err error) int {
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
	k := failure.KindOf(ctx, err)
	if k == failure.KindInterrupted {
		err = failure.ErrInterrupted
	}
	hint := failure.Hint(k, err, a.situation())
	if a.Flags.JSON {
		a.jsonError(k, err, hint)
		return k.Code
	}
	fmt.Fprintf(a.Err, "smpctl: %v\n", err)
	if hint != "" {
		fmt.Fprintf(a.Err, "hint: %s\n", hint)
	}
	return k.Code
}

// jsonFailure is the shape of an error on standard error with --json.
type jsonFailure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Group   *int   `json:"group,omitempty"`
	Code    *int   `json:"code,omitempty"`
	Name    string `json:"name,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

// situation is what this command has come to.
func (a *App) situation() failure.Situation {
	now := failure.Situation{Reached: a.Reached}
	if a.Heard != nil {
		now.Heard = a.Heard()
	}
	return now
}

func (a *App) jsonError(k failure.Kind, err error, hint string) {
	f := jsonFailure{Kind: k.Name, Message: err.Error(), Hint: hint}
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
	_ = json.NewEncoder(a.Err).Encode(map[string]jsonFailure{"error": f})
}
