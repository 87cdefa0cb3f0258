package cli

import (
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/spf13/cobra"
)

// helpCommand is the other way to --help.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [command...]",
		Short:   "Show the help of smpctl or of a command",
		Example: "  smpctl help image upload",
		Args:    app.Takes(0, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 && about.HasSubCommands() {
				return app.UnknownCommand(about, rest[0])
			}
			if err != nil {
				return err
			}
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var offers []string
			for _, r := range commandRows(about) {
				offers = append(offers, cobra.CompletionWithDesc(r.name, r.text))
			}
			return offers, cobra.ShellCompDirectiveNoFileComp
		},
	}
}
