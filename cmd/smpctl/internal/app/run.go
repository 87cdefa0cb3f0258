package app

import (
	"cmp"
	"context"
	"log/slog"
	"slices"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/spf13/cobra"
)

// Main executes one command line of a tree of commands and returns the exit code.
func Main(
	ctx context.Context, commands func(*App) *cobra.Command, args []string, s Streams, env func(string) (string, bool),
) int {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	a := New(s, env)
	if s.Hangup != nil {
		go a.heedHangup(ctx, stop)
	}
	err := a.execute(ctx, args, commands)
	a.doing.endAll()
	if !a.Began && slices.Contains(args, "--json") {
		a.Flags.JSON = true // it may stand behind the flag that is wrong
	}
	return a.exit(ctx, err)
}

// New puts the filters before the streams.
func New(s Streams, env func(string) (string, bool)) *App {
	a := &App{Streams: s, Env: env, Log: slog.New(slog.DiscardHandler), News: &screen.Display{W: s.Err}}
	if s.ErrTTY && steerable(env) {
		a.News.Width, a.News.Height = s.ErrColumns, s.ErrRows
		a.News.Color = a.News.Live() && colored(env)
	}
	a.colorOut = s.OutTTY && steerable(env) && colored(env) && s.OutColumns != nil && s.OutColumns() > 0
	a.doing = doing{display: a.News, guarded: a.Guarded}
	a.out = &results{w: s.Out, before: func() {}}
	if s.OutTTY {
		a.out.before = a.News.Hide
	}
	a.Bytes, a.Out, a.Err = a.out, &screen.Printable{W: a.out}, &screen.Printable{W: a.News}
	return a
}

// heedHangup ends the command like Ctrl-C when the user's terminal goes away, but not an update that has begun: that
// only loses its log. It waits until ctx ends.
func (a *App) heedHangup(ctx context.Context, stop context.CancelCauseFunc) {
	for {
		select {
		case <-a.Hangup:
			if !a.updating.Load() {
				stop(failure.ErrInterrupted)
			}
		case <-ctx.Done():
			return
		}
	}
}

// BeginUpdate says that the device changes from now on, and that it is worse to leave it half-way than to go on unseen.
func (a *App) BeginUpdate() {
	a.updating.Store(true)
	if a.board != nil {
		a.board.of.BeginUpdate()
	}
}

// execute runs the command that args name.
func (a *App) execute(ctx context.Context, args []string, commands func(*App) *cobra.Command) error {
	ctx, a.end = context.WithCancelCause(ctx)
	defer a.end(nil)
	err := a.afterBug(ctx, failure.Guard(func() error {
		root := commands(a)
		root.SetArgs(joinConsole(root, joinPairs(args)))
		root.SetIn(a.In)
		root.SetOut(&a.help)
		root.SetErr(a.Err)
		cmd, err := root.ExecuteContextC(ctx)
		a.command = cmd.CommandPath()
		return err
	}))
	if a.help.Len() == 0 {
		return err
	}
	return cmp.Or(err, a.printHelp(args))
}

// NewTree is a root without commands.
func NewTree(a *App) *cobra.Command {
	root := &cobra.Command{
		Use:           "smpctl",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs, // those of an unknown command, which NeedsCommand refuses
		RunE:          NeedsCommand,
	}
	a.Flags.Register(root.PersistentFlags())
	root.SetFlagErrorFunc(FlagError)
	return root
}
