package cli

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// offline are the commands that need no device, and those flags of the connection that they use all the same.
var offline = map[string]string{
	"inspect": "", "verify": "", "sign": "", "key": "", "package": "", "conn": "", "version": "", "completion": "",
	"help": "", "records": "", "station": "timeout tries buffer line-length window raw smp-version", "sim": "baud",
	"ports": "baud timeout tries line-length raw smp-version",
}

// help writes the help of a command.
func help(a *app.App) func(*cobra.Command, []string) {
	return func(cmd *cobra.Command, _ []string) {
		w := cmd.OutOrStdout()
		p := newPage(a.HelpColumns(w))
		if cmd.HasParent() {
			p.ofCommand(cmd)
		} else {
			p.ofRoot(cmd)
		}
		a.HelpTitles(p.titles)
		_, _ = io.WriteString(w, p.String())
	}
}

// ofCommand says what a command does, how it is written, and in the end, where the eye is, what it looks like.
func (p *page) ofCommand(cmd *cobra.Command) {
	p.prose(description(cmd))
	p.usage(cmd)
	if len(cmd.Aliases) > 0 {
		p.line(0, 9, "Aliases: "+strings.Join(cmd.Aliases, ", "))
	}
	if cmd.HasAvailableSubCommands() {
		p.title("Commands")
		p.rows(commandRows(cmd))
	}
	if isGroup(cmd) {
		p.blank()
		p.line(0, 0, cmd.CommandPath()+" <command> --help shows the flags of a command.")
		return
	}
	p.flags(cmd)
	if cmd.Example != "" {
		p.title("Examples")
		for line := range strings.Lines(cmd.Example) {
			p.command(strings.TrimSpace(line))
		}
	}
}

func description(cmd *cobra.Command) string { return cmp.Or(cmd.Long, cmd.Short) }

// isGroup reports whether a command does nothing but group others.
func isGroup(cmd *cobra.Command) bool { return cmd.HasAvailableSubCommands() && cmd.Args == nil }

func (p *page) usage(cmd *cobra.Command) {
	p.blank()
	before := "Usage: "
	if !isGroup(cmd) {
		p.line(0, 2*len(before), before+app.UsageLine(cmd)+" [flags]")
		before = strings.Repeat(" ", len(before))
	}
	if cmd.HasAvailableSubCommands() {
		p.WriteString(before + cmd.CommandPath() + " <command>\n")
	}
}

func commandRows(cmd *cobra.Command) (rows []row) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			rows = append(rows, row{c.Name(), c.Short})
		}
	}
	return rows
}

// flags writes the flags of a command in the order in which they were declared: its own, then those of every command
// that mean something to it.
func (p *page) flags(cmd *cobra.Command) {
	p.flagTable(cmd, "Flags", ownFlags(cmd))
	p.flagTable(cmd, "Connection", usedBy(cmd, cmd.Root().PersistentFlags()))
}

// ownFlags lists the flags that other commands do not have, or not like this.
func ownFlags(cmd *cobra.Command) (own []*pflag.Flag) {
	global := cmd.Root().PersistentFlags()
	inOrder(cmd.Flags(), func(f *pflag.Flag) {
		if global.Lookup(f.Name) != f && f.Name != "help" {
			own = append(own, f)
		}
	})
	return own
}

// usedBy lists the flags of every command that mean something to one.
func usedBy(cmd *cobra.Command, global *pflag.FlagSet) (used []*pflag.Flag) {
	cmd.InitDefaultHelpFlag()
	top := cmd
	for top.HasParent() && top.Parent().HasParent() {
		top = top.Parent()
	}
	uses, noDevice := offline[top.Name()]
	part := ""
	inOrder(global, func(f *pflag.Flag) {
		if title := app.HeadingOf(f); title != "" {
			part = title
		}
		replaced := cmd.Flags().Lookup(f.Name) != f // by a flag of the command's own
		if !replaced && (part != "Connection" || !noDevice || slices.Contains(strings.Fields(uses), f.Name)) {
			used = append(used, f)
		}
	})
	return append(used, cmd.Flags().Lookup("help"))
}

// inOrder visits flags as they were declared.
func inOrder(f *pflag.FlagSet, visit func(*pflag.Flag)) {
	f.SortFlags = false
	f.VisitAll(visit)
}

// flagTable writes flags, each part under its heading.
func (p *page) flagTable(cmd *cobra.Command, title string, flags []*pflag.Flag) {
	var rows []row
	end := func() {
		if len(rows) > 0 {
			p.title(title)
			p.rows(rows)
		}
		rows = nil
	}
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		if heading := app.HeadingOf(f); heading != "" {
			end()
			title = heading
		}
		rows = append(rows, row{flagName(f), flagText(cmd, f)})
	}
	end()
}

// flagName is how a flag is written: -p, --port ADDRESS.
func flagName(f *pflag.Flag) string {
	name := "    --" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", --" + f.Name
	}
	switch value := app.ValueName(f); {
	case value == "":
		return name
	case f.NoOptDefVal != "":
		return name + " [" + value + "]"
	default:
		return name + " " + value
	}
}

// flagText is what a flag does, and what holds without it.
func flagText(cmd *cobra.Command, f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	switch {
	case f.Name == "help":
		return "show this help"
	case app.Required(cmd, f):
		return text + " (required)"
	case strings.Contains(text, "default"):
	case f.Value.Type() == "bool" && f.DefValue == "true":
		return text + " (default; --" + f.Name + "=false turns it off)"
	case !slices.Contains([]string{"", "0", "-1", "false", "[]"}, f.DefValue):
		if minutes, ok := strings.CutSuffix(f.DefValue, "m0s"); ok {
			return text + " (default " + minutes + "m)"
		}
		return text + " (default " + f.DefValue + ")"
	}
	return text
}
