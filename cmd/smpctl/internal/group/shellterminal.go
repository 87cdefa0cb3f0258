package group

import (
	"io"
	"os"
	"sync"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"golang.org/x/term"
)

// terminalInput is standard input if a person sits there, nil otherwise.
func terminalInput(a *app.App) *os.File {
	f, ok := a.In.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return f
}

// terminalLines reads lines from a terminal, with editing and history. The terminal is in raw mode only while it waits
// for a line, so that a command on the device can be interrupted like any other.
type terminalLines struct {
	fd      int
	out     io.Writer
	editor  *term.Terminal
	history *history
	warn    func(format string, args ...any)

	mu     sync.Mutex
	cooked *term.State // of the terminal while it is in raw mode
	closed bool
}

func newTerminalLines(a *app.App, in *os.File) *terminalLines {
	h, err := openHistory(a.Env)
	if err != nil {
		a.Warn("shell: no history: %v", err)
	}
	t := &terminalLines{fd: int(in.Fd()), out: promptOutput(a, in), history: h, warn: a.Warn}
	t.editor = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, t.out}, shellPrompt)
	t.editor.History = h
	return t
}

// promptOutput is the terminal that the user looks at, wherever the results go.
func promptOutput(a *app.App, in *os.File) io.Writer {
	switch {
	case a.OutTTY:
		return a.Bytes
	case a.ErrTTY:
		return a.Terminal
	}
	return in
}

// ReadLine shows the prompt. Ctrl-C and Ctrl-D end the input.
func (t *terminalLines) ReadLine() (string, error) {
	if err := t.enterRaw(); err != nil {
		return "", err
	}
	defer t.leaveRaw()
	if width, height, err := term.GetSize(t.fd); err == nil && width > 0 {
		_ = t.editor.SetSize(width, height)
	}
	line, err := t.editor.ReadLine()
	if err == io.EOF { // what follows is not for the prompt's line
		_, _ = io.WriteString(t.out, "\r\n")
	}
	return line, err
}

func (t *terminalLines) enterRaw() (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return io.EOF
	}
	t.cooked, err = term.MakeRaw(t.fd)
	return err
}

func (t *terminalLines) leaveRaw() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cooked != nil {
		_ = term.Restore(t.fd, t.cooked)
		t.cooked = nil
	}
}

// Close gives the terminal back, also from a ReadLine that nobody waits for any more, and keeps the history.
func (t *terminalLines) Close() error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.leaveRaw()
	if err := t.history.save(); err != nil {
		t.warn("shell: history not kept: %v", err)
	}
	return nil
}
