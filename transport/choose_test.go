package transport_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
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
