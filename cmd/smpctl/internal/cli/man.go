package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Manual makes the manual pages, by the names of their files: smpctl.1, and smpctl-COMMAND.1 for each command of the
// root with all that stands below it. Date and version stand in the margins. No program that is installed has it: it
// is called when a release is made.
func Manual(version, date string) map[string][]byte {
	root := NewRoot(&app.App{Env: func(string) (string, bool) { return "", false }})
	pages := map[string][]byte{}
	add := func(name string, write func(*roff)) {
		r := &roff{}
		r.title(name, date, version)
		write(r)
		pages[name+".1"] = []byte(r.String())
	}
	add("smpctl", func(r *roff) { r.ofRoot(root) })
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			add(manualName(cmd), func(r *roff) { r.ofCommand(cmd) })
		}
	}
	return pages
}

func manualName(cmd *cobra.Command) string { return "smpctl-" + cmd.Name() }

// ofRoot says what holds for all commands, and where each has its page.
func (r *roff) ofRoot(root *cobra.Command) {
	r.section("NAME")
	fmt.Fprintf(r, "smpctl \\- %s\n", roffText(asSummary(root.Short)))
	r.section("SYNOPSIS")
	r.usage("smpctl", "<command> [flags]")
	r.section("DESCRIPTION")
	r.prose(manualDescription)
	r.section("COMMANDS")
	for _, chapter := range chapters {
		r.subsection(chapter.title)
		var rows []row
		for _, name := range chapter.names() {
			if cmd, _, err := root.Find([]string{name}); err == nil {
				rows = append(rows, row{manualName(cmd) + "(1)", cmd.Short})
			}
		}
		r.rows(rows)
	}
	root.InitDefaultHelpFlag()
	var flags []*pflag.Flag
	inOrder(root.PersistentFlags(), func(f *pflag.Flag) { flags = append(flags, f) })
	r.flags(root, "FLAGS OF EVERY COMMAND", append(flags, root.Flags().Lookup("help"), root.Flags().Lookup("version")))
	r.exitStatus()
	r.section("ENVIRONMENT")
	r.rows(manualEnvironment)
	r.section("FILES")
	r.rows(manualFiles)
	r.section("EXAMPLES")
	r.lines(manualExamples)
	r.section("SEE ALSO")
	r.seeAlso(root, "upgrade", "recover", "image", "ports", "sim")
}

// ofCommand says all about a command, and about those below it.
func (r *roff) ofCommand(cmd *cobra.Command) {
	r.section("NAME")
	fmt.Fprintf(r, "%s \\- %s\n", roffText(manualName(cmd)), roffText(asSummary(cmd.Short)))
	r.section("SYNOPSIS")
	for _, c := range runnable(cmd) {
		r.usage(c.CommandPath(), strings.TrimSpace(strings.TrimPrefix(app.UsageLine(c), c.CommandPath())+" [flags]"))
	}
	r.section("DESCRIPTION")
	r.prose(description(cmd))
	if len(cmd.Aliases) > 0 {
		r.prose("Other names: " + strings.Join(cmd.Aliases, ", ") + ".")
	}
	if cmd.HasAvailableSubCommands() {
		r.below(cmd)
	}
	if !isGroup(cmd) {
		r.flags(cmd, "FLAGS", ownFlags(cmd))
	}
	r.flags(cmd, "CONNECTION", usedBy(cmd, cmd.Root().PersistentFlags()))
	if cmd.Example != "" {
		r.section("EXAMPLES")
		r.lines(cmd.Example)
	}
	r.exitStatus()
	r.section("ENVIRONMENT AND FILES")
	r.prose("As smpctl(1) has them.")
	r.section("SEE ALSO")
	r.seeAlso(cmd.Root(), neighbours(cmd)...)
}

// below writes a part for each command below one.
func (r *roff) below(cmd *cobra.Command) {
	r.section("COMMANDS")
	for _, c := range cmd.Commands() {
		if !c.IsAvailableCommand() {
			continue
		}
		r.subsection(strings.TrimPrefix(c.CommandPath(), "smpctl "))
		r.prose(description(c))
		r.rows(flagRows(c, ownFlags(c)))
		if c.Example != "" {
			r.lines(c.Example)
		}
		for _, deeper := range runnable(c) {
			if deeper != c {
				panic("smpctl: the manual has no place for " + deeper.CommandPath())
			}
		}
	}
}

// flags writes flags, each part under its heading.
func (r *roff) flags(cmd *cobra.Command, title string, flags []*pflag.Flag) {
	for part := range parts(flags) {
		heading := app.HeadingOf(part[0])
		if heading == "" {
			heading = title
		}
		r.section(strings.ToUpper(heading))
		r.rows(flagRows(cmd, part))
	}
}

// parts cuts flags before each that has a heading.
func parts(flags []*pflag.Flag) func(yield func([]*pflag.Flag) bool) {
	return func(yield func([]*pflag.Flag) bool) {
		start := 0
		for i := 1; i <= len(flags); i++ {
			if i == len(flags) || app.HeadingOf(flags[i]) != "" {
				if !yield(flags[start:i]) {
					return
				}
				start = i
			}
		}
	}
}

// flagRows are flags as rows of the manual: the name, a tab, the value.
func flagRows(cmd *cobra.Command, flags []*pflag.Flag) (rows []row) {
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		name := strings.TrimSpace(flagName(f))
		if last := strings.LastIndex(name, "--"); strings.Contains(name[last:], " ") {
			before, value, _ := strings.Cut(name[last:], " ")
			name = name[:last] + before + "\t" + value
		}
		rows = append(rows, row{name, flagText(cmd, f)})
	}
	return rows
}

func (r *roff) exitStatus() {
	r.section("EXIT STATUS")
	var rows []row
	for _, e := range failure.ExitCodes() {
		rows = append(rows, row{fmt.Sprint(e.Code), e.Meaning})
	}
	r.rows(rows)
}

func (r *roff) seeAlso(root *cobra.Command, names ...string) {
	var pages []string
	for _, name := range names {
		if cmd, _, err := root.Find([]string{name}); err == nil && cmd != root {
			pages = append(pages, manualName(cmd)+"(1)")
		}
	}
	slices.Sort(pages)
	r.prose(strings.Join(append([]string{"smpctl(1)"}, pages...), ", "))
}

// neighbours are the other commands of a command's chapter, or of its part of it.
func neighbours(cmd *cobra.Command) []string {
	for _, c := range chapters {
		lists := []string{c.commands}
		for _, p := range c.brief {
			lists = append(lists, p.commands)
		}
		for _, list := range lists {
			if names := strings.Fields(list); slices.Contains(names, cmd.Name()) {
				return slices.DeleteFunc(names, func(name string) bool { return name == cmd.Name() })
			}
		}
	}
	return nil
}

// runnable lists the commands from one on downwards that do something.
func runnable(cmd *cobra.Command) (all []*cobra.Command) {
	if !isGroup(cmd) {
		all = append(all, cmd)
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			all = append(all, runnable(c)...)
		}
	}
	return all
}

// asSummary makes a summary of a line of the help: it goes on in the manual's line of names.
func asSummary(short string) string {
	return strings.ToLower(short[:1]) + short[1:]
}
