package station

import (
	"context"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/spf13/cobra"
)

// Commands are the commands of this package. What is done with each board is the update of another one.
func Commands(a *app.App, upgrade Upgrader) []*cobra.Command {
	return []*cobra.Command{stationCommand(a, upgrade)}
}

type stationOptions struct {
	init  bool
	demo  bool
	noWeb bool
}

func stationCommand(a *app.App, upgrade Upgrader) *cobra.Command {
	var o stationOptions
	cmd := &cobra.Command{
		Use:        "station [file.toml]",
		SuggestFor: []string{"line", "production", "factory", "fixture"},
		Short:      "Flash every board that is plugged in, and show PASS or FAIL on a page",
		Long: `Flash every board that is plugged in. A page says EMPTY, a percentage, PASS or FAIL of each slot of the
fixture, to be read from three metres away; a scanner of labels types into it.

All that the station does stands in its file: image, boards, slots, rules, records. --init prints such a
file with everything that it may hold. Its paths are relative to it. Each board has a record that is on the
disk before PASS is said; records list, verify and report show them.

Ctrl-C ends the station: no new board begins, and those that are worked on are stopped, as upgrade is.
A second Ctrl-C ends it at once; boards that were worked on are unknown then.`,
		Example: `  smpctl station --demo
  smpctl station --init > station.toml
  smpctl station station.toml
  smpctl station station.toml --no-web`,
		Args: app.Takes(0, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) { return o.run(ctx, a, upgrade, args) }),
	}
	f := cmd.Flags()
	f.BoolVar(&o.init, "init", false, "print a file to begin with")
	f.BoolVar(&o.demo, "demo", false, "show eight virtual boards: no file, no hardware, nothing outside")
	f.BoolVar(&o.noWeb, "no-web", false, "no page: the same on the terminal, and the scanner on standard input")
	return cmd
}

// run is what the flags ask for.
func (o stationOptions) run(ctx context.Context, a *app.App, upgrade Upgrader, args []string) (app.Result, error) {
	switch {
	case o.init && (o.demo || len(args) > 0):
		return nil, failure.Usage("--init prints a file, and does nothing else")
	case o.init:
		return initResult{initial}, nil
	case o.demo == (len(args) > 0):
		return nil, failure.WithHint(failure.Usage("want the file of the station, or --demo"),
			"smpctl station --init prints a file to begin with")
	case a.Flags.Port != "" || a.Flags.Conn != "":
		return nil, failure.Usage("what boards there are says the file of the station: boards.match")
	case a.Flags.Trace != "":
		return nil, failure.Usage("--trace is of one device: a station has many")
	case o.demo:
		return o.show(ctx, a, upgrade)
	}
	c, err := readConfig(args[0])
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, a, c, upgrade, o.noWeb)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.run(ctx)
}
