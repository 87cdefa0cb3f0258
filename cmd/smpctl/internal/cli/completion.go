package cli

import (
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/spf13/cobra"
)

// completions are what a shell offers for flags and arguments. Completing must not disturb anything: it opens no port,
// and an error is no more than nothing to offer.
func completions(a *app.App, root *cobra.Command) {
	for flag, complete := range map[string]cobra.CompletionFunc{
		"conn":        device.ProfileCompletion(a),
		"port":        device.CompletePort,
		"conntype":    cobra.FixedCompletions([]string{device.ConnSerial, device.ConnUDP}, cobra.ShellCompDirectiveNoFileComp),
		"smp-version": cobra.FixedCompletions([]string{"auto", "1", "2"}, cobra.ShellCompDirectiveNoFileComp),
		"loglevel": cobra.FixedCompletions([]string{"debug", "info", "warn", "error"},
			cobra.ShellCompDirectiveNoFileComp),
	} {
		if err := root.RegisterFlagCompletionFunc(flag, complete); err != nil {
			panic("smpctl: completion of --" + flag + ": " + err.Error())
		}
	}
}
