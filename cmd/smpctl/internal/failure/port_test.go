package failure_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/transport"
)

// TestOpenHint: who has the port, and what the user lacks.
func TestOpenHint(t *testing.T) {
	holds := func(pid int, name string) *transport.OpenError {
		return &transport.OpenError{Err: transport.ErrBusy, Holder: transport.Process{PID: pid, Name: name}}
	}
	for _, tt := range []struct {
		err  *transport.OpenError
		want string
	}{
		{holds(4711, "picocom"), "picocom (pid 4711) has it open"},
		{holds(4711, ""), "a program (pid 4711) has it open"},
		{holds(os.Getpid(), "smpctl"), "this command has it open already"},
		{holds(0, ""), "another program has the port open: a terminal, another smpctl, ModemManager"},
		{&transport.OpenError{Err: fs.ErrPermission, Group: "dialout"},
			"only group dialout may open the port: sudo usermod -aG dialout $USER, then log in again"},
		{&transport.OpenError{Err: fs.ErrPermission, Group: "uucp", InGroup: true},
			"your user is in group uucp, but was not when this session began: log in again"},
		{&transport.OpenError{Err: fs.ErrPermission}, "your user may not open the port"},
		{&transport.OpenError{Err: fs.ErrNotExist}, "smpctl ports shows the ports that are there"},
		{&transport.OpenError{Err: errors.New("not a serial port")}, ""},
	} {
		k := failure.KindOf(t.Context(), tt.err)
		if got := failure.Hint(k, tt.err, failure.Situation{}); got != tt.want || k.Code != 3 {
			t.Errorf("%v, %+v: got %q, code %d, want %q, code 3", tt.err, tt.err.Holder, got, k.Code, tt.want)
		}
	}
}

// TestAwayHint: a device that did not come back has its port there, or not, or may not be opened any more.
func TestAwayHint(t *testing.T) {
	open := func(address string, err error) error { return &transport.OpenError{Address: address, Err: err} }
	const again = ": the same command takes an update up"
	for _, tt := range []struct {
		name string
		last error
		want string
	}{
		{"silent", smp.ErrNoReply, "power the board off and on" + again},
		{"the port stays away", open("/dev/ttyACM0", fs.ErrNotExist),
			"check the board's power and cable, and plug it in again" + again + "; smpctl ports shows what is there"},
		{"COM port stays away", open("COM7", fs.ErrNotExist),
			"check the board's power and cable, and plug it in again" + again + "; smpctl ports shows what is there"},
		{"the server stays away", open("tcp:localhost:7777", fs.ErrNotExist), "power the board off and on" + again},
		{"no permission any more",
			&transport.OpenError{Address: "/dev/ttyACM0", Err: fs.ErrPermission, Group: "dialout"},
			"only group dialout may open the port: sudo usermod -aG dialout $USER, then log in again"},
		{"somebody took the port", open("/dev/ttyACM0", transport.ErrBusy),
			"another program has the port open: a terminal, another smpctl, ModemManager"},
	} {
		err := fmt.Errorf("%w within 10s: %w", dfu.ErrNotBack, tt.last)
		// The connection that ended before says nothing of why it did not come back.
		for _, err := range []error{err, fmt.Errorf("%w; then %w", transport.ErrDisconnected, err)} {
			k := failure.KindOf(t.Context(), err)
			want := tt.want
			if errors.Is(err, transport.ErrDisconnected) && errors.Is(tt.last, smp.ErrNoReply) {
				want = "the port went away; the same command picks up where the device is"
			}
			if got := failure.Hint(k, err, failure.Situation{}); got != want || k != failure.KindNoReply {
				t.Errorf("%s: %v: hint\n%s, %v, want\n%s", tt.name, err, got, k, want)
			}
		}
	}
}

// TestSeveralHint offers whoever has to choose each port under an address that means it alone.
func TestSeveralHint(t *testing.T) {
	port := func(name, serial, location string, number int) transport.Port {
		return transport.Port{Name: name, USB: true, VID: 0x2fe3, PID: 4, Serial: serial, Location: location,
			Interface: number}
	}
	one, two := port("/dev/ttyACM0", "A1B2C3", "1-1", 0), port("/dev/ttyACM1", "A1B2C3", "1-1", 2)
	other := port("/dev/ttyACM2", "D4E5F6", "2-1", 0)
	const which = "; smpctl ports --probe shows which of them answers"
	for _, tt := range []struct {
		name, address string
		ports         []transport.Port
		want          string
	}{
		{"two ports of one board", "usb:2fe3:0004", []transport.Port{one, two},
			"name one: -p usb:2fe3:0004,if=0 (/dev/ttyACM0) or -p usb:2fe3:0004,if=2 (/dev/ttyACM1)" + which},
		{"two ports of one board, and another board", "usb:serial=A1B2C3", []transport.Port{one, two, other},
			"name one: -p usb:2fe3:0004,serial=A1B2C3,if=0 (/dev/ttyACM0) or -p usb:2fe3:0004,if=2 (/dev/ttyACM1)" +
				which},
		{"two boards", "", []transport.Port{one, other}, "name one: -p usb:2fe3:0004,serial=A1B2C3 (/dev/ttyACM0) or " +
			"-p usb:2fe3:0004,serial=D4E5F6 (/dev/ttyACM2)" + which},
		{"what a shell would take for something else is not offered", "",
			[]transport.Port{one, port("/dev/ttyACM3", "$(reboot)", "", 0)},
			"name one: -p usb:2fe3:0004,serial=A1B2C3 (/dev/ttyACM0) or -p /dev/ttyACM3" + which},
		{"nothing tells them apart", "", []transport.Port{port("COM3", "", "", 0), port("COM4", "", "", 0)},
			"name one: -p COM3 or -p COM4" + which},
		{"many", "", []transport.Port{one, two, other, port("a", "", "", 0), port("b", "", "", 0)},
			"name one with -p PORT, or with -p usb:serial=… or usb:location=…; smpctl ports shows them"},
	} {
		a, err := transport.ParseAddress(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Choose(tt.ports)
		err = &transport.OpenError{Address: tt.address, Err: err}
		if got := failure.Hint(failure.KindOf(t.Context(), err), err, failure.Situation{}); got != tt.want {
			t.Errorf("%s: hint\n%s, want\n%s", tt.name, got, tt.want)
		}
	}
}
