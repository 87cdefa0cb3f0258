package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/spf13/cobra"
)

// Streams are where a command reads and writes.
type Streams struct {
	In     io.Reader
	Out    io.Writer // the result, nothing else
	Err    io.Writer // progress, warnings, the error
	OutTTY bool
	ErrTTY bool

	// How wide the terminals are that Out and Err are, as they are now; nil or 0: not known.
	OutColumns, ErrColumns func() int
	ErrRows                func() int // how high the terminal is that Err is; nil or 0: not known

	Bytes io.Writer // Out without its filter, for what the device says byte for byte

	Hangup <-chan os.Signal // the terminal of the user went away; nil: never
}

// NewStreams are those of a process.
func NewStreams(in, out, err *os.File) Streams {
	return Streams{In: in, Out: out, Err: err, OutTTY: isTerminal(out), ErrTTY: isTerminal(err),
		OutColumns: columns(out), ErrColumns: columns(err), ErrRows: rows(err)}
}

// App is what commands may touch. There are no globals.
type App struct {
	Streams
	News     *screen.Display // Err without its filter: what is written there may steer the terminal
	Env      func(string) (string, bool)
	Flags    GlobalFlags
	Log      *slog.Logger
	Began    bool                 // a command's body began; an error before that is wrong usage
	command  string               // the one at hand, as the user would write it; empty until it is known
	Reached  bool                 // it has to do with a device
	Bus      Bus                  // where serial ports are; nil: what the environment says, or this computer
	Heard    func() failure.Heard // what came instead of an answer; nil before the first connection
	Untraced error                // why the file of --trace is not whole
	warnings warnings
	end      context.CancelCauseFunc // of the command, for a bug in a goroutine; nil while none runs
	doing    doing
	out      *results
	help     bytes.Buffer // and scripts for completion: what cobra prints
	titles   []string     // lines in help
	updating atomic.Bool  // see [App.BeginUpdate]
	colorOut bool
	board    *board // whose App it is; nil: that of the command
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
		a.Log = a.newLogger()
		if a.Flags.JSON || a.Flags.Quiet {
			a.News.Still = true // nobody looks on
		}
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
