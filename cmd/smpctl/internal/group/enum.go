package group

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

func enumCommand(a *app.App) *cobra.Command {
	cmd := ask(a, "enum", "Show which command groups the device has", "  smpctl -p sim: enum", app.Takes(0, 0),
		func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
			groups, err := listGroups(ctx, c)
			if err != nil {
				return nil, err
			}
			return newEnumResult(groups), nil
		})
	cmd.AddCommand(
		ask(a, "count", "Show how many groups the device has", "  smpctl -p sim: enum count", app.Takes(0, 0),
			func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
				n, err := c.Enum.Count(ctx)
				if err != nil {
					return nil, err
				}
				return enumCount{n}, nil
			}),
		ask(a, "list", "Show the numbers of the groups", "  smpctl -p sim: enum list", app.Takes(0, 0),
			func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
				groups, err := c.Enum.List(ctx)
				if err != nil {
					return nil, err
				}
				return newEnumResult(bare(groups)), nil
			}),
		enumSingleCommand(a), enumDetailsCommand(a))
	return cmd
}

func enumSingleCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "single <index>", Short: "Show the group at an index, counted from 0",
		Example: "  smpctl -p sim: enum single 0", Args: app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			index, err := strconv.ParseUint(args[0], 0, 32)
			if err != nil {
				return nil, failure.Usage("enum single: index %q: want a number", args[0])
			}
			return device.With(ctx, a, func(c *smp.Client) (app.Result, error) {
				g, last, err := c.Enum.At(ctx, uint32(index))
				if err != nil {
					return nil, err
				}
				return enumSingle{int(g), g.String(), last}, nil
			})
		}),
	}
}

func enumDetailsCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "details [group...]", Short: "Show names and sizes of groups, of all if none is named",
		Example:           "  smpctl -p sim: enum details os 9",
		Args:              app.Takes(0, -1),
		ValidArgsFunction: completeGroup,
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			groups := make([]smp.Group, len(args))
			for i, s := range args {
				var err error
				if groups[i], err = smp.ParseGroup(s); err != nil {
					return nil, failure.AsUsage(err)
				}
			}
			return device.With(ctx, a, func(c *smp.Client) (app.Result, error) {
				details, err := c.Enum.Details(ctx, groups...)
				if err != nil {
					return nil, err
				}
				return newEnumResult(details), nil
			})
		}),
	}
}

// maxGroups bounds how many groups a device may have.
const maxGroups = 256

// listGroups asks for the groups in as much detail as the device knows and its buffers hold.
func listGroups(ctx context.Context, c *smp.Client) ([]smp.GroupDetails, error) {
	all, tooLong := c.Enum.Details(ctx)
	if !lacksOrTooLong(tooLong) {
		return all, tooLong
	}
	groups, err := c.Enum.List(ctx)
	if lacksOrTooLong(err) {
		groups, err = countGroups(ctx, c)
	}
	if err != nil || smp.IsUnsupported(tooLong) || len(groups) > maxGroups {
		return bare(groups), err
	}
	for few := range slices.Chunk(groups, 3) {
		details, err := c.Enum.Details(ctx, few...)
		switch {
		case lacksOrTooLong(err):
			return bare(groups), nil
		case err != nil:
			return nil, err
		}
		all = append(all, details...)
	}
	return all, nil
}

// countGroups asks for one group at a time.
func countGroups(ctx context.Context, c *smp.Client) (groups []smp.Group, err error) {
	for i := range uint32(maxGroups) {
		g, last, err := c.Enum.At(ctx, i)
		if err != nil {
			return nil, err
		}
		if groups = append(groups, g); last {
			break
		}
	}
	return groups, nil
}

// lacksOrTooLong reports whether another command may say the same in fewer bytes.
func lacksOrTooLong(err error) bool {
	var refused *smp.DeviceError
	return errors.As(err, &refused) &&
		(refused.Unsupported() || refused.Name() == "EMSGSIZE" || refused.Name() == "INSUFFICIENT_HEAP_FOR_ENTRIES")
}

func bare(groups []smp.Group) []smp.GroupDetails {
	details := make([]smp.GroupDetails, len(groups))
	for i, g := range groups {
		details[i].Group = g
	}
	return details
}

// enumCount is the result of enum count.
type enumCount struct {
	Count int `json:"count"` // of groups
}

func (r enumCount) Text(w io.Writer) error {
	_, err := fmt.Fprintln(w, r.Count)
	return err
}

// enumSingle is the result of enum single.
type enumSingle struct {
	Group int    `json:"group"`
	Name  string `json:"name"` // of the group, by us
	Last  bool   `json:"last"` // there is no group behind it
}

func (r enumSingle) Text(w io.Writer) error {
	last := ""
	if r.Last {
		last = ", the last one"
	}
	_, err := fmt.Fprintf(w, "%d (%s)%s\n", r.Group, r.Name, last)
	return err
}

// enumResult is the result of enum and its subcommands.
type enumResult struct {
	Groups []groupEntry `json:"groups"` // the command groups of the device
}

// groupEntry is a command group of the device.
type groupEntry struct {
	Group    int    `json:"group"`
	Name     string `json:"name"`                  // of the group, by us
	Calls    string `json:"device_name,omitempty"` // what the device calls it
	Handlers int    `json:"handlers,omitempty"`    // number of its commands; absent if the device does not say
}

func newEnumResult(groups []smp.GroupDetails) enumResult {
	r := enumResult{make([]groupEntry, len(groups))}
	for i, g := range groups {
		r.Groups[i] = groupEntry{int(g.Group), g.Group.String(), g.Name, g.Handlers}
	}
	return r
}

// Text prints a table; a dash is what the device does not say.
func (r enumResult) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "GROUP\tNAME\tON THE DEVICE\tCOMMANDS")
	for _, g := range r.Groups {
		commands := "-"
		if g.Handlers > 0 {
			commands = fmt.Sprint(g.Handlers)
		}
		calls := g.Calls
		if calls == "" {
			calls = "-"
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\n", g.Group, g.Name, screen.Unbroken(calls), commands)
	}
	return t.Flush()
}

func zephyrCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "zephyr",
		Short: "Commands of Zephyr's own group",
		RunE:  app.NeedsCommand,
	}
	cmd.AddCommand(change(a, "erase-storage", "Erase the storage partition, where settings are saved",
		"  smpctl -p sim: zephyr erase-storage", app.Takes(0, 0),
		func(ctx context.Context, c *smp.Client, _ []string) error { return c.Zephyr.EraseStorage(ctx) }))
	return cmd
}
