package device

import (
	"testing"

	"github.com/smpctl/smpctl/transport"
)

// TestAbsence names the ports that somebody may have meant who asked for one that is not there.
func TestAbsence(t *testing.T) {
	uart := transport.Port{Name: "/dev/ttyS0"}
	usb := func(name string) transport.Port { return transport.Port{Name: name, USB: true} }
	var many []transport.Port
	for _, n := range []string{"0", "1", "2", "3", "4"} {
		many = append(many, usb("/dev/ttyACM"+n))
	}
	const plugIn = ": plug the board in (Ctrl-C stops)"
	for _, tt := range []struct {
		name, address string
		ports         []transport.Port
		awaited, hint string
	}{
		{"nothing there", "/dev/ttyACM0", nil,
			"/dev/ttyACM0" + plugIn, "smpctl ports shows the ports that are there"},
		{"a UART of the computer is not the board", "/dev/ttyACM0", []transport.Port{uart},
			"/dev/ttyACM0" + plugIn, "smpctl ports shows the ports that are there"},
		{"another number", "/dev/ttyACM0", []transport.Port{uart, usb("/dev/ttyACM1"), usb("/dev/ttyUSB0")},
			"/dev/ttyACM0" + plugIn + "; /dev/ttyACM1 is there",
			"/dev/ttyACM1 is there; smpctl ports shows what it is"},
		{"without its folder", "ttyUSB0", []transport.Port{usb("/dev/ttyUSB0")},
			"ttyUSB0" + plugIn + "; /dev/ttyUSB0 is there", "/dev/ttyUSB0 is there; smpctl ports shows what it is"},
		{"another kind", "/dev/ttyUSB0", []transport.Port{uart, usb("/dev/ttyACM1"), usb("/dev/ttyACM2")},
			"/dev/ttyUSB0" + plugIn + "; /dev/ttyACM1 and /dev/ttyACM2 are there",
			"/dev/ttyACM1 and /dev/ttyACM2 are there; smpctl ports shows what they are"},
		{"a hub of them", "/dev/ttyACM9", many,
			"/dev/ttyACM9" + plugIn + "; /dev/ttyACM0, /dev/ttyACM1, /dev/ttyACM2 and 2 others are there",
			"/dev/ttyACM0, /dev/ttyACM1, /dev/ttyACM2 and 2 others are there; smpctl ports shows what they are"},
		{"a UART of the computer, with another number", "/dev/ttyS4", []transport.Port{uart},
			"/dev/ttyS4" + plugIn + "; /dev/ttyS0 is there", "/dev/ttyS0 is there; smpctl ports shows what it is"},
		{"Windows", "COM22", []transport.Port{usb("COM3")},
			"COM22" + plugIn + "; COM3 is there", "COM3 is there; smpctl ports shows what it is"},

		// Their errors list the ports already.
		{"by identity", "usb:2fe3:0004", many, "usb:2fe3:0004" + plugIn, ""},
		{"any", "", nil, "a USB serial port" + plugIn, ""},

		{"server", "tcp:localhost:7777", many, "tcp:localhost:7777: nobody listens there yet (Ctrl-C stops)",
			"start the server, or check host and port"},
	} {
		a, err := ParseAddress(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.awaited(tt.ports); got != tt.awaited {
			t.Errorf("%s: waiting for\n%s, want\n%s", tt.name, got, tt.awaited)
		}
		if got := a.absenceHint(tt.ports); got != tt.hint {
			t.Errorf("%s: hint\n%s, want\n%s", tt.name, got, tt.hint)
		}
	}
}
