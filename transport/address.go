package transport

import (
	"cmp"
	"net"
	"strconv"
	"strings"
	"unicode"
)

// Kind says what an [Address] leads to.
type Kind int

const (
	KindAny  Kind = iota // no address given: the only USB serial port present
	KindPath             // a device name: /dev/ttyACM0, /dev/cu.usbmodem1101, COM22
	KindUSB              // a USB serial port known by its identity
	KindTCP              // the serial byte stream over TCP
	KindUDP              // SMP over UDP
)

// defaultUDPPort is where Zephyr listens (CONFIG_MCUMGR_TRANSPORT_UDP_PORT).
const defaultUDPPort = "1337"

// Address is the parsed form of
//
//	/dev/ttyACM0                         a port by name, or by any alias of it
//	usb:VID:PID[:SERIAL]                 hexadecimal ids
//	usb:serial=SERIAL, usb:location=1-1.2, usb:location=1-1.*
//	tcp:HOST:PORT, udp:HOST[:PORT]
//
// The parts of a usb: address may be combined with commas, and if=N among them
// picks one interface of a device with several ports: usb:2fe3:0004,if=2.
// A * at the end of a location, behind the sign that parts the places, means
// all that is plugged in below: into the hub at 1-1, and into hubs behind it.
// Addresses can be compared with ==.
type Address struct {
	Kind Kind   // which of the forms it is
	Path string // KindPath: device name
	Host string // KindTCP, KindUDP: HOST:PORT as package net takes it

	VID, PID  USBID  // KindUSB: looked at if VID is not 0
	Serial    string // KindUSB: looked at if not empty; case does not matter
	Location  string // KindUSB: looked at if not empty; a place, or with * at its end all below it
	Interface int    // KindUSB: interface number, or AnyInterface
}

// AnyInterface is the Interface of an address that does not ask for one, and of
// a port whose interface number is not known.
const AnyInterface = -1

// ParseAddress parses the text of an address. Every error is an [*AddressError].
// That the text is well formed says nothing about whether such a port exists.
func ParseAddress(s string) (Address, error) {
	a := Address{Interface: AnyInterface}
	scheme, rest, _ := strings.Cut(s, ":")
	problem := ""
	switch {
	case s == "":
		return a, nil
	case strings.ContainsFunc(s, unicode.IsControl):
		problem = "contains a control character"
	case strings.EqualFold(scheme, "usb") && len(scheme) < len(s):
		a.Kind = KindUSB
		problem = a.parseUSB(rest)
	case strings.EqualFold(scheme, "tcp") && len(scheme) < len(s):
		a.Kind, a.Host = KindTCP, rest
		problem = checkHostPort(rest)
	case strings.EqualFold(scheme, "udp") && len(scheme) < len(s):
		a.Kind, a.Host = KindUDP, withPort(rest, defaultUDPPort)
		problem = checkHostPort(a.Host)
	case len(scheme) > 1 && len(scheme) < len(s) && !strings.ContainsFunc(scheme, notLower):
		// A mistyped scheme would else be reported as a missing file.
		problem = "unknown kind " + scheme + ":"
	default:
		a.Kind, a.Path = KindPath, s
	}
	if problem != "" {
		return Address{}, &AddressError{Address: s, Problem: problem}
	}
	return a, nil
}

// String returns the address in the form that [ParseAddress] takes.
func (a Address) String() string {
	switch a.Kind {
	case KindPath:
		return a.Path
	case KindUSB:
		return "usb:" + strings.Join(a.usbParts(), ",")
	case KindTCP:
		return "tcp:" + a.Host
	case KindUDP:
		return "udp:" + a.Host
	}
	return ""
}

func (a Address) usbParts() []string {
	var parts []string
	if a.VID != 0 {
		parts = append(parts, a.VID.String()+":"+a.PID.String())
	}
	if a.Serial != "" {
		parts = append(parts, "serial="+a.Serial)
	}
	if a.Location != "" {
		parts = append(parts, "location="+a.Location)
	}
	if a.Interface != AnyInterface {
		parts = append(parts, "if="+strconv.Itoa(a.Interface))
	}
	return parts
}

// parseUSB fills in the part behind usb: and returns what is wrong with it.
func (a *Address) parseUSB(s string) (problem string) {
	for i, part := range splitUSB(s) {
		key, value, isKey := strings.Cut(part, "=")
		switch {
		case i == 0 && !isUSBKey(part):
			problem = a.parseIDs(part)
		case !isKey || value == "":
			problem = "empty part"
		case key == "serial":
			problem = setOnce(&a.Serial, value, key)
		case key == "location":
			problem = cmp.Or(setOnce(&a.Location, value, key), checkLocation(value))
		default:
			problem = a.parseInterface(value)
		}
		if problem != "" {
			return problem
		}
	}
	if a.VID == 0 && a.Serial == "" && a.Location == "" {
		return "needs VID:PID, serial=SERIAL or location=LOCATION"
	}
	return ""
}

// splitUSB cuts at the commas that start a known part; any other comma belongs to
// the text before it, because serial numbers may contain one.
func splitUSB(s string) []string {
	var parts []string
	for i, piece := range strings.Split(s, ",") {
		if i == 0 || isUSBKey(piece) {
			parts = append(parts, piece)
		} else {
			parts[len(parts)-1] += "," + piece
		}
	}
	return parts
}

func isUSBKey(part string) bool {
	key, _, found := strings.Cut(part, "=")
	return found && (key == "serial" || key == "location" || key == "if")
}

// parseIDs parses VID:PID or VID:PID:SERIAL.
func (a *Address) parseIDs(s string) (problem string) {
	parts := strings.SplitN(s, ":", 3)
	if len(parts) < 2 {
		return "needs VID:PID, serial=SERIAL or location=LOCATION"
	}
	if a.VID.UnmarshalText([]byte(parts[0])) != nil || a.VID == 0 {
		return "vendor id is not 1 to 4 hexadecimal digits"
	}
	if a.PID.UnmarshalText([]byte(parts[1])) != nil {
		return "product id is not 1 to 4 hexadecimal digits"
	}
	if len(parts) == 3 {
		if a.Serial = parts[2]; a.Serial == "" {
			return "empty serial number"
		}
	}
	return ""
}

func (a *Address) parseInterface(value string) (problem string) {
	n, err := strconv.ParseUint(value, 10, 8) // bInterfaceNumber is one byte
	if err != nil {
		return "interface number is not 0 to 255"
	}
	if a.Interface != AnyInterface {
		return "two interface numbers"
	}
	a.Interface = int(n)
	return ""
}

// below is what stands between a place and the * for all that is plugged in there, as systems write places: 1-1.2, the
// bus before - and ports of hubs between dots; on Windows PCIROOT(0)#USBROOT(0)#USB(1)#USB(2).
const below = ".-#"

// checkLocation refuses a * that could be taken for more than is meant: 1-1* for port 10 too.
func checkLocation(value string) (problem string) {
	above, isPattern := strings.CutSuffix(value, "*")
	if strings.Contains(above, "*") || isPattern && (len(above) < 2 || !strings.Contains(below, above[len(above)-1:])) {
		return "a * in a location has its place at the end, behind a dot, as in 1-1.* for all below 1-1"
	}
	return ""
}

func setOnce(field *string, value, key string) (problem string) {
	if *field != "" {
		return "two values for " + key
	}
	*field = value
	return ""
}

func checkHostPort(s string) (problem string) {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return "needs HOST:PORT"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "port is not 1 to 65535"
	}
	return ""
}

// withPort adds the default port to a host that has none.
func withPort(host, port string) string {
	if host == "" {
		return host
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), port)
}

func notLower(r rune) bool { return r < 'a' || r > 'z' }
