package transport

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The trees below are as Device Manager's tab Details shows them, from the port upwards.
const (
	root = "PCIROOT(0)#PCI(1400)#USBROOT(0)"
	acpi = `ACPI(_SB_)#ACPI(PC00)#ACPI(XHCI)#ACPI(RHUB)#ACPI(HS02)`
)

var (
	rootHub = devNode{id: `USB\ROOT_HUB30\4&2AB01149&0&0`, locationPaths: []string{root, "ACPI(_SB_)#ACPI(PC00)"}}
	hub     = devNode{
		id: `USB\VID_0424&PID_2514\5&3A1B2C3D&0&2`, locationPaths: []string{root + "#USB(2)"}, reported: "USB2514 Hub",
	}
	board = devNode{
		id: `USB\VID_2FE3&PID_0004\E6633861A34B`, locationPaths: []string{root + "#USB(2)#USB(1)", acpi},
		friendly: "USB Composite Device", manufacturer: "(Standard USB Host Controller)", reported: "CDC ACM sample",
		hardwareIDs: []string{`USB\VID_2FE3&PID_0004&REV_0305`, `USB\VID_2FE3&PID_0004`},
	}
	boardPort = Port{
		Name: "COM7", USB: true, VID: 0x2fe3, PID: 4, Serial: "E6633861A34B", Product: "CDC ACM sample",
		Location: root + "#USB(2)#USB(1)",
	}
)

func function(number, reported string) devNode {
	return devNode{
		id:            `USB\VID_2FE3&PID_0004&MI_` + number + `\7&2A3B4C5D&0&00` + number,
		hardwareIDs:   []string{`USB\VID_2FE3&PID_0004&REV_0305&MI_` + number},
		locationPaths: []string{root + "#USB(2)#USB(1)#USBMI(" + number + ")", acpi + "#USBMI(" + number + ")"},
		friendly:      "USB Serial Device (COM7)", manufacturer: "Microsoft", reported: reported,
	}
}

// with returns a port with a change.
func with(p Port, change func(*Port)) Port {
	change(&p)
	return p
}

func TestPortOf(t *testing.T) {
	bridge := devNode{
		id: `USB\VID_10C4&PID_EA60\0001`, locationPaths: []string{root + "#USB(3)"},
		friendly: "Silicon Labs CP210x USB to UART Bridge (COM5)", manufacturer: "Silicon Labs",
		reported: "CP2102 USB to UART Bridge Controller",
	}
	cp2102 := Port{Name: "COM5", USB: true, VID: 0x10c4, PID: 0xea60, Serial: "0001", Location: root + "#USB(3)",
		Product: "CP2102 USB to UART Bridge Controller", Manufacturer: "Silicon Labs", Interface: AnyInterface}
	ftdi := func(id string) devNode {
		return devNode{id: `FTDIBUS\` + id + `\0000`, friendly: "USB Serial Port (COM4)", manufacturer: "FTDI",
			hardwareIDs: []string{`FTDIBUS\COMPORT&VID_0403&PID_6001`}}
	}
	ft232 := devNode{id: `USB\VID_0403&PID_6001\A10K4XYZ`, locationPaths: []string{root + "#USB(4)"},
		friendly: "USB Serial Converter", manufacturer: "FTDI", reported: "FT232R USB UART"}
	ftdiPort := Port{Name: "COM4", USB: true, VID: 0x403, PID: 0x6001, Serial: "A10K4XYZ", Product: "FT232R USB UART",
		Manufacturer: "FTDI", Location: root + "#USB(4)", Interface: AnyInterface}
	ft2232 := func(number string) devNode {
		return devNode{id: `USB\VID_0403&PID_6010&MI_` + number + `\6&1B2C3D4E&0&00` + number, reported: "Dual RS232-HS",
			locationPaths: []string{root + "#USB(4)#USBMI(" + number + ")"}}
	}
	dual := devNode{id: `USB\VID_0403&PID_6010\FT4XYZAB`, reported: "Dual RS232-HS"}
	tests := []struct {
		name string
		com  string
		tree []devNode
		want Port
	}{
		{"function of a composite device, whose serial number only the device has", "COM7",
			[]devNode{function("00", "Console"), board, hub, rootHub},
			with(boardPort, func(p *Port) { p.InterfaceName = "Console" })},
		{"another function of it, without words of its own", "COM8",
			[]devNode{function("0a", ""), board, hub, rootHub},
			with(boardPort, func(p *Port) { p.Name, p.Interface = "COM8", 10 })},
		{"function that calls itself as the device does", "COM7",
			[]devNode{function("02", "CDC ACM sample"), board, hub},
			with(boardPort, func(p *Port) { p.Interface = 2 })},
		{"function whose device cannot be read", "COM7", []devNode{function("02", "")},
			with(boardPort, func(p *Port) { p.Serial, p.Product, p.Interface = "", "USB Serial Device", 2 })},
		{"function below a device with other ids", "COM7", []devNode{function("02", ""), hub, rootHub},
			with(boardPort, func(p *Port) { p.Serial, p.Product, p.Interface = "", "USB Serial Device", 2 })},
		{"whole device with a serial number", "COM7", []devNode{
			{id: board.id, locationPaths: board.locationPaths, friendly: "USB Serial Device (COM7)", manufacturer: "Microsoft"},
			hub, rootHub},
			with(boardPort, func(p *Port) { p.Product, p.Interface = "USB Serial Device", AnyInterface })},
		{"whole device without one, of the hub's maker", "COM9", []devNode{
			{id: `USB\VID_0424&PID_2514\6&1234ABCD&0&2`, friendly: "USB Serial Device (COM9)"},
			{id: `USB\VID_0424&PID_2514\HUBSERIAL`}},
			Port{Name: "COM9", USB: true, VID: 0x424, PID: 0x2514, Product: "USB Serial Device", Interface: AnyInterface}},
		{"a bridge", "COM5", []devNode{bridge, hub, rootHub}, cp2102},
		{"FTDI, with all that it is on", "COM4", []devNode{ftdi("VID_0403+PID_6001+A10K4XYZA"), ft232, hub}, ftdiPort},
		{"FTDI, alone", "COM4", []devNode{ftdi("VID_0403+PID_6001+A10K4XYZA")},
			with(ftdiPort, func(p *Port) { p.Product, p.Location = "USB Serial Port", "" })},
		{"FTDI without a serial number", "COM4", []devNode{ftdi("VID_0403+PID_6001+5&2A7F1C3&0&2")},
			with(ftdiPort, func(p *Port) { p.Serial, p.Product, p.Location = "", "USB Serial Port", "" })},
		{"second port of an FTDI chip", "COM4",
			[]devNode{ftdi("VID_0403+PID_6010+FT4XYZABB"), ft2232("01"), dual, hub},
			with(ftdiPort, func(p *Port) {
				p.PID, p.Serial, p.Product, p.Interface = 0x6010, "FT4XYZAB", "Dual RS232-HS", 1
			})},
		{"bus of a driver's own on a USB device", "COM14", []devNode{
			{id: `MXUPORT\COM2\7&1A2B3C&0&0001`, friendly: "MOXA USB Serial Port (COM14)", manufacturer: "Moxa"},
			{id: `USB\VID_110A&PID_1250\TAIIA1234`, locationPaths: []string{root + "#USB(6)"}}},
			Port{Name: "COM14", USB: true, VID: 0x110a, PID: 0x1250, Serial: "TAIIA1234", Product: "MOXA USB Serial Port",
				Manufacturer: "Moxa", Location: root + "#USB(6)", Interface: AnyInterface}},
		{"ids of the hardware alone", "COM3", []devNode{
			{id: `SLABSER\7&0`, hardwareIDs: []string{`SLABSER\VID_10C4&PID_EA70&MI_00`}}},
			Port{Name: "COM3", USB: true, VID: 0x10c4, PID: 0xea70, Interface: AnyInterface}},
		{"on the main board", "COM1", []devNode{
			{id: `ACPI\PNP0501\1`, friendly: "Communications Port (COM1)", manufacturer: "(Standard port types)",
				locationPaths: []string{"ACPI(_SB_)#ACPI(PC00)#ACPI(LPCB)#ACPI(UAR1)"}},
			{id: `PCI\VEN_8086&DEV_A305&SUBSYS_00000000&REV_10\3&11583659&0&F8`}, {id: `ACPI\PNP0A08\0`}},
			Port{Name: "COM1", Product: "Communications Port", Interface: AnyInterface}},
		{"com0com", "COM20", []devNode{
			{id: `COM0COM\PORT\CNCA0`, friendly: "com0com - serial port emulator (COM20)", manufacturer: "Vyacheslav Frolov"},
			{id: `ROOT\COM0COM\0000`}, {id: `HTREE\ROOT\0`}},
			Port{Name: "COM20", Product: "com0com - serial port emulator", Interface: AnyInterface}},
		{"Bluetooth, through a radio on USB", "COM30", []devNode{
			{id: `BTHENUM\{00001101-0000-1000-8000-00805F9B34FB}_VID&0001000F_PID&1200\7&37A9B0C&0&001122334455_C00000000`,
				friendly: "Standard Serial over Bluetooth link (COM30)", manufacturer: "Microsoft"},
			{id: `BTH\MS_BTHBRB\7&37A9B0C&0&1`}, {id: `USB\VID_8087&PID_0029\5&2D1D0E64&0&14`}},
			Port{Name: "COM30", Product: "Standard Serial over Bluetooth link", Interface: AnyInterface}},
		{"words of a device that steer a terminal", "COM7", []devNode{
			{id: board.id, locationPaths: board.locationPaths, reported: "CDC \x1b[31mACM", manufacturer: "\x1b]0;x\a"}},
			with(boardPort, func(p *Port) {
				p.Product, p.Manufacturer, p.Interface = "CDC ?[31mACM", "?]0;x?", AnyInterface
			})},
		{"no words at all", "com3", []devNode{{}}, Port{Name: "com3", Interface: AnyInterface}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := portOf(test.com, test.tree)
			if diff := cmp.Diff(test.want, got); diff != "" || !ok {
				t.Errorf("%v, -want +got:\n%s", ok, diff)
			}
		})
	}
}

func TestPortOfWhatIsNoSerialPort(t *testing.T) {
	for _, name := range []string{"", "COM", "LPT1", "COMX", "COM7\x1b", "CNCA0"} {
		if port, ok := portOf(name, []devNode{board}); ok {
			t.Errorf("%q: got %+v, want none", name, port)
		}
	}
	if port, ok := portOf("COM1", nil); ok {
		t.Errorf("no device: got %+v, want none", port)
	}
}

// FuzzPortOf has devices with any texts: whatever a driver says, a port comes of it and nothing panics.
func FuzzPortOf(f *testing.F) {
	f.Add("COM7", function("00", "").id, board.id, board.locationPaths[0], board.friendly)
	f.Add("COM4", `FTDIBUS\VID_0403+PID_6001+A\0000`, `USB\`, "#USB(", " (COM")
	f.Add("COM4", `FTDIBUS\++\0000`, `USB\VID_&PID_\`, "#USB()#USBMI(", "(COM4)")
	f.Fuzz(func(t *testing.T, name, first, second, path, words string) {
		tree := []devNode{{id: first, locationPaths: []string{path}, friendly: words, manufacturer: words},
			{id: second, hardwareIDs: []string{path}, reported: words}}
		if port, ok := portOf(name, tree); ok && (port.Name != name || !port.USB && port.Location != "") {
			t.Errorf("got %+v", port)
		}
	})
}
