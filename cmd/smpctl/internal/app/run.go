package app

import (
	"context"
	"log/slog"
	"slices"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/spf13/cobra"
)

// Main does so with the commands of another tree.
func Main(
	ctx context.Context, commands func(*App) *cobra.Command, args []string, s Streams, env func(string) (string, bool),
) int {
	if s.Bytes == nil {
		s.Bytes = s.Out
	}
	s.Out, s.Err = &screen.Printable{W: s.Out}, &screen.Printable{W: s.Err}
	a := &App{Streams: s, Env: env, Log: slog.New(slog.DiscardHandler)}
	err := a.execute(ctx, args, commands)
	if !a.Began && slices.Contains(args, "--json") {
		a.Flags.JSON = true // it may stand behind the flag that is wrong
	}
	return a.exit(ctx, err)
}

// execute runs the command that args name.
func (a *App) execute(ctx context.Context, args []string, commands func(*App) *cobra.Command) error {
	ctx, a.end = context.WithCancelCause(ctx)
	defer a.end(nil)
	return a.afterBug(ctx, failure.Guard(func() error {
		root := commands(a)
		root.SetArgs(joinConsole(root, joinPairs(args)))
		root.SetIn(a.In)
		root.SetOut(a.Out)
		root.SetErr(a.Err)
		cmd, err := root.ExecuteContextC(ctx)
		a.command = cmd.CommandPath()
		return err
	}))
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

// NeedsCommand is the body of a command that only groups others: without it, cobra would answer an unknown subcommand
// with help and success.
func NeedsCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return UnknownCommand(cmd, args[0])
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); !asJSON { // else standard error is for JSON
		cmd.SetOut(cmd.ErrOrStderr()) // standard output is for results
		_ = cmd.Help()
		return failure.WithHint(failure.ErrNoCommand, "") // it is said already
	}
	return failure.ErrNoCommand
}
