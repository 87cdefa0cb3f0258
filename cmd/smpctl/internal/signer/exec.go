package signer

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/child"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
)

// commandSigner has a command sign, run by the shell. What to sign is on its standard input, what it is about in its
// environment; the signature comes from its standard output, and an exit code other than 0 is a refusal. See
// docs/signing.md.
type commandSigner struct {
	app     *app.App
	command string
	limit   time.Duration // for the whole command
}

func (c *commandSigner) sign(ctx context.Context, s signing) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	notes := &signerNotes{app: c.app}
	out := &signerOutput{}
	cmd := child.Shell(ctx, c.command)
	child.MayAsk(cmd)
	cmd.Env = child.Environment(s.environment()...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(s.data), out, notes
	err := child.Run(ctx, cmd)
	notes.flush()
	if err := c.explain(ctx, err, out, notes.last); err != nil {
		return nil, err
	}
	return out.bytes, nil
}

// explain says why there is no signature. A child that stays behind with the output open, as an agent does, is none of
// the reasons.
func (c *commandSigner) explain(ctx context.Context, err error, out *signerOutput, last string) error {
	name := fmt.Sprintf("%s%.60s", execScheme, c.command)
	if ctx.Err() != nil && err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return &signerError{name, "timeout", fmt.Errorf("no signature within %s (--signer-timeout)", human.Span(c.limit))}
		}
		return ctx.Err()
	}
	if out.overflow {
		return &signerError{name, "output",
			fmt.Errorf("wrote more than %d KiB, which is no signature", maxSignerOutput>>10)}
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && failure.Interrupted(exit.ProcessState):
		return failure.ErrInterrupted // Ctrl-C on a terminal reaches the command too, and perhaps sooner
	case errors.As(err, &exit) && last != "":
		return &signerError{name, "refused", fmt.Errorf("refused (%s): %s", exit.ProcessState, last)}
	case errors.As(err, &exit):
		return &signerError{name, "refused",
			fmt.Errorf("refused (%s) without a word on standard error", exit.ProcessState)}
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return &signerError{name, "start", err}
	case len(bytes.TrimSpace(out.bytes)) == 0:
		return &signerError{name, "output", errors.New("ended with success, but wrote no signature to standard output")}
	}
	return nil
}

// environment tells a command what it is asked for.
func (s signing) environment() []string {
	return []string{
		"SMPCTL_SIGN_ALGORITHM=" + s.algorithm,
		"SMPCTL_SIGN_HASH=" + s.hash,
		"SMPCTL_SIGN_KEY_HASH=" + hex.EncodeToString(s.keyHash),
		"SMPCTL_SIGN_INPUT=" + string(s.input),
		"SMPCTL_SIGN_DIGEST=" + hex.EncodeToString(s.digest),
	}
}

// signerOutput keeps what a signer writes, up to the limit; then the signer finds its output closed.
type signerOutput struct {
	bytes    []byte
	overflow bool
}

func (o *signerOutput) Write(b []byte) (int, error) {
	if len(o.bytes)+len(b) > maxSignerOutput {
		o.overflow = true
		return 0, errors.New("too much output")
	}
	o.bytes = append(o.bytes, b...)
	return len(b), nil
}
