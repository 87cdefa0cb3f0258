package device

import (
	"cmp"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/cobra"
)

// CompleteProfile offers the names of saved connections, once.
func CompleteProfile(a *app.App) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		f, err := Profiles(a)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var offers []string
		for _, name := range f.Names() {
			offers = append(offers, cobra.CompletionWithDesc(name, f.Connections[name].ConnString))
		}
		return offers, cobra.ShellCompDirectiveNoFileComp
	}
}

// CompletePort offers the serial ports present, those over USB also by what does not change when they come back under
// another name.
func CompletePort(a *app.App) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		ports, err := BusOf(a).Ports()
		if err != nil {
			ports = nil
		}
		return append(portOffers(ports), cobra.CompletionWithDesc("sim:", "the virtual device")),
			cobra.ShellCompDirectiveDefault
	}
}

func portOffers(ports []transport.Port) (offers []string) {
	for _, p := range ports {
		offers = append(offers, cobra.CompletionWithDesc(p.Name, p.Product))
	}
	for _, p := range ports {
		if address := transport.AddressOf(p, ports); address.Kind == transport.KindUSB {
			what := fmt.Sprintf("%s (%s)", cmp.Or(p.Product, "USB port"), p.Name)
			offers = append(offers, cobra.CompletionWithDesc(address.String(), what))
		}
	}
	return offers
}
