package station

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
)

// platform is how os-info is asked for the board that a firmware was built for (Zephyr: OS management, "i").
const platform = "i"

// unfitError is a board that the station does not work on.
type unfitError struct {
	kind string // of its trouble, as tiles say it
	error
}

func (e *unfitError) Unwrap() error { return e.error }

// expected refuses a board of another type, before anything of it is changed. An empty name is any board.
func expected(ctx context.Context, board *app.App, name string) error {
	if name == "" {
		return nil
	}
	var is string
	_, err := device.With(ctx, board, func(c *smp.Client) (_ app.Result, err error) {
		is, err = c.OS.Info(ctx, platform)
		return nil, err
	})
	var refused *smp.DeviceError
	if errors.As(err, &refused) {
		err = fmt.Errorf("it does not say what board it is: %w", err)
	}
	if err != nil {
		return err
	}
	if is = strings.TrimSpace(is); is != name {
		return &unfitError{"other-board", failure.Refused(fmt.Errorf("it is a %s, and not a %s", is, name))}
	}
	return nil
}
