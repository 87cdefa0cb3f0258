package group

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

func runCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run tests that the firmware has (Mynewt)",
		RunE:  app.NeedsCommand,
	}
	cmd.AddCommand(
		ask(a, "list", "Show which tests the firmware has", "  smpctl -p sim: run list", app.Takes(0, 0),
			func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
				names, err := c.Run.List(ctx)
				if err != nil {
					return nil, err
				}
				return nameList("available tests", names), nil
			}),
		change(a, "test [name|all] [token]", "Run a test, or all; the outcome and the token are in the device's log",
			"  smpctl -p sim: run test all 20261121",
			app.Takes(0, 2), func(ctx context.Context, c *smp.Client, args []string) error {
				name, token := "all", ""
				if len(args) > 0 {
					name = args[0]
				}
				if len(args) > 1 {
					token = args[1]
				}
				return c.Run.Test(ctx, name, token)
			}))
	return cmd
}

// crashKinds are the crashes that Mynewt knows (mynewt-core test/crash_test).
var crashKinds = []string{"div0", "jump0", "ref0", "assert", "wdog"}

func crashCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:   "crash <" + strings.Join(crashKinds, "|") + ">",
		Short: "Crash the device (Mynewt)",
		Long: `Crash the device: divide by zero, jump to 0, read from 0, fail an assertion, or starve the watchdog.
A device that answered before and is silent afterwards has crashed as it should.`,
		Example:   "  smpctl -p sim: -t 0.5 crash div0",
		Args:      app.Takes(1, 1),
		ValidArgs: crashKinds,
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			if !slices.Contains(crashKinds, args[0]) {
				return nil, failure.Usage("crash %q: want %s", args[0], human.Or(crashKinds))
			}
			return device.With(ctx, a, func(c *smp.Client) (app.Result, error) {
				answered, err := c.Crash.Trigger(ctx, args[0])
				if err != nil {
					return nil, err
				}
				return crashResult{args[0], answered}, nil
			})
		}),
	}
}

// crashResult is the result of crash.
type crashResult struct {
	Crash    string `json:"crash"`    // what was asked for
	Answered bool   `json:"answered"` // the device answered before it crashed
}

// Text prints mcumgr-cli's word, which knows no device that cannot answer any more.
func (r crashResult) Text(w io.Writer) error {
	_, err := fmt.Fprintln(w, "Done")
	return err
}
