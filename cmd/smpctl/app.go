package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"golang.org/x/term"
)

// streams are where a command reads and writes.
type streams struct {
	in     io.Reader
	out    io.Writer // the result, nothing else
	err    io.Writer // progress, warnings, the error
	outTTY bool
	errTTY bool

	// Without their filters: bytes is out, for what the device says byte for byte, terminal is err, for a progress bar.
	bytes, terminal io.Writer
}

func newStreams(in, out, err *os.File) streams {
	return streams{in, out, err, term.IsTerminal(int(out.Fd())), term.IsTerminal(int(err.Fd())), out, err}
}

// app is what commands may touch. There are no globals.
type app struct {
	streams
	env      func(string) (string, bool)
	flags    globalFlags
	log      *slog.Logger
	began    bool                         // a command's body began; an error before that is wrong usage
	reached  bool                         // it has to do with a device
	bars     atomic.Pointer[mpb.Progress] // on the terminal; nil while there are none
	heard    func() string                // what came instead of an answer; nil before the first connection
	untraced error                        // why the file of --trace is not whole
	end      context.CancelCauseFunc      // of the command, for a bug in a goroutine; nil while none runs
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, s streams, env func(string) (string, bool)) int {
	return runOf(ctx, newRoot, args, s, env)
}

// runOf does so with the commands of another tree.
func runOf(
	ctx context.Context, commands func(*app) *cobra.Command, args []string, s streams, env func(string) (string, bool),
) int {
	if s.bytes == nil {
		s.bytes = s.out
	}
	s.out, s.err = &printableWriter{w: s.out}, &printableWriter{w: s.err}
	a := &app{streams: s, env: env, log: slog.New(slog.DiscardHandler)}
	err := a.execute(ctx, args, commands)
	if !a.began && slices.Contains(args, "--json") {
		a.flags.json = true // it may stand behind the flag that is wrong
	}
	return a.exit(ctx, err)
}

// execute runs the command that args name.
func (a *app) execute(ctx context.Context, args []string, commands func(*app) *cobra.Command) error {
	ctx, a.end = context.WithCancelCause(ctx)
	defer a.end(nil)
	return a.afterBug(ctx, guard(func() error {
		root := commands(a)
		root.SetArgs(joinPairs(args))
		root.SetIn(a.in)
		root.SetOut(a.out)
		root.SetErr(a.err)
		return root.ExecuteContext(ctx)
	}))
}

// result is what a command found out. It is encoded as JSON as it is, or printed for people.
type result interface {
	Text(w io.Writer) error
}

// body is a command's work: arguments in, result out. A result beside an error is printed too.
type body func(ctx context.Context, args []string) (result, error)

// run makes a cobra function of a body. Whatever fails before the body begins is wrong usage.
func (a *app) run(b body) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.flags.check(); err != nil {
			return err
		}
		a.log = newLogger(a.err, a.flags)
		a.began = true
		r, err := a.traced(b(cmd.Context(), args))
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
func (a *app) traced(r result, err error) (result, error) {
	if a.untraced == nil {
		return r, err
	}
	if err != nil {
		a.warn("%v", a.untraced)
		return r, err
	}
	return r, a.untraced
}

func newLogger(w io.Writer, f globalFlags) *slog.Logger {
	o := &slog.HandlerOptions{Level: f.level()}
	if f.json {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// newRoot builds the tree of commands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "smpctl",
		Short: "Update the firmware of microcontrollers that run Zephyr and MCUboot",
		Long: `smpctl updates the firmware of microcontrollers that run Zephyr and MCUboot, over a serial port or USB.

Try it without hardware, on the virtual device:
  smpctl -p sim: upgrade app.signed.bin

Exit codes: 0 done, 1 other, 2 wrong usage, 3 port, 4 no reply, 5 device refused,
6 image unusable, 7 the device does not run the new image, 130 interrupted.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          needsCommand,
	}
	a.flags.register(root.PersistentFlags())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return err })
	addCommands(root, slices.Concat(updateCommands(a), inspectCommands(a), signingCommands(a), groupCommands(a),
		monitorCommands(a), benchCommands(a), connCommands(a), simCommands(a), []*cobra.Command{versionCommand(a)}))
	a.completions(root)
	explainArguments(root)
	return root
}

// explainArguments makes every command answer a wrong number of arguments with the line that shows the right ones.
func explainArguments(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		explainArguments(c)
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usage("%w: %s", err, cmd.UseLine())
			}
			return nil
		}
	}
}

// needsCommand is the body of a command that only groups others: without it, cobra would answer an unknown subcommand
// with help and success.
func needsCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	cmd.SetOut(cmd.ErrOrStderr()) // standard output is for results
	_ = cmd.Help()
	return errNoCommand
}
