package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/bench"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/boards"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/conn"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/group"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/inspect"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/monitor"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/records"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/signing"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/simcmd"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/station"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/update"
	"github.com/spf13/cobra"
)

// The order of commands is that of the chapters, and within a group that in which its room adds them.
func init() { cobra.EnableCommandSorting = false }

// chapters are the groups of commands in the help, and their order.
var chapters = []chapter{
	{title: "Update", commands: "upgrade recover image reset station"},
	{title: "Look", commands: "ports info monitor bench records"},
	{title: "Commands of the firmware", brief: []part{
		{"system", "echo params os-info bootloader taskstat mpstat datetime"},
		{"groups", "stat settings config fs shell enum zephyr raw"},
		{"Mynewt", "log run crash"},
	}},
	{title: "Files, keys and connections", commands: "inspect verify sign key package conn sim",
		brief: []part{{"others", "completion version"}}},
}

// chapter is a group of commands in the help.
type chapter struct {
	title    string
	commands string
	brief    []part // those that are shown by name only
}

// part is a line of commands that are shown by name only.
type part struct{ title, commands string }

// names lists the commands of a chapter.
func (c chapter) names() []string {
	names := strings.Fields(c.commands)
	for _, p := range c.brief {
		names = append(names, strings.Fields(p.commands)...)
	}
	return names
}

// addCommands gives the root its commands, in the order of the chapters.
func addCommands(root *cobra.Command, commands []*cobra.Command) {
	byName := map[string]*cobra.Command{}
	for _, c := range commands {
		byName[c.Name()] = c
	}
	for _, chapter := range chapters {
		for _, name := range chapter.names() {
			c, ok := byName[name]
			if !ok {
				panic("smpctl: no command " + name)
			}
			root.AddCommand(c)
			delete(byName, name)
		}
	}
	for name := range byName {
		panic("smpctl: command " + name + " is in no chapter")
	}
}

// NewRoot builds the tree of commands.
func NewRoot(a *app.App) *cobra.Command {
	root := app.NewTree(a)
	root.Short = "Update the firmware of microcontrollers that run Zephyr and MCUboot"
	root.Long = "Update the firmware of microcontrollers that run Zephyr and MCUboot."
	addCommands(root, slices.Concat(update.Commands(a), inspect.Commands(a), signing.Commands(a), group.Commands(a),
		monitor.Commands(a), bench.Commands(a), conn.Commands(a), records.Commands(a), simcmd.Commands(a),
		station.Commands(a, upgrader),
		[]*cobra.Command{completionCommand(a), versionCommand(a)}))
	root.SetHelpFunc(help(a))
	root.SetHelpCommand(helpCommand())
	versionFlag(a, root)
	return root
}

// upgrader is what a station does with each board: the upgrade.
func upgrader(ctx context.Context, a *app.App, u station.Update) (boards.Work, error) {
	return update.Upgrader(ctx, a, update.UpgradeJob{File: u.File, SHA256: u.SHA256, Keys: u.Keys, Mode: u.Mode,
		Checks: u.Checks, Wait: u.Wait})
}
