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
func CompletePort(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	ports, err := transport.Ports()
	if err != nil {
		ports = nil
	}
	return append(portOffers(ports), cobra.CompletionWithDesc("sim:", "the virtual device")),
		cobra.ShellCompDirectiveDefault
}

func portOffers(ports []transport.Port) (offers []string) {
	for _, p := range ports {
		offers = append(offers, cobra.CompletionWithDesc(p.Name, p.Product))
	}
	for _, p := range ports {
		if address, ok := usbAddress(p, ports); ok {
			what := fmt.Sprintf("%s (%s)", cmp.Or(p.Product, "USB port"), p.Name)
			offers = append(offers, cobra.CompletionWithDesc(address, what))
		}
	}
	return offers
}

// usbAddress is the shortest address that means this port and no other one that is present.
func usbAddress(p transport.Port, ports []transport.Port) (string, bool) {
	if !p.USB || p.VID == 0 {
		return "", false
	}
	ids := transport.Address{Kind: transport.KindUSB, VID: p.VID, PID: p.PID, Interface: transport.AnyInterface}
	serial, location := ids, ids
	serial.Serial, location.Location = p.Serial, p.Location
	for _, a := range []transport.Address{ids, serial, location} {
		for _, number := range []int{transport.AnyInterface, p.Interface} {
			a.Interface = number
			if chosen, err := a.Choose(ports); err == nil && chosen.Name == p.Name {
				return a.String(), true
			}
		}
	}
	return "", false
}
