package group

import (
	"context"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

func shellCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "shell",
		Short: "Use the device's shell, line by line",
		Long: `Use the device's shell: each line is run on the device, "exit" or the end of the input ends it. On a
terminal lines can be edited, and those of earlier sessions come back with the arrow keys. Ctrl-C
clears the line, or stops waiting for a command, which may still run on the device; Ctrl-D or Ctrl-]
leaves. The exit status is that of the last command, as for "smpctl shell exec".`,
		Example: "  smpctl -p sim: shell",
		Args:    app.Takes(0, 0),
	}
	cmd.RunE = a.Run(func(ctx context.Context, _ []string) (app.Result, error) {
		return device.With(ctx, a, func(c *smp.Client) (app.Result, error) { return shellSession(ctx, a, c) })
	})
	cmd.AddCommand(shellExecCommand(a))
	return cmd
}

func shellExecCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:   "exec <command> [argument...]",
		Short: "Run one command of the device's shell",
		Long: `Run one command of the device's shell and print its status and its output. Write -- before a command
with flags of its own.

As with ssh, the exit status is the command's: modulo 256, so that -22 is 234, and 1 where that would
be 0 for a failure. A failure of smpctl itself prints an error, and no status. With --json the two
are apart: the document has the command's status, and the exit status is 0 if that is 0, else 5.`,
		Example: "  smpctl -p sim: shell exec kernel uptime\n  smpctl -p sim: shell exec -- kernel uptime -p",
		Args:    app.Takes(1, -1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return device.With(ctx, a, func(c *smp.Client) (app.Result, error) {
				r, err := c.Shell.Exec(ctx, args...)
				if err != nil {
					return nil, err
				}
				err = statusOf(a, r.Status)
				return newExecResult(ctx, r, err), err
			})
		}),
	}
}
