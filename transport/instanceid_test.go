package transport_test

import (
	"testing"

	"github.com/smpctl/smpctl/transport"
)

func TestInterfaceOf(t *testing.T) {
	tests := []struct {
		id   string
		want int
	}{
		{`USB\VID_2FE3&PID_0004&MI_02\7&2A3B4C5D&0&0002`, 2},
		{`usb\vid_2fe3&pid_0004&mi_0a\7&2a3b4c5d&0&0002`, 10},
		{`USB\VID_2FE3&PID_0004\E6633861A34B`, transport.AnyInterface},
		{`FTDIBUS\VID_0403+PID_6001+A10K4XYZA\0000`, transport.AnyInterface},
		{`USB\VID_2FE3&PID_0004&MI_0G\1`, transport.AnyInterface},
		{`USB\VID_2FE3&PID_0004&MI_002\1`, transport.AnyInterface},
		{`ACPI\PNP0501\1`, transport.AnyInterface},
		{"", transport.AnyInterface},
	}
	for _, test := range tests {
		if got := transport.InterfaceOf(test.id); got != test.want {
			t.Errorf("InterfaceOf(%q) = %d, want %d", test.id, got, test.want)
		}
	}
}

func TestSerialOf(t *testing.T) {
	tests := []struct{ id, want string }{
		{`USB\VID_2FE3&PID_0004\E6633861A34B`, "E6633861A34B"},
		{`USB\VID_2FE3&PID_0004\AB-12 34`, "AB-12 34"},
		{`USB\VID_2FE3&PID_0004\5&1234ABCD&0&2`, ""},             // made up by Windows
		{`USB\VID_2FE3&PID_0004&MI_02\7&2A3B4C5D&0&0002`, ""},    // of a function
		{`USB\VID_2FE3&PID_0004&MI_02\E6633861A34B`, ""},         // of a function
		{`FTDIBUS\VID_0403+PID_6001+A10K4XYZA\0000`, "A10K4XYZ"}, // its first port
		{`FTDIBUS\VID_0403+PID_6010+FT4XYZABB\0000`, "FT4XYZAB"}, // its second
		{`FTDIBUS\VID_0403+PID_6001+5&2A7F1C3&0&2\0000`, ""},     // made up by Windows
		{`FTDIBUS\VID_0403+PID_6001\0000`, ""}, {`FTDIBUS\VID_0403+PID_6001+A\0000`, "A"},
		{`USB\VID_2FE3&PID_0004`, ""}, {`ACPI\PNP0501\1`, ""}, {"", ""},
	}
	for _, test := range tests {
		if got := transport.SerialOf(test.id); got != test.want {
			t.Errorf("SerialOf(%q) = %q, want %q", test.id, got, test.want)
		}
	}
}

func TestPlaceOf(t *testing.T) {
	const device = "PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(2)#USB(1)"
	tests := []struct{ path, want string }{
		{device, device},
		{device + "#USBMI(2)", device},
		{"PCIROOT(0)#PCI(1F00)", ""},
		{"", ""},
	}
	for _, test := range tests {
		if got := transport.PlaceOf(test.path); got != test.want {
			t.Errorf("PlaceOf(%q) = %q, want %q", test.path, got, test.want)
		}
	}
}
