package group

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
)

// lineReader is where a session's lines come from.
type lineReader interface {
	// ReadLine waits for the next line, without its end; io.EOF after the last one.
	ReadLine() (string, error)
	// Interruptible gives a context that ends with errGivenUp when a person has waited enough. The caller ends it.
	Interruptible(ctx context.Context) (context.Context, context.CancelFunc)
	// Close gives the terminal back and keeps the history.
	Close() error
}

// errGivenUp ends the waiting for a command, but not the session.
var errGivenUp = errors.New("not waited for any more")

// session runs line after line.
type session struct {
	app    *app.App
	client *smp.Client
	in     lineReader
	person bool // types the lines: a failure does not end the session
	result sessionResult
	last   error // of the last command: what the exit code says
}

// shellSession runs line after line until the input ends, the link ends, or the user has enough.
func shellSession(ctx context.Context, a *app.App, c *smp.Client) (app.Result, error) {
	if _, err := c.Negotiate(ctx); err != nil { // before a prompt promises anything
		return nil, fmt.Errorf("shell: %w", err)
	}
	a.Still()
	s := &session{app: a, client: c, result: sessionResult{Commands: []shellRun{}}}
	if t := terminalInput(a); t != nil {
		s.in, s.person = newTerminalLines(a, t), true
	} else {
		s.in = newPlainLines(a.In)
	}
	defer s.in.Close()
	err := s.run(ctx)
	if err == nil {
		err = s.last
	}
	if a.Flags.JSON {
		return s.result, err
	}
	return nil, err
}

func (s *session) run(ctx context.Context) error {
	for {
		line, err := s.nextLine(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch line = strings.TrimSpace(line); {
		case line == "":
			continue
		case endsSession(line):
			return nil
		}
		if err := s.exec(ctx, line); err != nil {
			return err
		}
	}
}

// nextLine waits for a line, the end of the link, or the end of ctx. A line that nobody waits for any more is lost with
// the process.
func (s *session) nextLine(ctx context.Context) (string, error) {
	type input struct {
		line string
		err  error
	}
	lines := make(chan input, 1)
	s.app.Spawn(func() {
		line, err := s.in.ReadLine()
		lines <- input{line, err}
	})
	select {
	case l := <-lines:
		return l.line, l.err
	case <-s.client.Done():
		return "", fmt.Errorf("shell: %w", s.client.Err())
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// exec runs a line on the device. Its error ends the session.
func (s *session) exec(ctx context.Context, line string) error {
	waiting, end := s.in.Interruptible(ctx)
	defer end()
	w := s.app.WaitAnswer("the device")
	r, err := s.client.Shell.Exec(waiting, line)
	w.Stop()
	switch {
	case err == nil:
		s.show(line, shellResult{r.Status, r.Output})
	case !s.person || ctx.Err() != nil || s.client.Err() != nil: // a script stops where it went wrong
		return err
	case errors.Is(context.Cause(waiting), errGivenUp):
		s.app.Warn("not waiting for %q any more: it may still run on the device", line)
		s.last = failure.StatusError(failure.KindInterrupted.Code)
	default:
		s.complain(err)
		s.last = failure.StatusError(failure.KindOf(ctx, err).Code)
	}
	return nil
}

func (s *session) show(line string, r shellResult) {
	s.last = statusOf(s.app, r.Status)
	if s.app.Flags.JSON {
		s.result.Commands = append(s.result.Commands, shellRun{line, r})
		return
	}
	fmt.Fprint(s.app.Out, strings.TrimPrefix(shellText(r.Output), "\n"))
}

// complain tells of an error that does not end the session.
func (s *session) complain(err error) {
	if s.app.Flags.JSON {
		s.app.Warn("%v", err)
		return
	}
	s.app.Fault(failure.Text(err))
}

// maxShellLine bounds the bytes of a line; no device takes that many.
const maxShellLine = 64 << 10

// plainLines reads lines from a pipe or a file.
type plainLines struct{ s *bufio.Scanner }

func newPlainLines(in io.Reader) plainLines {
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxShellLine)
	return plainLines{s}
}

func (p plainLines) ReadLine() (string, error) {
	if p.s.Scan() {
		return p.s.Text(), nil
	}
	if err := p.s.Err(); err != nil {
		return "", fmt.Errorf("shell: standard input: %w", err)
	}
	return "", io.EOF
}

// Interruptible leaves Ctrl-C its meaning: it ends the whole command.
func (plainLines) Interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	return ctx, func() {}
}

func (plainLines) Close() error { return nil }

// sessionResult is a whole session, for --json.
type sessionResult struct {
	Commands []shellRun `json:"commands"` // what was run, in this order
}

// shellRun is one line of a session.
type shellRun struct {
	Command string `json:"command"` // as it was given
	shellResult
}

// Text prints nothing: the outputs are there already.
func (sessionResult) Text(io.Writer) error { return nil }
