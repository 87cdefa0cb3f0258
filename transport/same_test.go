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
	const shared, board, other = "0123456789ABCDEF", "B1C2D3E4", "F0F1F2F3"
	one := func(p port) ports { return ports{p} }
	both := ports{portShell, portMcumgr}

	// Windows names a port by its number, tells no place of many drivers, and gives a bootloader another number. macOS
	// makes names of serial number or place and a function's number.
	windows := port{Name: "COM7", USB: true, VID: 0x2fe3, PID: 4, Interface: transport.AnyInterface}
	composite := func(name string, number int) port {
		return port{Name: name, USB: true, VID: 0x2fe3, PID: 4, Serial: board, Interface: number,
			Location: "PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(2)"}
	}
	com9, com10 := composite("COM9", 0), composite("COM10", 2)
	mac := port{Name: "/dev/cu.usbmodem14101", USB: true, VID: 0x2fe3, PID: 4, Interface: 1, Location: "20-1"}
	macNumbered := port{Name: "/dev/cu.usbmodemB1C2D3E41", USB: true, VID: 0x2fe3, PID: 4, Serial: board,
		Interface: 1, Location: "20-1"}

	tests := []struct {
		name   string
		before port
		now    ports
		want   ports // nil: not there
	}{
		{"nothing there", portMcumgr, nil, nil},
		{"only others there", portMcumgr, ports{portUART, portFTDI, portNameless}, nil},
		{"unchanged, both ports", portMcumgr, portsOfDesk, both},
		{"names swapped", portMcumgr, ports{named(portMcumgr, portShell.Name), named(portShell, portMcumgr.Name)},
			ports{named(portShell, portMcumgr.Name), named(portMcumgr, portShell.Name)}},
		{"without interface numbers, by name", portFTDI,
			ports{named(portFTDI, "/dev/ttyUSB10"), named(portFTDI, "/dev/ttyUSB9")},
			ports{named(portFTDI, "/dev/ttyUSB9"), named(portFTDI, "/dev/ttyUSB10")}},

		{"new name", portFTDI, ports{portShell, named(portFTDI, "/dev/ttyUSB7")}, one(named(portFTDI, "/dev/ttyUSB7"))},
		{"plugged in elsewhere", portFTDI, ports{portShell, elsewhere(portFTDI)}, one(elsewhere(portFTDI))},
		{"serial number in small letters", numbered(portFTDI, "a10k4xyz"), ports{elsewhere(portFTDI)},
			one(elsewhere(portFTDI))},
		{"serial number goes before place", portFTDI, ports{numbered(portFTDI, ""), elsewhere(portFTDI)},
			one(elsewhere(portFTDI))},
		{"serial number twice: the one in place", portFTDI, ports{elsewhere(portFTDI), named(portFTDI, "/dev/ttyUSB9")},
			one(named(portFTDI, "/dev/ttyUSB9"))},
		{"serial number twice, and neither in place", portFTDI,
			ports{elsewhere(portFTDI), with(portFTDI, func(p *port) { p.Location = "4-4" })}, nil},
		{"serial number on what is not USB", portFTDI, ports{{Name: "/dev/ttyS1", Serial: portFTDI.Serial}}, nil},

		{"bootloader: other product, one port, no serial number", portMcumgr, ports{portFTDI, bootloader},
			one(bootloader)},
		{"back from the bootloader: both ports", bootloader, ports{portFTDI, portMcumgr, portShell}, both},
		{"bootloader with a shared serial number", portMcumgr, ports{numbered(bootloader, shared)},
			one(numbered(bootloader, shared))},
		{"board changed in the fixture", portMcumgr, ports{numbered(portMcumgr, other)}, nil},
		{"another board beside it", portMcumgr, ports{elsewhere(numbered(portMcumgr, other))}, nil},

		{"shared number elsewhere", numbered(portFTDI, shared), ports{elsewhere(numbered(portFTDI, shared))}, nil},
		{"shared number in small letters elsewhere", numbered(portFTDI, "0123456789abcdef"),
			ports{elsewhere(numbered(portFTDI, "0123456789abcdef"))}, nil},
		{"short number elsewhere", numbered(portFTDI, "A10K4"), ports{elsewhere(numbered(portFTDI, "A10K4"))}, nil},
		{"six characters are enough", numbered(portFTDI, "A10K4X"), ports{elsewhere(numbered(portFTDI, "A10K4X"))},
			one(elsewhere(numbered(portFTDI, "A10K4X")))},
		{"number of zeros elsewhere", numbered(portFTDI, "00000000"), ports{elsewhere(numbered(portFTDI, "00000000"))},
			nil},
		{"no number elsewhere", portNameless, ports{elsewhere(portNameless)}, nil},
		{"shared number proves no other board", numbered(portFTDI, shared), ports{portFTDI}, one(portFTDI)},

		{"Windows, place unknown: the old name", windows, ports{named(windows, "COM8"), windows}, one(windows)},
		{"Windows, place unknown: the old name in other letters", windows, ports{named(windows, "com7")},
			one(named(windows, "com7"))},
		{"Windows, place unknown: the old name of the device", named(windows, `\\.\COM22`),
			ports{named(windows, "COM22")}, one(named(windows, "COM22"))},
		{"Windows, place unknown: another name", windows, ports{named(windows, "COM8")}, nil},
		{"Windows, place unknown: another board under the old name", numbered(windows, board),
			ports{numbered(windows, other)}, nil},
		{"Windows, place unknown: the old name, not on USB", windows, ports{{Name: "COM7"}}, nil},
		{"Windows, place unknown: the serial number under another name", numbered(windows, board),
			ports{numbered(named(windows, "COM12"), board)}, one(numbered(named(windows, "COM12"), board))},
		{"Windows, place unknown before, and known now", unplaced(com9), ports{com9}, one(com9)},
		{"Windows, place unknown of one function", com9, ports{com9, unplaced(com10)}, one(com9)},
		{"Windows, a device of two functions under other numbers", com10,
			ports{named(com10, "COM3"), windows, named(com9, "COM12")},
			ports{named(com9, "COM12"), named(com10, "COM3")}},
		{"Windows, bootloader of the same place under a number of its own", com10,
			ports{{Name: "COM11", USB: true, VID: 0x2fe3, PID: 0x100, Interface: transport.AnyInterface,
				Location: com10.Location}},
			one(port{Name: "COM11", USB: true, VID: 0x2fe3, PID: 0x100, Interface: transport.AnyInterface,
				Location: com10.Location})},
		{"Windows, numbers are ordered as numbers", numbered(windows, board),
			ports{numbered(named(windows, "COM10"), board), numbered(named(windows, "COM9"), board)},
			ports{numbered(named(windows, "COM9"), board), numbered(named(windows, "COM10"), board)}},

		{"macOS, the same place", mac, ports{mac}, one(mac)},
		{"macOS, the name of the tty node", unplaced(named(mac, "/dev/tty.usbmodem14101")), ports{mac}, one(mac)},
		{"macOS, another place and so another name", mac,
			ports{with(mac, func(p *port) { p.Name, p.Location = "/dev/cu.usbmodem14201", "20-2" })}, nil},
		{"macOS, another place with a serial number", macNumbered,
			ports{with(macNumbered, func(p *port) { p.Location = "20-2" })},
			one(with(macNumbered, func(p *port) { p.Location = "20-2" }))},
		{"macOS, a bootloader without serial number has another name", macNumbered, ports{mac}, one(mac)},

		{"not on USB, listed", portUART, portsOfDesk, one(portUART)},
		{"not on USB, not listed", portUART, nil, one(portUART)},
		{"nothing known", port{}, portsOfDesk, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			now := slices.Clone(test.now)
			for range 2 { // the order of the list must not matter
				got := transport.Same(test.before, now)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("Same, -want +got:\n%s", diff)
				}
				slices.Reverse(now)
			}
		})
	}
}
