package failure

import (
	"errors"

	"github.com/smpctl/smpctl/smp/fleet"
)

// planHint says what to do about boards that are not as they should be, before any is touched; empty for any other
// error.
func planHint(err error) string {
	var count *fleet.ExpectError
	var twins *fleet.ClashError
	var ports *fleet.PortsError
	switch {
	case errors.As(err, &twins):
		return "plug in one of them at a time: after a reset nobody could tell which is which"
	case errors.As(err, &ports):
		return "add if=N to the address, the number of the port's interface; smpctl ports --probe shows which answers"
	case errors.As(err, &count) && len(count.Found) < count.Want:
		return "nothing was touched: plug in what is missing; smpctl ports shows what is there"
	case errors.As(err, &count):
		return "nothing was touched: unplug what is too many, or name the boards more closely with -p"
	}
	return ""
}
