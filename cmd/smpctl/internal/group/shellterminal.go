package group

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
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
// for a line, so that it makes a signal of Ctrl-C while a command runs on the device.
type terminalLines struct {
	app        *app.App
	fd         int
	out        io.Writer
	lines      *editedLines
	interrupts chan os.Signal

	mu     sync.Mutex
	cooked *term.State // of the terminal while it is in raw mode
	closed bool
}

// newTerminalLines takes the terminal, and Ctrl-C from who had it: it is about a line now, or about one command.
func newTerminalLines(a *app.App, in *os.File) *terminalLines {
	h, err := openHistory(a.Env)
	if err != nil {
		a.Warn("shell: no history: %v", err)
	}
	t := &terminalLines{app: a, fd: int(in.Fd()), out: promptOutput(a, in), interrupts: make(chan os.Signal, 1)}
	t.lines = newEditedLines(in, t.out, h)
	signal.Reset(os.Interrupt)
	signal.Notify(t.interrupts, os.Interrupt)
	return t
}

// promptOutput is the terminal that the user looks at, wherever the results go.
func promptOutput(a *app.App, in *os.File) io.Writer {
	switch {
	case a.Flags.JSON: // a prompt is none
		return in
	case a.OutTTY:
		return a.Bytes
	case a.ErrTTY:
		return a.News
	}
	return in
}

// ReadLine shows the prompt.
func (t *terminalLines) ReadLine() (string, error) {
	select {
	case <-t.interrupts: // too late for the command that it was about
	default:
	}
	if err := t.enterRaw(); err != nil {
		return "", err
	}
	defer t.leaveRaw()
	if width, height, err := term.GetSize(t.fd); err == nil && width > 0 {
		_ = t.lines.editor.SetSize(width, height)
	}
	line, err := t.lines.readLine()
	if err == io.EOF { // what follows is not for the prompt's line
		_, _ = io.WriteString(t.out, "\r\n")
	}
	return line, err
}

// Interruptible gives a context that ends with Ctrl-C.
func (t *terminalLines) Interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	t.app.Spawn(func() {
		select {
		case <-t.interrupts:
			_, _ = io.WriteString(t.out, "\n") // behind the ^C of the terminal
			end(errGivenUp)
		case <-ctx.Done():
		}
	})
	return ctx, func() { end(nil) }
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

// Close gives the terminal back, also from a ReadLine that nobody waits for any more, and keeps the history. From then
// on Ctrl-C ends the program.
func (t *terminalLines) Close() error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.leaveRaw()
	signal.Stop(t.interrupts)
	if err := t.lines.history.save(); err != nil {
		t.app.Warn("shell: history not kept: %v", err)
	}
	return nil
}

// shellPrompt stands before what the user types.
const shellPrompt = "device$ "

// editedLines are lines that a person edits, without what was given up.
type editedLines struct {
	*history
	editor *term.Terminal
	gaveUp bool // the line that ends next
}

func newEditedLines(in io.Reader, out io.Writer, h *history) *editedLines {
	l := &editedLines{history: h}
	l.editor = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{&shellKeys{in: in, gaveUp: func() { l.gaveUp = true }}, out}, shellPrompt)
	l.editor.History = l
	return l
}

func (l *editedLines) readLine() (string, error) {
	for {
		line, err := l.editor.ReadLine()
		if err != nil || !l.gaveUp {
			return line, err
		}
		l.gaveUp = false
	}
}

// Add keeps a line for the arrow keys and for later sessions, if it was for the device.
func (l *editedLines) Add(line string) {
	if !l.gaveUp && !endsSession(strings.TrimSpace(line)) {
		l.history.Add(line)
	}
}

// endsSession reports whether a line is for us, not for the device.
func endsSession(line string) bool { return line == "exit" || line == "quit" }
