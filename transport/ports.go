package transport

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// USBID is a USB vendor or product id. Its text form is four hexadecimal digits.
type USBID uint16

// String returns the id as in 2fe3.
func (id USBID) String() string { return fmt.Sprintf("%04x", uint16(id)) }

// MarshalText returns the id as in 2fe3.
func (id USBID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText parses 1 to 4 hexadecimal digits of either case, with or
// without 0x before them.
func (id *USBID) UnmarshalText(text []byte) error {
	s := strings.TrimPrefix(strings.ToLower(string(text)), "0x")
	n, err := strconv.ParseUint(s, 16, 16)
	if err != nil || len(s) > 4 {
		return fmt.Errorf("usb id %q: not 1 to 4 hexadecimal digits", text)
	}
	*id = USBID(n)
	return nil
}

// Port is what is known of a serial port without opening it. The texts of a USB
// device come from the device: they are cleaned of control characters when read
// and otherwise not to be trusted, nor need they be unique.
type Port struct {
	Name string `json:"name"` // what to open: /dev/ttyACM0, /dev/cu.usbmodem1101, COM22
	USB  bool   `json:"usb"`  // the next fields and Interface are set

	VID          USBID  `json:"vid,omitzero"`           // vendor of the USB device
	PID          USBID  `json:"pid,omitzero"`           // product of this vendor
	Serial       string `json:"serial,omitempty"`       // serial number; empty if the device has none
	Product      string `json:"product,omitempty"`      // product in words, perhaps empty
	Manufacturer string `json:"manufacturer,omitempty"` // vendor in words, perhaps empty

	// Interface is the number of the USB interface, which tells the ports of
	// one device apart; [AnyInterface] if it is not known or there is none.
	Interface     int    `json:"interface"`
	InterfaceName string `json:"interface_name,omitempty"` // its name in words, perhaps empty

	// Location is where the device is plugged in, such as 1-1.2 on Linux: bus
	// 1, port 1, port 2 of the hub there. It outlives a reset of the device.
	Location string `json:"location,omitempty"`
}

// OwnSerial is the serial number if it tells this device from others. It is empty for one that many devices share: what
// frameworks and bridge chips come with.
func (p Port) OwnSerial() string {
	if !isUnique(p.Serial) {
		return ""
	}
	return p.Serial
}

// Ports lists the serial ports present, without opening any of them. Ports that
// only exist as a placeholder (an 8250 driver's unused ttyS) are left out. A
// device that goes away meanwhile is left out too; it is not an error.
func Ports() ([]Port, error) {
	ports, err := systemPorts()
	if err != nil {
		return nil, fmt.Errorf("list serial ports: %w", err)
	}
	slices.SortFunc(ports, func(a, b Port) int { return compareNames(a.Name, b.Name) })
	return ports, nil
}

// Choose returns the one of the ports that the address of a serial port means. For [KindAny] that is the only USB
// serial port among them, for [KindUSB] the only one that fits; none or several is a [*ChoiceError]. A [KindPath] names
// its port whether it is listed or not: the answer is what is known of the port, else just its name.
func (a Address) Choose(ports []Port) (Port, error) {
	if a.Kind != KindPath {
		return a.chooseUSB(ports)
	}
	if i := slices.IndexFunc(ports, func(p Port) bool { return sameName(p.Name, a.Path) }); i >= 0 {
		return ports[i], nil
	}
	return Port{Name: a.Path, Interface: AnyInterface}, nil
}

func (a Address) chooseUSB(ports []Port) (Port, error) {
	present := only(ports, func(p Port) bool { return p.USB })
	fit := a.Match(ports)
	switch len(fit) {
	case 1:
		return fit[0], nil
	case 0:
		return Port{}, &ChoiceError{Candidates: present, Present: present}
	}
	return Port{}, &ChoiceError{Matched: len(fit), Candidates: fit, Present: present}
}

// Match returns all ports that the address of a serial port means, in the order that they are listed in: several where
// [Address.Choose] finds that it cannot decide, and none where it finds nothing. A [KindPath] means its port, whether
// that is listed or not.
func (a Address) Match(ports []Port) []Port {
	switch a.Kind {
	case KindTCP, KindUDP:
		return nil
	case KindPath:
		p, _ := a.Choose(ports)
		return []Port{p}
	}
	return only(ports, func(p Port) bool { return p.USB && a.matches(p) })
}

// AddressOf returns the shortest usb: address that means this port and no other one that is present. Where there is
// none, as for a port that is not on USB, it is the name of the port.
func AddressOf(p Port, present []Port) Address {
	named := Address{Kind: KindPath, Path: p.Name, Interface: AnyInterface}
	if !p.USB || p.VID == 0 {
		return named
	}
	ids := Address{Kind: KindUSB, VID: p.VID, PID: p.PID, Interface: AnyInterface}
	serial, location := ids, ids
	serial.Serial, location.Location = p.Serial, p.Location
	for _, a := range []Address{ids, serial, location} {
		if a, ok := a.alone(p, present); ok {
			return a
		}
	}
	return named
}

// ExactAddress returns the usb: address that says all that tells this port from others, those that are still to come
// too: vendor, product, serial number and place of its device, and the interface where that has several ports. A device
// that takes its place is not meant. A port of which too little is known has its name.
func ExactAddress(p Port, present []Port) Address {
	for _, serial := range []string{p.Serial, ""} { // some can be in no address
		a := Address{Kind: KindUSB, VID: p.VID, PID: p.PID, Serial: serial, Location: p.Location}
		a, ok := a.alone(p, present)
		if ok && p.USB && p.VID != 0 && (p.Location != "" || isUnique(serial)) {
			return a
		}
	}
	return Address{Kind: KindPath, Path: p.Name, Interface: AnyInterface}
}

// alone is an address that means this port and no other one that is present, with the interface if it needs that.
func (a Address) alone(p Port, present []Port) (Address, bool) {
	for _, number := range []int{AnyInterface, p.Interface} {
		a.Interface = number
		chosen, err := a.Choose(present)
		if err == nil && chosen.Name == p.Name && a.isReadable() {
			return a, true
		}
	}
	return Address{}, false
}

// isReadable reports whether the text of an address means the same: a device may have a serial number that looks like
// other parts.
func (a Address) isReadable() bool {
	back, err := ParseAddress(a.String())
	return err == nil && back == a
}

func (a Address) matches(p Port) bool {
	if a.Kind == KindAny {
		return true
	}
	return (a.VID == 0 || a.VID == p.VID && a.PID == p.PID) &&
		// Windows shows serial numbers in capitals whatever the device sent.
		(a.Serial == "" || strings.EqualFold(a.Serial, p.Serial)) &&
		(a.Location == "" || a.MeansPlace(p.Location)) &&
		(a.Interface == AnyInterface || a.Interface == p.Interface)
}

// MeansPlace reports whether the location of a [KindUSB] address is a place, or the place is below it.
func (a Address) MeansPlace(location string) bool {
	above, isPattern := strings.CutSuffix(a.Location, "*")
	if !isPattern {
		return location == a.Location
	}
	return len(location) > len(above) && strings.HasPrefix(location, above)
}

// resolve replaces the links in a path by what they lead to, for comparing.
func resolve(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path // COM22 is no file, and what does not exist fails at open
}

// sameName compares names of ports as the systems do: macOS has a tty. and a cu.
// node for one port, Windows ignores case and wants \\.\ from COM10 on.
func sameName(a, b string) bool { return plainName(a) == plainName(b) }

func plainName(s string) string {
	if rest, found := strings.CutPrefix(s, "/dev/tty."); found {
		return "/dev/cu." + rest
	}
	s = strings.TrimPrefix(s, `\\.\`)
	if len(s) > 3 && strings.EqualFold(s[:3], "COM") {
		return strings.ToUpper(s)
	}
	return s
}

// compareNames orders names with numbers at the end by number: ttyACM2, ttyACM10.
func compareNames(a, b string) int {
	baseA, numberA := splitNumber(a)
	baseB, numberB := splitNumber(b)
	if c := strings.Compare(baseA, baseB); c != 0 {
		return c
	}
	if len(numberA) != len(numberB) {
		return len(numberA) - len(numberB)
	}
	return strings.Compare(numberA, numberB)
}

func splitNumber(s string) (base, number string) {
	base = strings.TrimRight(s, "0123456789")
	return base, s[len(base):]
}

// clean makes a text from a USB descriptor fit to be shown and compared.
func clean(s string) string {
	const longest = 126 // characters a string descriptor can hold
	var b strings.Builder
	n := 0
	for _, r := range strings.TrimSpace(s) {
		if n++; n > longest {
			break
		}
		if !unicode.IsPrint(r) {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}
