package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
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
	k, f := failure.KindOf(ctx, err), a.Failure(ctx, err)
	if a.Flags.JSON {
		_ = json.NewEncoder(a.Err).Encode(errorEvent{f})
		return k.Code
	}
	fmt.Fprintf(a.Err, "smpctl: %s\n", f.Message)
	if f.Hint != "" {
		fmt.Fprintf(a.Err, "hint: %s\n", f.Hint)
	}
	return k.Code
}
