package boards

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/child"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
)

// ProgramTime is how long a program of the user may take if nobody says otherwise: more than any self-test of a board
// takes, and less than a night.
const ProgramTime = 10 * time.Minute

// program is a command line of the user that runs for a board.
type program struct {
	command string
	limit   time.Duration
	option  string   // with which the limit is changed; empty if none does
	told    []string // NAME=VALUE, in more than our environment
}

// LookUp refuses command lines whose programs are not there, before any board hears anything. The option is where the
// user gave them; an empty one is none.
func LookUp(ctx context.Context, option string, commands ...string) error {
	for _, command := range commands {
		if command == "" {
			continue
		}
		if err := child.LookUp(ctx, command); err != nil {
			return failure.AsUsage(fmt.Errorf("%s: %w", option, err))
		}
	}
	return nil
}

// run runs it until it ends, and says with which exit code. When it takes too long or the user gives up, it ends with
// all its children.
func (p program) run(ctx context.Context, out, errs io.Writer) (exit int, err error) {
	limited, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	cmd := child.Shell(limited, p.command)
	child.InBackground(cmd)
	cmd.Env = child.Environment(p.told...)
	cmd.Stdout, cmd.Stderr = out, errs
	err = child.Run(limited, cmd)
	if exit = -1; cmd.ProcessState != nil {
		exit = cmd.ProcessState.ExitCode()
	}
	switch {
	case ctx.Err() != nil:
		return exit, context.Cause(ctx)
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it passed, and left an agent with its output open
		return exit, nil
	case limited.Err() == nil:
		return exit, fmt.Errorf("%s: %w", p.command, err)
	case p.option != "":
		return exit, fmt.Errorf("%s: took longer than %s (%s)", p.command, human.Span(p.limit), p.option)
	}
	return exit, fmt.Errorf("%s: took longer than %s", p.command, human.Span(p.limit))
}
