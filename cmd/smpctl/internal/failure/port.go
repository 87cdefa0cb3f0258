package failure

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/smpctl/smpctl/transport"
)

// openHint says what to do about a port that cannot be opened; empty if nothing is known.
func openHint(e *transport.OpenError) string {
	var choice *transport.ChoiceError
	switch {
	case errors.As(e, &choice) && choice.Matched > 1:
		return severalHint(choice)
	case errors.As(e, &choice):
		return "name the port with -p PORT; smpctl ports shows what is there, and -p sim: is a virtual device"
	case errors.Is(e, fs.ErrNotExist) && isPortName(e.Address):
		return "smpctl ports shows the ports that are there"
	}
	return obstacleHint(e)
}

// obstacleHint says what to do about a port that is there and cannot be opened.
func obstacleHint(e *transport.OpenError) string {
	switch {
	case errors.Is(e, transport.ErrBusy):
		return cmp.Or(HolderOf(e), "another program has the port open: a terminal, another smpctl, ModemManager")
	case errors.Is(e, fs.ErrPermission) && e.InGroup:
		return fmt.Sprintf("your user is in group %s, but was not when this session began: log in again", e.Group)
	case errors.Is(e, fs.ErrPermission) && e.Group != "":
		return fmt.Sprintf("only group %s may open the port: sudo usermod -aG %[1]s $USER, then log in again", e.Group)
	case errors.Is(e, fs.ErrPermission):
		return "your user may not open the port"
	}
	return ""
}

// awayHint says what to do about a port that stays away.
func awayHint(e *transport.OpenError) string {
	if errors.Is(e, fs.ErrNotExist) && isPortName(e.Address) {
		return plugHint
	}
	return notBackHint
}

// maxOffered is how many ports are offered to choose from.
const maxOffered = 4

// severalHint offers each of the ports that fit under an address that means it alone.
func severalHint(e *transport.ChoiceError) string {
	if len(e.Candidates) > maxOffered {
		return "name one with -p PORT, or with -p usb:serial=… or usb:location=…; smpctl ports shows them"
	}
	var offers []string
	for _, p := range e.Candidates {
		offers = append(offers, Offer(p, e.Present))
	}
	return "name one: " + strings.Join(offers, " or ") + "; smpctl ports --probe shows which of them answers"
}

// Offer is how to name a port that is present: the address that means it alone, or else its name.
func Offer(p transport.Port, present []transport.Port) string {
	// What is in a serial number comes from the device, and what is offered may be pasted into a shell.
	a := transport.AddressOf(p, present).String()
	if a == p.Name || strings.ContainsFunc(a, needsQuotes) {
		return "-p " + p.Name
	}
	return "-p " + a + " (" + p.Name + ")"
}

// needsQuotes reports whether a shell may take a character for something else than itself.
func needsQuotes(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("-_.,:=/", r)
}

// isPortName reports whether an address names a serial port, and smpctl ports can help to find another one.
func isPortName(address string) bool {
	a, err := transport.ParseAddress(address)
	return err == nil && a.Kind != transport.KindTCP && a.Kind != transport.KindUDP
}

// HolderOf says which program has a busy port open; empty if nobody knows.
func HolderOf(e *transport.OpenError) string {
	switch p := e.Holder; {
	case p.PID == 0:
		return ""
	case p.PID == os.Getpid():
		return "this command has it open already"
	default:
		return fmt.Sprintf("%s (pid %d) has it open", cmp.Or(p.Name, "a program"), p.PID)
	}
}
