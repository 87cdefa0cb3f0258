package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

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
func (a *app) shellSession(ctx context.Context, c *smp.Client) (result, error) {
	if _, err := c.Negotiate(ctx); err != nil { // before a prompt promises anything
		return nil, fmt.Errorf("shell: %w", err)
	}
	in := a.shellInput()
	defer in.Close()
	s := sessionResult{Commands: []shellRun{}}
	status, err := a.runLines(ctx, c, in, &s)
	if err == nil {
		err = statusOf(status)
	}
	if a.flags.json {
		return s, err
	}
	return nil, err
}

// runLines returns the status of the last command.
func (a *app) runLines(ctx context.Context, c *smp.Client, in lineReader, s *sessionResult) (status int, err error) {
	for {
		line, err := a.nextLine(ctx, c, in)
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
			fmt.Fprintf(a.err, "smpctl: %v\n", err)
			status = kindOf(ctx, err).code
		case err != nil:
			return 0, err
		case a.flags.json:
			s.Commands = append(s.Commands, shellRun{line, shellResult{r.Status, r.Output}})
			status = r.Status
		default:
			fmt.Fprint(a.out, strings.TrimPrefix(shellText(r.Output), "\n"))
			status = r.Status
		}
	}
}

// endsSession reports whether a line is for us, not for the device.
func endsSession(line string) bool { return line == "exit" || line == "quit" }

// nextLine waits for a line, the end of the link, or the end of ctx. A line that nobody waits for any more is lost with
// the process.
func (a *app) nextLine(ctx context.Context, c *smp.Client, in lineReader) (string, error) {
	type input struct {
		line string
		err  error
	}
	lines := make(chan input, 1)
	a.spawn(func() {
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
func (a *app) shellInput() lineReader {
	if t := a.terminalInput(); t != nil {
		return newTerminalLines(a, t)
	}
	s := bufio.NewScanner(a.in)
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
