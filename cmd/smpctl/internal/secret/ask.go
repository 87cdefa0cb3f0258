package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"golang.org/x/term"
)

var errNoTerminal = errors.New("there is no terminal to ask on")

// Ask asks for a secret on the terminal, whatever standard input is, and shows nothing of what is typed. It waits until
// somebody answers or ctx ends.
func (s Source) Ask(ctx context.Context, prompt string) ([]byte, error) {
	in, out := "/dev/tty", "/dev/tty"
	if runtime.GOOS == "windows" {
		in, out = "CONIN$", "CONOUT$"
	}
	input, err := os.OpenFile(in, os.O_RDWR, 0)
	if err != nil {
		return nil, errNoTerminal
	}
	output, err := os.OpenFile(out, os.O_WRONLY, 0)
	if err != nil {
		input.Close()
		return nil, errNoTerminal
	}
	defer output.Close()
	state, err := term.GetState(int(input.Fd()))
	if err != nil {
		input.Close()
		return nil, errNoTerminal
	}
	fmt.Fprint(&screen.Printable{W: output}, prompt)
	defer fmt.Fprintln(output)
	type answer struct {
		text []byte
		err  error
	}
	answered := make(chan answer, 1)
	s.Spawn(func() { // outlives an interrupt: nothing wakes a read from a terminal
		defer input.Close()
		text, err := term.ReadPassword(int(input.Fd()))
		answered <- answer{text, err}
	})
	select {
	case r := <-answered:
		return r.text, r.err
	case <-ctx.Done():
		_ = term.Restore(int(input.Fd()), state)
		return nil, ctx.Err()
	}
}
