package transport_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

// Ports of a desk: an application with two CDC ACM functions, two bridges of one
// kind with the factory's serial number, and a UART on the main board.
var (
	console = transport.Port{Name: "/dev/ttyACM0", USB: true, VID: 0x2fe3, PID: 4, Serial: "E6633861A34B", Location: "1-1.2", Interface: 0}
	smpPort = transport.Port{Name: "/dev/ttyACM1", USB: true, VID: 0x2fe3, PID: 4, Serial: "E6633861A34B", Location: "1-1.2", Interface: 2}
	bridgeA = transport.Port{Name: "/dev/ttyUSB0", USB: true, VID: 0x10c4, PID: 0xea60, Serial: "0001", Location: "1-3", Interface: 0}
	bridgeB = transport.Port{Name: "/dev/ttyUSB1", USB: true, VID: 0x10c4, PID: 0xea60, Serial: "0001", Location: "1-4", Interface: 0}
	onBoard = transport.Port{Name: "/dev/ttyS0", Interface: transport.AnyInterface}
)

func TestChoose(t *testing.T) {
	desk := []transport.Port{console, smpPort, bridgeA, bridgeB, onBoard}
	fourUSB := []transport.Port{console, smpPort, bridgeA, bridgeB}
	tests := []struct {
		name    string
		address string
		ports   []transport.Port
		want    transport.Port
		wrong   *transport.ChoiceError
	}{
		{"only USB port", "", []transport.Port{onBoard, bridgeA}, bridgeA, nil},
		{"several and no address", "", desk, transport.Port{}, &transport.ChoiceError{Matched: 4, Candidates: fourUSB}},
		{"a UART on the board is not taken by itself", "", []transport.Port{onBoard}, transport.Port{}, &transport.ChoiceError{}},
		{"nothing there", "", nil, transport.Port{}, &transport.ChoiceError{}},

		{"ids and interface", "usb:2fe3:0004,if=2", desk, smpPort, nil},
		{"ids, serial and interface", "usb:2fe3:0004:E6633861A34B,if=0", desk, console, nil},
		{"serial in other letters", "usb:serial=e6633861a34b,if=2", desk, smpPort, nil},
		{"place", "usb:location=1-4", desk, bridgeB, nil},
		{"two functions", "usb:serial=E6633861A34B", desk, transport.Port{}, &transport.ChoiceError{Matched: 2, Candidates: []transport.Port{console, smpPort}}},
		{"two devices", "usb:10c4:ea60:0001", desk, transport.Port{}, &transport.ChoiceError{Matched: 2, Candidates: []transport.Port{bridgeA, bridgeB}}},
		{"no such id", "usb:2fe3:0005", desk, transport.Port{}, &transport.ChoiceError{Candidates: fourUSB}},
		{"no such interface", "usb:2fe3:0004,if=1", desk, transport.Port{}, &transport.ChoiceError{Candidates: fourUSB}},
		{"part of a serial", "usb:serial=E6633861A34", desk, transport.Port{}, &transport.ChoiceError{Candidates: fourUSB}},
		{"part of a place", "usb:location=1-1", desk, transport.Port{}, &transport.ChoiceError{Candidates: fourUSB}},

		{"by name", "/dev/ttyACM1", desk, smpPort, nil},
		{"by name, not on USB", "/dev/ttyS0", desk, onBoard, nil},
		{"by name, not listed", "/dev/pts/3", desk, transport.Port{Name: "/dev/pts/3", Interface: transport.AnyInterface}, nil},
		{"by the other node of macOS", "/dev/tty.usbmodem1", []transport.Port{{Name: "/dev/cu.usbmodem1", USB: true}}, transport.Port{Name: "/dev/cu.usbmodem1", USB: true}, nil},
		{"by name in Windows", `\\.\com12`, []transport.Port{{Name: "COM12", USB: true}}, transport.Port{Name: "COM12", USB: true}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, err := transport.ParseAddress(test.address)
			if err != nil {
				t.Fatal(err)
			}
			got, err := transport.Choose(a, test.ports)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("port, -want +got:\n%s", diff)
			}
			var wrong *transport.ChoiceError
			errors.As(err, &wrong)
			if diff := cmp.Diff(test.wrong, wrong); diff != "" {
				t.Errorf("error, -want +got:\n%s", diff)
			}
			if got := errors.Is(err, fs.ErrNotExist); got != (test.wrong != nil && test.wrong.Matched == 0) {
				t.Errorf("is %v: %v", fs.ErrNotExist, got)
			}
		})
	}
}

func TestChooseIsForPorts(t *testing.T) {
	for _, text := range []string{"tcp:host:1", "udp:host", "sim:"} {
		a, err := transport.ParseAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		var wrong *transport.AddressError
		if _, err := transport.Choose(a, []transport.Port{bridgeA}); !errors.As(err, &wrong) {
			t.Errorf("Choose(%s): got %v, want an AddressError", text, err)
		}
	}
}

func TestChoiceErrorText(t *testing.T) {
	tests := []struct {
		err  *transport.ChoiceError
		want string
	}{
		{&transport.ChoiceError{}, "no USB serial port present"},
		{&transport.ChoiceError{Candidates: []transport.Port{console, bridgeA}}, "no port matches; present: /dev/ttyACM0, /dev/ttyUSB0"},
		{&transport.ChoiceError{Matched: 2, Candidates: []transport.Port{console, bridgeA}}, "2 ports match: /dev/ttyACM0, /dev/ttyUSB0"},
	}
	for _, test := range tests {
		if got := (&transport.OpenError{Err: test.err}).Error(); got != "open the serial port: "+test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestSame(t *testing.T) {
	with := func(p transport.Port, change func(*transport.Port)) transport.Port {
		change(&p)
		return p
	}
	type port = transport.Port
	const other = "AA00BB11CC22"
	none := port{}
	bootloader := with(console, func(p *port) { p.Name, p.PID, p.Product = "/dev/ttyACM2", 0x100, "MCUBOOT" })
	anonymous := with(console, func(p *port) { p.Serial = "" })
	tests := []struct {
		name   string
		before port
		now    []port
		want   port // none: not there
	}{
		{"unchanged", smpPort, []port{console, smpPort, bridgeA}, smpPort},
		{"not back yet", smpPort, []port{bridgeA, bridgeB, onBoard}, none},
		{"other name", console, []port{bridgeA, with(console, func(p *port) { p.Name = "/dev/ttyACM7" })}, with(console, func(p *port) { p.Name = "/dev/ttyACM7" })},
		{"names swapped", smpPort, []port{
			with(smpPort, func(p *port) { p.Name = "/dev/ttyACM0" }),
			with(console, func(p *port) { p.Name = "/dev/ttyACM1" }),
		}, with(smpPort, func(p *port) { p.Name = "/dev/ttyACM0" })},
		{"bootloader: other product, one function", smpPort, []port{bootloader, bridgeA}, bootloader},
		{"application: one more function in front", bootloader, []port{console, smpPort}, console},
		{"old interface gone: lowest number", with(smpPort, func(p *port) { p.Interface, p.Name = 4, "/dev/ttyACM9" }), []port{smpPort, console}, console},
		{"plugged in elsewhere", console, []port{with(console, func(p *port) { p.Location = "2-1" })}, with(console, func(p *port) { p.Location = "2-1" })},
		{"serial number in other letters", console, []port{with(console, func(p *port) { p.Serial = "e6633861a34b" })}, with(console, func(p *port) { p.Serial = "e6633861a34b" })},
		{"a board of the same kind does not count", console, []port{with(console, func(p *port) { p.Serial, p.Location = other, "1-9" })}, none},

		{"bootloader without serial number, same place", console, []port{anonymous}, anonymous},
		{"bootloader with a shared serial number, same place", console,
			[]port{with(console, func(p *port) { p.Serial = "0123456789ABCDEF" })}, with(console, func(p *port) { p.Serial = "0123456789ABCDEF" })},
		{"board changed in the fixture", console, []port{with(console, func(p *port) { p.Serial = other })}, none},
		{"no serial number, other place", anonymous, []port{with(anonymous, func(p *port) { p.Location = "1-9" })}, none},
		{"one of two bridges with the factory's number", bridgeB, []port{bridgeA, bridgeB}, bridgeB},
		{"its twin is not it", bridgeB, []port{bridgeA}, none},

		{"no place known: by name", with(anonymous, func(p *port) { p.Location = "" }), []port{bridgeA, anonymous}, anonymous},
		{"no place known, other name", with(anonymous, func(p *port) { p.Location = "" }), []port{bridgeA}, none},
		{"a UART stays", onBoard, []port{bridgeA, onBoard}, onBoard},
		{"a PTY is never listed", port{Name: "/dev/pts/4"}, []port{bridgeA}, port{Name: "/dev/pts/4"}},
		{"no port at all", none, []port{bridgeA}, none},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// The order of a listing must not matter.
			for range 2 {
				got, ok := transport.Same(test.before, test.now)
				if diff := cmp.Diff(test.want, got); diff != "" || ok != (test.want != none) {
					t.Errorf("%v, -want +got:\n%s", ok, diff)
				}
				slices.Reverse(test.now)
			}
		})
	}
}

func TestCompareNames(t *testing.T) {
	want := []string{"/dev/ttyACM0", "/dev/ttyACM2", "/dev/ttyACM10", "/dev/ttyUSB1", "COM3", "COM22"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, transport.CompareNames)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestClean(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "Zephyr CDC ACM", "Zephyr CDC ACM"},
		{"spaces around", "  board \n", "board"},
		{"colour sequence", "\x1b[31mred", "?[31mred"},
		{"newline inside", "a\nb\x00c", "a?b?c"},
		{"control characters beyond ASCII", "a\u0085b\u009bc", "a?b?c"},
		{"direction override", "a\u202eb", "a?b"},
		{"broken UTF-8", "a\xffb", "a\ufffdb"},
		{"other scripts", "Gerät 基板", "Gerät 基板"},
		{"too long", strings.Repeat("x", 500), strings.Repeat("x", 126)},
	}
	for _, test := range tests {
		if got := transport.Clean(test.text); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPortsListsWithoutError(t *testing.T) {
	ports, err := transport.Ports()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ports {
		if p.Name == "" || !p.USB && (p.VID != 0 || p.Location != "") {
			t.Errorf("port %+v", p)
		}
	}
}
