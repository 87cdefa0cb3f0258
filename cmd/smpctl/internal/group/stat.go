package group

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

func statCommand(a *app.App) *cobra.Command {
	cmd := ask(a, "stat <group>", "Show one group of statistics", "  smpctl -p sim: stat smp_svr_stats",
		app.Takes(1, 1), func(ctx context.Context, c *smp.Client, args []string) (app.Result, error) {
			stats, err := c.Stat.Read(ctx, args[0])
			if err != nil {
				return nil, err
			}
			r := statResult{args[0], make(map[string]uint64, len(stats))}
			for _, s := range stats {
				r.Fields[s.Name] = s.Value
			}
			return r, nil
		})
	cmd.AddCommand(ask(a, "list", "Show which groups of statistics the device has", "  smpctl -p sim: stat list",
		app.Takes(0, 0), func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
			names, err := c.Stat.List(ctx)
			if err != nil {
				return nil, err
			}
			return nameList(statGroups, names), nil
		}))
	return cmd
}

// statResult is the result of stat for one group.
type statResult struct {
	Name   string            `json:"name"`   // of the group of statistics
	Fields map[string]uint64 `json:"fields"` // its values, by name
}

// Text prints mcumgr-cli's layout.
func (r statResult) Text(w io.Writer) error {
	fmt.Fprintf(w, "stat group: %s\n", r.Name)
	for _, name := range slices.Sorted(maps.Keys(r.Fields)) {
		fmt.Fprintf(w, "%10d %s\n", r.Fields[name], name)
	}
	if len(r.Fields) == 0 {
		fmt.Fprintln(w, "    (empty)")
	}
	return nil
}

const statGroups = "stat groups"

// namesResult is a list of names of one kind of thing.
type namesResult struct {
	Names []string `json:"names"` // in alphabetical order
	what  string
}

func nameList(what string, names []string) namesResult {
	names = append([]string{}, names...)
	slices.Sort(names)
	return namesResult{names, what}
}

// Text prints mcumgr-cli's layout.
func (r namesResult) Text(w io.Writer) error {
	if len(r.Names) == 0 && r.what == statGroups {
		_, err := fmt.Fprintf(w, "%s: none\n", r.what)
		return err
	}
	fmt.Fprintf(w, "%s:\n", r.what)
	for _, name := range r.Names {
		fmt.Fprintf(w, "    %s\n", name)
	}
	return nil
}

// doneResult is the result of a command that changes something and gives nothing back.
type doneResult struct {
	Done string `json:"done"`           // what was asked for
	Name string `json:"name,omitempty"` // what it was about, if it was about one thing

	low bool
}

// Text prints mcumgr-cli's word, which is not the same everywhere.
func (r doneResult) Text(w io.Writer) error {
	word := "Done"
	if r.low {
		word = "done"
	}
	_, err := fmt.Fprintln(w, word)
	return err
}
