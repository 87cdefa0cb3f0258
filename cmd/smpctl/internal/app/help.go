package app

import (
	"io"
	"strconv"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/spf13/cobra"
)

// NeedsCommand is the body of a command that only groups others: without it, cobra would answer an unknown subcommand
// with help and success.
func NeedsCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return UnknownCommand(cmd, args[0])
	}
	var help strings.Builder
	cmd.SetOut(&help)
	_ = cmd.Help()
	return &noCommandError{help.String()}
}

// noCommandError is a group without a command. People get its help in front of the error, and no hint: it is said
// already.
type noCommandError struct{ help string }

func (*noCommandError) Error() string { return failure.ErrNoCommand.Error() }

func (*noCommandError) Unwrap() error { return failure.ErrNoCommand }

// printHelp prints what cobra had to say. A shell that completes a line with --json in it wants no JSON.
func (a *App) printHelp(args []string) error {
	switch args[0] {
	case cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
		a.Flags.JSON = false
	}
	return a.print(textResult{a.help.String(), a.titles})
}

// HelpTitles says which lines of the help are titles, and stand out on a terminal.
func (a *App) HelpTitles(lines []string) { a.titles = lines }

// textResult is a text for people.
type textResult struct {
	Content string `json:"text"`
	titles  []string
}

// paint makes the titles in a text stand out.
func (r textResult) paint(text string) string {
	for _, title := range r.titles {
		text = strings.Replace(text, "\n"+title+"\n", "\n"+screen.Bold.Paint(title)+"\n", 1)
	}
	return text
}

func (r textResult) Text(w io.Writer) error {
	_, err := io.WriteString(w, r.Content)
	return err
}

// HelpColumns is how many characters a line of help may have that a command prints there: those of the terminal that
// it goes to, else what the environment says in COLUMNS, else 80.
func (a *App) HelpColumns(w io.Writer) int {
	columns := a.ErrColumns
	if w == &a.help {
		columns = a.OutColumns
	}
	if columns != nil {
		if n := columns(); n > 0 {
			return n
		}
	}
	if text, ok := a.Env("COLUMNS"); ok {
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			return n
		}
	}
	return 80
}
