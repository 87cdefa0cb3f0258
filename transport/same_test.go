package transport_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

func TestSameDevice(t *testing.T) {
	type port = transport.Port
	type ports = []transport.Port
	with := func(p port, change func(*port)) port {
		change(&p)
		return p
	}
	named := func(p port, name string) port { p.Name = name; return p }
	numbered := func(p port, serial string) port { p.Serial = serial; return p }
	elsewhere := func(p port) port { p.Name, p.Location = "/dev/ttyUSB8", "3-3"; return p }
	unplaced := func(p port) port { p.Location = ""; return p }

	bootloader := port{Name: "/dev/ttyACM5", USB: true, VID: 0x2fe3, PID: 0x100, Interface: 0,
		Location: portMcumgr.Location}
	lost := with(portMcumgr, func(p *port) { p.Name, p.Interface = "/dev/ttyACM3", 4 })
	windows := port{Name: "COM7", USB: true, VID: 0x2fe3, PID: 4, Interface: transport.AnyInterface}
	const shared, board, other = "0123456789ABCDEF", "B1C2D3E4", "F0F1F2F3"
	none := port{}

	tests := []struct {
		name   string
		before port
		now    ports
		want   port // none: not there
	}{
		{"nothing there", portMcumgr, nil, none},
		{"only others there", portMcumgr, ports{portUART, portFTDI, portNameless}, none},
		{"unchanged", portMcumgr, portsOfDesk, portMcumgr},
		{"unchanged, its other port", portShell, portsOfDesk, portShell},
		{"names swapped", portMcumgr, ports{named(portMcumgr, portShell.Name), named(portShell, portMcumgr.Name)},
			named(portMcumgr, portShell.Name)},

		{"new name", portFTDI, ports{portShell, named(portFTDI, "/dev/ttyUSB7")}, named(portFTDI, "/dev/ttyUSB7")},
		{"plugged in elsewhere", portFTDI, ports{portShell, elsewhere(portFTDI)}, elsewhere(portFTDI)},
		{"serial number in small letters", numbered(portFTDI, "a10k4xyz"), ports{elsewhere(portFTDI)},
			elsewhere(portFTDI)},
		{"serial number goes before place", portFTDI, ports{numbered(portFTDI, ""), elsewhere(portFTDI)},
			elsewhere(portFTDI)},
		{"serial number twice: the one in place", portFTDI, ports{elsewhere(portFTDI), named(portFTDI, "/dev/ttyUSB9")},
			named(portFTDI, "/dev/ttyUSB9")},
		{"serial number on what is not USB", portFTDI, ports{{Name: "/dev/ttyS1", Serial: portFTDI.Serial}}, none},

		{"bootloader: other product, one port, no serial number", portMcumgr, ports{portFTDI, bootloader}, bootloader},
		{"back from the bootloader: the lowest of two", bootloader, ports{portFTDI, portMcumgr, portShell}, portShell},
		{"bootloader with a shared serial number", portMcumgr, ports{numbered(bootloader, shared)},
			numbered(bootloader, shared)},
		{"board changed in the fixture", portMcumgr, ports{numbered(portMcumgr, other)}, none},
		{"another board beside it", portMcumgr, ports{elsewhere(numbered(portMcumgr, other))}, none},

		{"shared number elsewhere", numbered(portFTDI, shared), ports{elsewhere(numbered(portFTDI, shared))}, none},
		{"shared number in small letters elsewhere", numbered(portFTDI, "0123456789abcdef"),
			ports{elsewhere(numbered(portFTDI, "0123456789abcdef"))}, none},
		{"short number elsewhere", numbered(portFTDI, "A10K4"), ports{elsewhere(numbered(portFTDI, "A10K4"))}, none},
		{"six characters are enough", numbered(portFTDI, "A10K4X"), ports{elsewhere(numbered(portFTDI, "A10K4X"))},
			elsewhere(numbered(portFTDI, "A10K4X"))},
		{"number of zeros elsewhere", numbered(portFTDI, "00000000"), ports{elsewhere(numbered(portFTDI, "00000000"))},
			none},
		{"no number elsewhere", portNameless, ports{elsewhere(portNameless)}, none},
		{"shared number proves no other board", numbered(portFTDI, shared), ports{portFTDI}, portFTDI},

		{"interface goes before name", portMcumgr,
			ports{named(portShell, portMcumgr.Name), named(portMcumgr, "/dev/ttyACM7")},
			named(portMcumgr, "/dev/ttyACM7")},
		{"name goes before the lowest number", named(lost, portMcumgr.Name), ports{portShell, portMcumgr}, portMcumgr},
		{"then the lowest number", lost, ports{portMcumgr, portShell}, portShell},
		{"then the lowest name", lost, ports{named(portShell, "/dev/ttyACM10"), named(portShell, "/dev/ttyACM9")},
			named(portShell, "/dev/ttyACM9")},

		{"place unknown: the old name", windows, ports{named(windows, "COM8"), windows}, windows},
		{"place unknown: the old name in other letters", windows, ports{named(windows, "com7")},
			named(windows, "com7")},
		{"place unknown: another name", windows, ports{named(windows, "COM8")}, none},
		{"place unknown: another board under the old name", numbered(windows, board), ports{numbered(windows, other)},
			none},
		{"place unknown: the old name, not on USB", windows, ports{{Name: "COM7"}}, none},
		{"place unknown: the serial number under a new name", unplaced(portFTDI), ports{elsewhere(portFTDI)},
			elsewhere(portFTDI)},

		{"not on USB, listed", portUART, portsOfDesk, portUART},
		{"not on USB, not listed", portUART, nil, portUART},
		{"nothing known", none, portsOfDesk, none},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			now := slices.Clone(test.now)
			for range 2 { // the order of the list must not matter
				got, ok := transport.Same(test.before, now)
				if ok != (test.want != none) {
					t.Errorf("Same = %+v, %v, want %+v", got, ok, test.want)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("Same, -want +got:\n%s", diff)
				}
				slices.Reverse(now)
			}
		})
	}
}
