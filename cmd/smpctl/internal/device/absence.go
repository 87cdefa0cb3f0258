package device

import (
	"fmt"
	"path"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/transport"
)

// awaited says what the user is waiting for, and what to do about it.
func (a address) awaited(ports []transport.Port) string {
	switch near := nearby(a, ports); {
	case a.Kind == transport.KindTCP:
		return a.String() + ": nobody listens there yet (Ctrl-C stops)"
	case a.Kind == transport.KindAny:
		return "a USB serial port: plug the board in (Ctrl-C stops)"
	case near != "":
		return fmt.Sprintf("%s: plug the board in (Ctrl-C stops); %s", a, near)
	}
	return a.String() + ": plug the board in (Ctrl-C stops)"
}

// absenceHint says what to do about a port that is not there; empty if the error has the ports to choose from.
func (a address) absenceHint(ports []transport.Port) string {
	switch near := nearby(a, ports); {
	case a.Kind == transport.KindTCP:
		return "start the server, or check host and port"
	case a.Kind != transport.KindPath:
		return ""
	case strings.HasSuffix(near, " is there"):
		return near + "; smpctl ports shows what it is"
	case near != "":
		return near + "; smpctl ports shows what they are"
	}
	return "smpctl ports shows the ports that are there"
}

// maxNearby is how many ports are named to somebody who asked for another one.
const maxNearby = 3

// nearby says which ports are there that the user may have meant: those of the same kind, else those on USB. It is
// empty if there are none, or the address is no name of a port.
func nearby(a address, ports []transport.Port) string {
	if a.Kind != transport.KindPath {
		return ""
	}
	names := portNames(ports, func(p transport.Port) bool { return portKind(p.Name) == portKind(a.Path) })
	if len(names) == 0 {
		names = portNames(ports, func(p transport.Port) bool { return p.USB })
	}
	switch n := len(names); {
	case n == 0:
		return ""
	case n == 1:
		return names[0] + " is there"
	case n > maxNearby:
		names = append(names[:maxNearby], human.Count(n-maxNearby, "other"))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last] + " are there"
}

func portNames(ports []transport.Port, fits func(transport.Port) bool) []string {
	var names []string
	for _, p := range ports {
		if fits(p) {
			names = append(names, p.Name)
		}
	}
	return names
}

// portKind is what the names of ports have in common but for their number: ttyACM of /dev/ttyACM0.
func portKind(name string) string { return strings.TrimRight(path.Base(name), "0123456789") }
