package main

import (
	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/cobra"
)

// completions are what a shell offers for flags and arguments. Completing must not disturb anything: it opens no port,
// and an error is no more than nothing to offer.
func (a *app) completions(root *cobra.Command) {
	for flag, complete := range map[string]cobra.CompletionFunc{
		"conn":        a.completeProfile,
		"port":        completePort,
		"conntype":    cobra.FixedCompletions([]string{connSerial, connUDP}, cobra.ShellCompDirectiveNoFileComp),
		"smp-version": cobra.FixedCompletions([]string{"auto", "1", "2"}, cobra.ShellCompDirectiveNoFileComp),
		"loglevel": cobra.FixedCompletions([]string{"debug", "info", "warn", "error"},
			cobra.ShellCompDirectiveNoFileComp),
	} {
		if err := root.RegisterFlagCompletionFunc(flag, complete); err != nil {
			panic("smpctl: completion of --" + flag + ": " + err.Error())
		}
	}
}

// completeProfileArg offers the names of saved connections for a command's only argument.
func (a *app) completeProfileArg(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeProfile(cmd, args, typed)
}

// completeProfile offers the names of saved connections.
func (a *app) completeProfile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	f, err := a.profiles()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var offers []string
	for _, name := range f.names() {
		offers = append(offers, cobra.CompletionWithDesc(name, f.Connections[name].ConnString))
	}
	return offers, cobra.ShellCompDirectiveNoFileComp
}

// completePort offers the serial ports present.
func completePort(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
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
