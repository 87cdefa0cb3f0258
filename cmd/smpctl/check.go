package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// defaultCheckTime is more than any self-test of a board takes, and less than a night.
const defaultCheckTime = 10 * time.Minute

// check runs the user's command, with its output on standard error and the port in its environment. When it takes too
// long or the user gives up, it ends with all its children.
func (a *app) check(ctx context.Context, command, port string, limit time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := hostShell(limited, command)
	inBackground(cmd)
	cmd.Env = childEnvironment(portVariable + "=" + port)
	cmd.Stdout, cmd.Stderr = a.err, a.err
	err := runWhole(limited, cmd)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it passed, and left an agent with its output open
		return nil
	case limited.Err() != nil:
		return fmt.Errorf("%s: took longer than %s (--check-time)", command, span(limit))
	}
	return fmt.Errorf("%s: %w", command, err)
}
