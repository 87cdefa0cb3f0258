package transport_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/smpctl/smpctl/transport"
)

// Ports of a desk: a UART on the main board, an application with two CDC ACM
// functions, a bridge, and one that tells hardly anything.
var (
	portUART  = transport.Port{Name: "/dev/ttyS0", Interface: transport.AnyInterface}
	portShell = transport.Port{Name: "/dev/ttyACM0", USB: true, VID: 0x2fe3, PID: 4, Serial: "B1C2D3E4",
		Interface: 0, Location: "1-1.2"}
	portMcumgr = transport.Port{Name: "/dev/ttyACM1", USB: true, VID: 0x2fe3, PID: 4, Serial: "B1C2D3E4",
		Interface: 2, Location: "1-1.2"}
	portFTDI = transport.Port{Name: "/dev/ttyUSB0", USB: true, VID: 0x0403, PID: 0x6001, Serial: "A10K4XYZ",
		Interface: 0, Location: "1-3"}
	portNameless = transport.Port{Name: "/dev/ttyUSB1", USB: true, VID: 0x1a86, PID: 0x7523,
		Interface: transport.AnyInterface, Location: "1-4"}

	portsOfDesk = []transport.Port{portUART, portShell, portMcumgr, portFTDI, portNameless}
)

func TestChoosePort(t *testing.T) {
	unknown := func(name string) transport.Port {
		return transport.Port{Name: name, Interface: transport.AnyInterface}
	}
	com3, com22 := transport.Port{Name: "COM3", USB: true}, transport.Port{Name: "COM22", USB: true}
	callOut := transport.Port{Name: "/dev/cu.usbmodem1", USB: true}
	tests := []struct {
		name    string
		address string
		ports   []transport.Port
		want    transport.Port
	}{
		{"any: the only one on USB", "", []transport.Port{portUART, portFTDI}, portFTDI},
		{"by id", "usb:0403:6001", portsOfDesk, portFTDI},
		{"by id and serial number", "usb:0403:6001:A10K4XYZ", portsOfDesk, portFTDI},
		{"serial number in small letters, as a device may send it to Windows", "usb:serial=a10k4xyz", portsOfDesk,
			portFTDI},
		{"by id and interface", "usb:2fe3:0004,if=2", portsOfDesk, portMcumgr},
		{"interface 0 is one too", "usb:2fe3:0004,if=0", portsOfDesk, portShell},
		{"by location", "usb:location=1-3", portsOfDesk, portFTDI},
		{"by location and interface", "usb:location=1-1.2,if=2", portsOfDesk, portMcumgr},
		{"the only one below a hub", "usb:2fe3:0004,location=1-1.*,if=2", portsOfDesk, portMcumgr},
		{"without interface number, by id", "usb:1a86:7523", portsOfDesk, portNameless},
		{"without interface number, by location", "usb:location=1-4", portsOfDesk, portNameless},

		{"by name", "/dev/ttyUSB0", portsOfDesk, portFTDI},
		{"by name, not on USB", "/dev/ttyS0", portsOfDesk, portUART},
		{"by name, not listed", "/dev/pts/7", portsOfDesk, unknown("/dev/pts/7")},
		{"by name, nothing listed", "COM3", nil, unknown("COM3")},
		{"Windows name in small letters", "com3", []transport.Port{com3}, com3},
		{"Windows name of the device", `\\.\com22`, []transport.Port{com3, com22}, com22},
		{"macOS has two nodes for a port", "/dev/tty.usbmodem1", []transport.Port{callOut}, callOut},
		{"not the beginning of a name", "COM2", []transport.Port{com22}, unknown("COM2")},
		{"not the end of a name", "ttyACM1", portsOfDesk, unknown("ttyACM1")},
		{"case counts in a path", "/dev/ttyacm1", portsOfDesk, unknown("/dev/ttyacm1")},
		{"COM alone is no Windows port", "com", []transport.Port{{Name: "COM", USB: true}}, unknown("com")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := choose(t, test.address, test.ports)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Choose(%s), -want +got:\n%s", test.address, diff)
			}
		})
	}
}

func TestChooseCannotDecide(t *testing.T) {
	type choiceError = transport.ChoiceError
	type ports = []transport.Port
	onUSB := portsOfDesk[1:]
	const listed = "/dev/ttyACM0, /dev/ttyACM1, /dev/ttyUSB0, /dev/ttyUSB1"
	tests := []struct {
		name    string
		address string
		ports   ports
		want    choiceError
		text    string
	}{
		{"any: no port at all", "", nil, choiceError{}, "no USB serial port present"},
		{"any: a UART on the main board is not taken by itself", "", ports{portUART}, choiceError{},
			"no USB serial port present"},
		{"any: several", "", portsOfDesk, choiceError{Matched: 4, Candidates: onUSB}, "4 ports match: " + listed},
		{"id of two ports", "usb:2fe3:0004", portsOfDesk,
			choiceError{Matched: 2, Candidates: ports{portShell, portMcumgr}},
			"2 ports match: /dev/ttyACM0, /dev/ttyACM1"},
		{"serial number of two ports", "usb:serial=B1C2D3E4", portsOfDesk,
			choiceError{Matched: 2, Candidates: ports{portShell, portMcumgr}},
			"2 ports match: /dev/ttyACM0, /dev/ttyACM1"},
		{"several below a hub", "usb:location=1-1.*", portsOfDesk,
			choiceError{Matched: 2, Candidates: ports{portShell, portMcumgr}},
			"2 ports match: /dev/ttyACM0, /dev/ttyACM1"},
		{"below the port itself", "usb:location=1-3.*", ports{portFTDI}, choiceError{Candidates: ports{portFTDI}},
			"no port matches; present: /dev/ttyUSB0"},
		{"unknown product id", "usb:2fe3:0005", portsOfDesk, choiceError{Candidates: onUSB},
			"no port matches; present: " + listed},
		{"unknown vendor id", "usb:2fe4:0004", portsOfDesk, choiceError{Candidates: onUSB},
			"no port matches; present: " + listed},
		{"unknown interface", "usb:2fe3:0004,if=1", portsOfDesk, choiceError{Candidates: onUSB},
			"no port matches; present: " + listed},
		{"interface of a port without number", "usb:1a86:7523,if=0", ports{portNameless},
			choiceError{Candidates: ports{portNameless}}, "no port matches; present: /dev/ttyUSB1"},
		{"beginning of a serial number", "usb:serial=A10K", ports{portFTDI}, choiceError{Candidates: ports{portFTDI}},
			"no port matches; present: /dev/ttyUSB0"},
		{"beginning of a location", "usb:location=1-1", ports{portShell}, choiceError{Candidates: ports{portShell}},
			"no port matches; present: /dev/ttyACM0"},
		{"a UART is no match", "usb:serial=x", ports{{Name: "/dev/ttyS0", Serial: "x"}}, choiceError{},
			"no USB serial port present"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			port, err := choose(t, test.address, test.ports)
			var got *choiceError
			if !errors.As(err, &got) || port != (transport.Port{}) {
				t.Fatalf("Choose(%s) = %+v, %v, want no port and a ChoiceError", test.address, port, err)
			}
			test.want.Present = slices.DeleteFunc(slices.Clone(test.ports),
				func(p transport.Port) bool { return !p.USB })
			if diff := cmp.Diff(test.want, *got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Choose(%s), -want +got:\n%s", test.address, diff)
			}
			if err.Error() != test.text {
				t.Errorf("text = %q, want %q", err, test.text)
			}
			// Too many ports is not a missing one.
			opening := &transport.OpenError{Address: test.address, Err: err}
			if is, want := errors.Is(opening, fs.ErrNotExist), test.want.Matched == 0; is != want {
				t.Errorf("is fs.ErrNotExist: %v, want %v", is, want)
			}
		})
	}
}

// TestAddressOf: whoever has several ports gets for each an address that means it alone.
func TestAddressOf(t *testing.T) {
	type ports = []transport.Port
	at := func(p transport.Port, name, serial, location string) transport.Port {
		p.Name, p.Serial, p.Location = name, serial, location
		return p
	}
	twin := at(portMcumgr, "/dev/ttyACM2", portMcumgr.Serial, "2-1")
	other := at(portMcumgr, "/dev/ttyACM2", "F0F1F2F3", "2-1")
	disguised := at(portMcumgr, "/dev/ttyACM1", "B1C2D3E4,if=0", portMcumgr.Location)
	bare := at(portNameless, "/dev/ttyUSB2", "", "")
	com7 := transport.Port{Name: "COM7", USB: true, VID: 0x2fe3, PID: 4, Serial: "B1C2D3E4", Interface: 0}
	com8 := transport.Port{Name: "COM8", USB: true, VID: 0x2fe3, PID: 4, Serial: "B1C2D3E4", Interface: 2}
	for _, tt := range []struct {
		name    string
		port    transport.Port
		present ports
		want    string
	}{
		{"the only one of its kind", portFTDI, portsOfDesk, "usb:0403:6001"},
		{"two ports of one board", portMcumgr, portsOfDesk, "usb:2fe3:0004,if=2"},
		{"two ports of one board, the first", portShell, portsOfDesk, "usb:2fe3:0004,if=0"},
		{"two boards of one kind", portMcumgr, ports{portMcumgr, other}, "usb:2fe3:0004,serial=B1C2D3E4"},
		{"two boards of one kind, one with two ports", portMcumgr, ports{portShell, portMcumgr, other},
			"usb:2fe3:0004,serial=B1C2D3E4,if=2"},
		{"two boards with one serial number", portMcumgr, ports{portMcumgr, twin}, "usb:2fe3:0004,location=1-1.2"},
		{"two boards with one serial number, one with two ports", portMcumgr, ports{portShell, portMcumgr, twin},
			"usb:2fe3:0004,location=1-1.2,if=2"},
		{"two ports that nothing tells apart", bare, ports{bare, at(bare, "/dev/ttyUSB3", "", "")}, "/dev/ttyUSB2"},
		{"Windows", com8, ports{com7, com8}, "usb:2fe3:0004,if=2"},
		{"not on USB", portUART, portsOfDesk, "/dev/ttyS0"},
		{"a serial number that reads as an interface", disguised, ports{disguised, other},
			"usb:2fe3:0004,location=1-1.2"},
	} {
		a := transport.AddressOf(tt.port, tt.present)
		if got := a.String(); got != tt.want {
			t.Errorf("%s: AddressOf = %s, want %s", tt.name, got, tt.want)
		}
		if back, err := transport.ParseAddress(a.String()); err != nil || back != a {
			t.Errorf("%s: %s read back is %+v, %v", tt.name, a, back, err)
		}
	}
}

// TestExactAddress: an address that another board does not get into, whatever is plugged in later.
func TestExactAddress(t *testing.T) {
	type ports = []transport.Port
	at := func(p transport.Port, serial, location string) transport.Port {
		p.Serial, p.Location = serial, location
		return p
	}
	placeless, nobody := at(portMcumgr, "B1C2D3E4", ""), at(portMcumgr, "", "")
	second := portMcumgr
	second.Name = "/dev/ttyACM9"
	for _, tt := range []struct {
		name    string
		port    transport.Port
		present ports
		want    string
	}{
		{"the only one of its kind", portFTDI, portsOfDesk, "usb:0403:6001,serial=A10K4XYZ,location=1-3"},
		{"one of two ports", portMcumgr, portsOfDesk, "usb:2fe3:0004,serial=B1C2D3E4,location=1-1.2,if=2"},
		{"no serial number", portNameless, portsOfDesk, "usb:1a86:7523,location=1-4"},
		{"place not known", placeless, ports{placeless}, "usb:2fe3:0004,serial=B1C2D3E4"},
		{"neither of both", nobody, ports{nobody}, "/dev/ttyACM1"},
		{"a serial number of many, and no place", at(nobody, "0001", ""), ports{at(nobody, "0001", "")}, "/dev/ttyACM1"},
		{"a serial number of many", at(nobody, "0001", "1-7"), ports{at(nobody, "0001", "1-7")},
			"usb:2fe3:0004,serial=0001,location=1-7"},
		{"two ports of one interface", portMcumgr, ports{portMcumgr, second}, "/dev/ttyACM1"},
		{"not on USB", portUART, portsOfDesk, "/dev/ttyS0"},
	} {
		a := transport.ExactAddress(tt.port, tt.present)
		if got := a.String(); got != tt.want {
			t.Errorf("%s: ExactAddress = %s, want %s", tt.name, got, tt.want)
		}
		if back, err := transport.ParseAddress(a.String()); err != nil || back != a {
			t.Errorf("%s: %s read back is %+v, %v", tt.name, a, back, err)
		}
	}
}

// TestMatch: every port that an address means. What * stands for is everything below a place.
func TestMatch(t *testing.T) {
	at := func(name, location string) transport.Port {
		return transport.Port{Name: name, USB: true, VID: 0x2fe3, PID: 4, Location: location}
	}
	hub := []transport.Port{at("a", "1-1"), at("b", "1-1.1"), at("c", "1-1.12"), at("d", "1-1.4.2"), at("e", "1-12.1"),
		at("f", "2-1.1"), at("g", ""), portUART, at("w", "PCIROOT(0)#USBROOT(0)#USB(1)#USB(2)")}
	for _, tt := range []struct {
		address string
		want    string
	}{
		{"usb:location=1-1.*", "b c d"},
		{"usb:location=1-1.4.*", "d"},
		{"usb:location=1-*", "a b c d e"},
		{"usb:location=1-1", "a"},
		{"usb:location=1-1.1.*", ""},
		{"usb:location=PCIROOT(0)#USBROOT(0)#USB(1)#*", "w"},
		{"usb:2fe3:0004,location=2-*", "f"},
		{"usb:2fe4:0004,location=2-*", ""},
		{"usb:2fe3:0004", "a b c d e f g w"},
		{"", "a b c d e f g w"},
		{"/dev/ttyS0", "/dev/ttyS0"},
		{"/dev/pts/7", "/dev/pts/7"},
		{"tcp:localhost:4444", ""},
	} {
		a, err := transport.ParseAddress(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range a.Match(hub) {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("Match(%s) = %s, want %s", tt.address, got, tt.want)
		}
	}
}

func choose(t *testing.T, text string, ports []transport.Port) (transport.Port, error) {
	t.Helper()
	a, err := transport.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a.Choose(ports)
}

func TestErrorTexts(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{&transport.OpenError{Address: "COM3", Err: transport.ErrBusy}, "open COM3: port is in use by another program"},
		{&transport.OpenError{Err: &transport.ChoiceError{}}, "open the serial port: no USB serial port present"},
		{&transport.AddressError{Address: "\x1b[2J", Problem: "x"}, `address "\x1b[2J": x`},
	}
	for _, test := range tests {
		if got := test.err.Error(); got != test.want {
			t.Errorf("text = %q, want %q", got, test.want)
		}
	}
}

func TestPortJSON(t *testing.T) {
	texts := transport.Port{Name: "COM3", USB: true, Product: "p", Manufacturer: "m", InterfaceName: "i"}
	tests := []struct {
		port transport.Port
		want string
	}{
		{portUART, `{"name":"/dev/ttyS0","usb":false,"interface":-1}`},
		{portMcumgr,
			`{"name":"/dev/ttyACM1","usb":true,"vid":"2fe3","pid":"0004","serial":"B1C2D3E4","interface":2,` +
				`"location":"1-1.2"}`},
		{texts, `{"name":"COM3","usb":true,"product":"p","manufacturer":"m","interface":0,"interface_name":"i"}`},
	}
	for _, test := range tests {
		got, err := json.Marshal(test.port)
		if err != nil || string(got) != test.want {
			t.Errorf("JSON = %s, %v, want %s", got, err, test.want)
		}
		var back transport.Port
		if err := json.Unmarshal(got, &back); err != nil || back != test.port {
			t.Errorf("%s read back is %+v, %v, want %+v", got, back, err, test.port)
		}
	}
}
