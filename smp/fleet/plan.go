package fleet

import (
	"slices"
	"strings"
)

// Candidate is a port at which a board may be. Its texts may come from the device, and are untrusted then.
type Candidate struct {
	Port string // what opens it, and no other port: /dev/ttyACM0, COM22, tcp:localhost:4444
	// Address is for whoever opens the port, and is handed through; it may say more than Port, or be empty.
	Address string

	VID, PID uint16 // of the USB device; 0 without
	Serial   string // its serial number, if that tells one device from others; case does not matter. Empty without
	Location string // where it is plugged in, such as 1-1.2; nothing else is there. Empty if that is not known
	// Interface is the number of the USB interface, for people: [PortsError] names it. -1 if it is not known.
	Interface int
	// Apart says that the user asked for this interface by its number: each such port of a device is a board of its own,
	// as behind a bridge with several UARTs.
	Apart bool
}

// Board is one device of a plan.
type Board struct {
	// Name is for people, and no other board of the plan has it: the serial number, else the location, else the port.
	Name string
	Candidate
	// Refused is why nothing is done with the board: a [*ClashError] or a [*PortsError]. nil for a board to work on.
	Refused error
	// Attempt counts the tries, from 1, in the board that [Run] hands to its work; elsewhere it is 0.
	Attempt int
}

// PlanOptions adjust a plan. The zero value takes the boards that are there.
type PlanOptions struct {
	Expect int // how many boards there must be, those that are refused among them; 0: any number
}

// Plan is what is there, in the order of the places: location, with numbers by their value, then serial number, then
// port.
type Plan struct {
	Boards []Board // to be worked on, and refused ones
}

// NewPlan tells which boards there are behind ports. It is pure, and does not depend on the order of the ports.
//
//   - What is in one place is one device; without a place, what has one vendor, product and serial number; without
//     these, what has one port. A device is one board, unless all of its ports are [Candidate.Apart].
//   - Two devices with the same vendor, product and serial number are both refused, with a [*ClashError]: after a reset
//     nobody could tell them apart, nor later by the report.
//   - A board with several ports is refused, with a [*PortsError]: nobody knows which one answers.
//
// Others go on. The only error is an [*ExpectError], before anything is touched; the plan beside it is whole.
func NewPlan(found []Candidate, o PlanOptions) (Plan, error) {
	devices := gather(found)
	clashes := clashesOf(devices)
	var boards []Board
	for _, ports := range devices {
		for _, b := range boardsOf(ports) {
			if clash := clashes[identityOf(b.Candidate)]; clash != nil {
				b.Refused = clash
			}
			boards = append(boards, b)
		}
	}
	slices.SortFunc(boards, func(a, b Board) int { return inPlace(a.Candidate, b.Candidate) })
	name(boards)
	if o.Expect > 0 && len(boards) != o.Expect {
		return Plan{boards}, &ExpectError{Want: o.Expect, Found: boards}
	}
	return Plan{boards}, nil
}

// Refused are the boards with which nothing is done.
func (p Plan) Refused() []Board {
	return slices.DeleteFunc(slices.Clone(p.Boards), func(b Board) bool { return b.Refused == nil })
}

// gather finds the ports of each device, in the order of their interfaces.
func gather(found []Candidate) (devices [][]Candidate) {
	ports := slices.Clone(found)
	slices.SortFunc(ports, byPort)
	ports = slices.CompactFunc(ports, func(a, b Candidate) bool { return a.Port == b.Port })
	of := map[device][]Candidate{}
	for _, c := range ports {
		of[deviceOf(c)] = append(of[deviceOf(c)], c)
	}
	for _, ports := range of {
		slices.SortStableFunc(ports, func(a, b Candidate) int { return a.Interface - b.Interface })
		if ports[0].Location != "" || haveInterfaces(ports) {
			devices = append(devices, ports)
			continue
		}
		for _, c := range ports { // nothing says that they are one device
			devices = append(devices, []Candidate{c})
		}
	}
	slices.SortFunc(devices, func(a, b []Candidate) int { return inPlace(a[0], b[0]) })
	return devices
}

// haveInterfaces reports whether ports, in the order of their interfaces, have one each.
func haveInterfaces(ports []Candidate) bool {
	last := -1
	for _, c := range ports {
		if c.Interface <= last {
			return false
		}
		last = c.Interface
	}
	return true
}

// boardsOf are the boards of a device: one, or one behind each port of a bridge.
func boardsOf(ports []Candidate) (boards []Board) {
	if len(ports) > 1 && slices.ContainsFunc(ports, func(c Candidate) bool { return !c.Apart }) {
		return []Board{{Candidate: ports[0], Refused: &PortsError{Ports: ports}}}
	}
	for _, c := range ports {
		boards = append(boards, Board{Candidate: c})
	}
	return boards
}

// device is what two ports of one device have in common, and two devices have not: as much as is known.
type device struct {
	location string
	identity
	port string
}

func deviceOf(c Candidate) device {
	switch {
	case c.Location != "":
		return device{location: c.Location}
	case c.Serial != "":
		return device{identity: identityOf(c)}
	}
	return device{port: c.Port}
}

// identity is what a device says that it is. A serial number is only one among those of a vendor's product.
type identity struct {
	vid, pid uint16
	serial   string
}

func identityOf(c Candidate) identity { return identity{c.VID, c.PID, strings.ToLower(c.Serial)} }

// clashesOf finds devices with the same identity.
func clashesOf(devices [][]Candidate) map[identity]*ClashError {
	same := map[identity][]Candidate{}
	for _, ports := range devices {
		if c := ports[0]; c.Serial != "" {
			same[identityOf(c)] = append(same[identityOf(c)], c)
		}
	}
	clashes := map[identity]*ClashError{}
	for i, boards := range same {
		if len(boards) > 1 {
			clashes[i] = &ClashError{Boards: boards}
		}
	}
	return clashes
}
