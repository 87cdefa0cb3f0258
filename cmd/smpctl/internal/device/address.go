package device

import (
	"strings"
	"unicode"

	"github.com/smpctl/smpctl/transport"
)

// address says where the device is: what package transport opens, or the virtual device in this process.
type address struct{ transport.Address }

// KindSim is the kind of a sim: address, whose Path is the file with the flash, or empty.
const KindSim transport.Kind = -1

// ParseAddress parses an address of any kind. Every error is a *transport.AddressError.
func ParseAddress(s string) (address, error) {
	scheme, flash, found := strings.Cut(s, ":")
	if !found || !strings.EqualFold(scheme, "sim") {
		a, err := transport.ParseAddress(s)
		return address{a}, err
	}
	if strings.ContainsFunc(flash, unicode.IsControl) {
		return address{}, &transport.AddressError{Address: s, Problem: "contains a control character"}
	}
	return address{transport.Address{Kind: KindSim, Path: flash, Interface: transport.AnyInterface}}, nil
}

// String returns the address in the form that parseAddress takes.
func (a address) String() string {
	if a.Kind == KindSim {
		return "sim:" + a.Path
	}
	return a.Address.String()
}

// checkAddress refuses an address that could never be opened; an empty one means the only port.
func checkAddress(address string) error {
	_, err := ParseAddress(address)
	return err
}
