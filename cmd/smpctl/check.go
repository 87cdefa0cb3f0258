package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// check runs the user's command, with its output on standard error and the port in its environment.
func (a *app) check(ctx context.Context, command, port string) error {
	cmd := hostShell(ctx, command)
	cmd.Env = append(os.Environ(), portVariable+"="+port)
	cmd.Stdout, cmd.Stderr = a.err, a.err
	cmd.WaitDelay = checkGrace
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

// checkGrace bounds the wait for children that a killed check leaves behind with its output open.
const checkGrace = 2 * time.Second
