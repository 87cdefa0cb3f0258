package signer

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/child"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
)

// commandSigner has a command sign, run by the shell. What to sign is on its standard input, what it is about in its
// environment; the signature comes from its standard output, and an exit code other than 0 is a refusal. See
// docs/signing.md.
type commandSigner struct {
	command string
	limit   time.Duration // for the whole command
	note    func(text string)
}

func (c *commandSigner) sign(ctx context.Context, j job) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	said, out := &notes{show: c.note}, &output{}
	cmd := child.Shell(ctx, c.command)
	child.MayAsk(cmd)
	cmd.Env = child.Environment(j.environment()...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(j.data), out, said
	err := child.Run(ctx, cmd)
	said.flush()
	if err := c.explain(ctx, err, out, said.last); err != nil {
		return nil, err
	}
	return out.bytes, nil
}

// explain says why there is no signature. A child that stays behind with the output open, as an agent does, is none of
// the reasons.
func (c *commandSigner) explain(ctx context.Context, err error, out *output, last string) error {
	name := fmt.Sprintf("%s%.60s", execScheme, c.command)
	if ctx.Err() != nil && err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return &failed{name, "timeout",
				fmt.Errorf("no signature within %s (--signer-timeout)", human.Span(c.limit))}
		}
		return ctx.Err()
	}
	if out.overflow {
		return &failed{name, "output",
			fmt.Errorf("wrote more than %d KiB, which is no signature", maxOutput>>10)}
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && failure.Interrupted(exit.ProcessState):
		return failure.ErrInterrupted // Ctrl-C on a terminal reaches the command too, and perhaps sooner
	case errors.As(err, &exit) && last != "":
		return &failed{name, "refused", fmt.Errorf("refused (%s): %s", exit.ProcessState, last)}
	case errors.As(err, &exit):
		return &failed{name, "refused",
			fmt.Errorf("refused (%s) without a word on standard error", exit.ProcessState)}
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return &failed{name, "start", err}
	case len(bytes.TrimSpace(out.bytes)) == 0:
		return &failed{name, "output", errors.New("ended with success, but wrote no signature to standard output")}
	}
	return nil
}

// environment tells a command what it is asked for.
func (j job) environment() []string {
	return []string{
		"SMPCTL_SIGN_ALGORITHM=" + j.algorithm,
		"SMPCTL_SIGN_HASH=" + j.hash,
		"SMPCTL_SIGN_KEY_HASH=" + hex.EncodeToString(j.keyHash),
		"SMPCTL_SIGN_INPUT=" + string(j.input),
		"SMPCTL_SIGN_DIGEST=" + hex.EncodeToString(j.digest),
	}
}

// output keeps what a signer writes, up to the limit; then the signer finds its output closed.
type output struct {
	bytes    []byte
	overflow bool
}

func (o *output) Write(b []byte) (int, error) {
	if len(o.bytes)+len(b) > maxOutput {
		o.overflow = true
		return 0, errors.New("too much output")
	}
	o.bytes = append(o.bytes, b...)
	return len(b), nil
}
