package app

import (
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/spf13/cobra"
)

// Takes checks how many arguments a command is given: at least so many, and at most so many unless that is negative.
// What is missing is named as in the command's usage line.
func Takes(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch n := len(args); {
		case n < least:
			return asUsedIn(cmd, failure.Usage("%s: %s is missing", shortPath(cmd), placeholder(cmd, n)))
		case most >= 0 && n > most && cmd.HasSubCommands() && most == 0:
			return UnknownCommand(cmd, args[0])
		case most >= 0 && n > most:
			return asUsedIn(cmd, failure.Usage("%s: %q is one argument too many", shortPath(cmd), ellipsis(args[most])))
		}
		return nil
	}
}

// asUsedIn adds the usage line to an error about arguments.
func asUsedIn(cmd *cobra.Command, err error) error {
	return failure.WithHint(err, "write "+UsageLine(cmd)+"; "+helpOf(cmd)+" says more")
}

// UsageLine is how a command is written, without its flags: smpctl image upload <file>.
func UsageLine(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Use
	}
	return cmd.Parent().CommandPath() + " " + cmd.Use
}

// helpOf is the command line that explains a command.
func helpOf(cmd *cobra.Command) string { return cmd.CommandPath() + " --help" }

// shortPath is the path of a command without the name of the program.
func shortPath(cmd *cobra.Command) string {
	path := cmd.CommandPath()
	if _, rest, ok := strings.Cut(path, " "); ok {
		return rest
	}
	return path
}

// placeholder is the name of an argument that has to be there, as the usage line has it: <file>.
func placeholder(cmd *cobra.Command, n int) string {
	words := strings.Fields(cmd.Use)[1:]
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case strings.HasPrefix(word, "-"):
			i++ // the value of a flag
		case strings.Contains(word, "<") && n > 0:
			n--
		case strings.Contains(word, "<"):
			return word
		}
	}
	return "an argument"
}
