package update

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/child"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
)

// defaultCheckTime is more than any self-test of a board takes, and less than a night.
const defaultCheckTime = 10 * time.Minute

// lookUpCheck refuses a check whose program is not there, before the device hears anything.
func lookUpCheck(ctx context.Context, command string) error {
	if command == "" {
		return nil
	}
	if err := child.LookUp(ctx, command); err != nil {
		return failure.AsUsage(fmt.Errorf("--check: %w", err))
	}
	return nil
}

// check runs the user's command, with its output as news and the port in its environment. When it takes too
// long or the user gives up, it ends with all its children.
func check(ctx context.Context, a *app.App, command, port string, limit time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := child.Shell(limited, command)
	child.InBackground(cmd)
	cmd.Env = child.Environment(device.PortVariable + "=" + port)
	said := a.Quoter(app.FromCheck)
	defer said.Close()
	cmd.Stdout, cmd.Stderr = said, said
	err := child.Run(limited, cmd)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it passed, and left an agent with its output open
		return nil
	case limited.Err() != nil:
		return fmt.Errorf("%s: took longer than %s (--check-time)", command, human.Span(limit))
	}
	return fmt.Errorf("%s: %w", command, err)
}
