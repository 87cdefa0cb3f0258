package device

import (
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/cobra"
)

// ProfileArgCompletion offers the names of saved connections for a command's only argument.
func ProfileArgCompletion(a *app.App) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return ProfileCompletion(a)(cmd, args, typed)
	}
}

// ProfileCompletion offers the names of saved connections.
func ProfileCompletion(a *app.App) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		f, err := Profiles(a)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var offers []string
		for _, name := range f.Names() {
			offers = append(offers, cobra.CompletionWithDesc(name, f.Connections[name].ConnString))
		}
		return offers, cobra.ShellCompDirectiveNoFileComp
	}
}

// CompletePort offers the serial ports present.
func CompletePort(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	ports, err := transport.Ports()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	offers := []string{cobra.CompletionWithDesc("sim:", "the virtual device")}
	for _, p := range ports {
		offers = append(offers, cobra.CompletionWithDesc(p.Name, p.Product))
	}
	return offers, cobra.ShellCompDirectiveDefault
}
