package cli

import (
	"slices"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/bench"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/conn"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/group"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/inspect"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/monitor"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/signing"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/simcmd"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/update"
	"github.com/spf13/cobra"
)

// chapters are the groups of commands in the help, and their order.
var chapters = []struct{ id, title, commands string }{
	{"update", "Update:", "upgrade recover image reset"},
	{"look", "Look:", "ports info monitor bench echo params os-info bootloader taskstat mpstat datetime"},
	{"groups", "Other command groups:", "stat settings config fs shell enum zephyr raw log run crash"},
	{"files", "Files and connections:", "inspect verify sign key package conn sim"},
}

// addCommands gives the root its commands, in the order of the chapters.
func addCommands(root *cobra.Command, commands []*cobra.Command) {
	byName := map[string]*cobra.Command{}
	for _, c := range commands {
		byName[c.Name()] = c
	}
	for _, chapter := range chapters {
		root.AddGroup(&cobra.Group{ID: chapter.id, Title: chapter.title})
		for _, name := range strings.Fields(chapter.commands) {
			c, ok := byName[name]
			if !ok {
				panic("smpctl: no command " + name)
			}
			c.GroupID = chapter.id
			root.AddCommand(c)
			delete(byName, name)
		}
	}
	for _, c := range commands { // version, which is in no chapter
		if byName[c.Name()] != nil {
			root.AddCommand(c)
		}
	}
}

// NewRoot builds the tree of commands.
func NewRoot(a *app.App) *cobra.Command {
	root := app.NewTree(a)
	root.Short = "Update the firmware of microcontrollers that run Zephyr and MCUboot"
	root.Long = `smpctl updates the firmware of microcontrollers that run Zephyr and MCUboot, over a serial port or USB.

Try it without hardware, on the virtual device:
  smpctl -p sim: upgrade app.signed.bin

Exit codes: 0 done, 1 other, 2 wrong usage, 3 port, 4 no reply, 5 device refused,
6 image unusable, 7 the device does not run the new image, 130 interrupted.`
	addCommands(root, slices.Concat(update.Commands(a), inspect.Commands(a), signing.Commands(a), group.Commands(a),
		monitor.Commands(a), bench.Commands(a), conn.Commands(a), simcmd.Commands(a), []*cobra.Command{versionCommand(a)}))
	completions(a, root)
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
				return failure.Usage("%w: %s", err, cmd.UseLine())
			}
			return nil
		}
	}
}
