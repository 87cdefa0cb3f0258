package group

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
)

// shellPrompt stands before what the user types; on a terminal only.
const shellPrompt = "device$ "

// lineReader is where a session's lines come from.
type lineReader interface {
	// ReadLine waits for the next line, without its end; io.EOF after the last one.
	ReadLine() (string, error)
	// Close gives the terminal back and keeps the history.
	Close() error
}

// shellSession runs line after line until the input ends, the link ends, or the user has enough.
func shellSession(a *app.App, ctx context.Context, c *smp.Client) (app.Result, error) {
	if _, err := c.Negotiate(ctx); err != nil { // before a prompt promises anything
		return nil, fmt.Errorf("shell: %w", err)
	}
	in := shellInput(a)
	defer in.Close()
	s := sessionResult{Commands: []shellRun{}}
	status, err := runLines(a, ctx, c, in, &s)
	if err == nil {
		err = statusOf(status)
	}
	if a.Flags.JSON {
		return s, err
	}
	return nil, err
}

// runLines returns the status of the last command.
func runLines(a *app.App, ctx context.Context, c *smp.Client, in lineReader, s *sessionResult) (status int, err error) {
	for {
		line, err := nextLine(a, ctx, c, in)
		if err == io.EOF {
			return status, nil
		}
		if err != nil {
			return 0, err
		}
		switch line = strings.TrimSpace(line); {
		case line == "":
			continue
		case endsSession(line):
			return status, nil
		}
		r, err := c.Shell.Exec(ctx, line)
		_, person := in.(*terminalLines)
		switch {
		case err != nil && person && ctx.Err() == nil && c.Err() == nil: // a script stops where it went wrong
			fmt.Fprintf(a.Err, "smpctl: %v\n", err)
			status = failure.KindOf(ctx, err).Code
		case err != nil:
			return 0, err
		case a.Flags.JSON:
			s.Commands = append(s.Commands, shellRun{line, shellResult{r.Status, r.Output}})
			status = r.Status
		default:
			fmt.Fprint(a.Out, strings.TrimPrefix(shellText(r.Output), "\n"))
			status = r.Status
		}
	}
}

// endsSession reports whether a line is for us, not for the device.
func endsSession(line string) bool { return line == "exit" || line == "quit" }

// nextLine waits for a line, the end of the link, or the end of ctx. A line that nobody waits for any more is lost with
// the process.
func nextLine(a *app.App, ctx context.Context, c *smp.Client, in lineReader) (string, error) {
	type input struct {
		line string
		err  error
	}
	lines := make(chan input, 1)
	a.Spawn(func() {
		line, err := in.ReadLine()
		lines <- input{line, err}
	})
	select {
	case l := <-lines:
		return l.line, l.err
	case <-c.Done():
		return "", fmt.Errorf("shell: %w", c.Err())
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// shellInput reads from the terminal with line editing, or from whatever standard input is.
func shellInput(a *app.App) lineReader {
	if t := terminalInput(a); t != nil {
		return newTerminalLines(a, t)
	}
	s := bufio.NewScanner(a.In)
	s.Buffer(nil, maxShellLine)
	return plainLines{s}
}

// maxShellLine bounds the bytes of a line; no device takes that many.
const maxShellLine = 64 << 10

// plainLines reads lines from a pipe or a file.
type plainLines struct{ s *bufio.Scanner }

func (p plainLines) ReadLine() (string, error) {
	if p.s.Scan() {
		return p.s.Text(), nil
	}
	if err := p.s.Err(); err != nil {
		return "", fmt.Errorf("shell: standard input: %w", err)
	}
	return "", io.EOF
}

func (plainLines) Close() error { return nil }

// sessionResult is a whole session, for --json.
type sessionResult struct {
	Commands []shellRun `json:"commands"`
}

type shellRun struct {
	Command string `json:"command"`
	shellResult
}

// Text prints nothing: the outputs are there already.
func (sessionResult) Text(io.Writer) error { return nil }
