package app

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"golang.org/x/term"
)

// Streams are where a command reads and writes.
type Streams struct {
	In     io.Reader
	Out    io.Writer // the result, nothing else
	Err    io.Writer // progress, warnings, the error
	OutTTY bool
	ErrTTY bool

	// Without their filters: bytes is out, for what the device says byte for byte, terminal is err, for a progress bar.
	Bytes, Terminal io.Writer
}

func NewStreams(in, out, err *os.File) Streams {
	return Streams{in, out, err, term.IsTerminal(int(out.Fd())), term.IsTerminal(int(err.Fd())), out, err}
}

// App is what commands may touch. There are no globals.
type App struct {
	Streams
	Env      func(string) (string, bool)
	Flags    GlobalFlags
	Log      *slog.Logger
	Began    bool                         // a command's body began; an error before that is wrong usage
	command  string                       // the one at hand, as the user would write it; empty until it is known
	Reached  bool                         // it has to do with a device
	bars     atomic.Pointer[mpb.Progress] // on the terminal; nil while there are none
	Heard    func() string                // what came instead of an answer; nil before the first connection
	Untraced error                        // why the file of --trace is not whole
	warnings warnings
	end      context.CancelCauseFunc // of the command, for a bug in a goroutine; nil while none runs
}

// Result is what a command found out. It is encoded as JSON as it is, or printed for people.
type Result interface {
	Text(w io.Writer) error
}

// body is a command's work: arguments in, result out. A result beside an error is printed too.
type body func(ctx context.Context, args []string) (Result, error)

// Run makes a cobra function of a body. Whatever fails before the body begins is wrong usage.
func (a *App) Run(b body) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := checkFlags(cmd); err != nil {
			return err
		}
		a.Log = newLogger(a.Err, a.Flags)
		a.Began = true
		r, err := a.traced(b(cmd.Context(), args))
		r = a.record(cmd.Context(), r, err)
		if r != nil {
			if printErr := a.print(r); err == nil {
				err = printErr
			}
		}
		return err
	}
}

// traced makes a failure of a trace that is not whole. It is only said beside another error, which tells more of the
// device.
func (a *App) traced(r Result, err error) (Result, error) {
	if a.Untraced == nil {
		return r, err
	}
	if err != nil {
		a.Warn("%v", a.Untraced)
		return r, err
	}
	return r, a.Untraced
}

func newLogger(w io.Writer, f GlobalFlags) *slog.Logger {
	o := &slog.HandlerOptions{Level: f.level()}
	if f.JSON {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
