package transport_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

// usb returns a KindUSB address that looks at nothing yet.
func usb(set func(*transport.Address)) transport.Address {
	a := transport.Address{Kind: transport.KindUSB, Interface: transport.AnyInterface}
	set(&a)
	return a
}

func TestParseAddress(t *testing.T) {
	path := func(s string) transport.Address {
		return transport.Address{Kind: transport.KindPath, Path: s, Interface: transport.AnyInterface}
	}
	host := func(kind transport.Kind, s string) transport.Address {
		return transport.Address{Kind: kind, Host: s, Interface: transport.AnyInterface}
	}
	type address = transport.Address
	tests := []struct {
		text string
		want address
		back string // what String gives, if not text
	}{
		{"", address{Interface: transport.AnyInterface}, ""},

		{"/dev/ttyACM0", path("/dev/ttyACM0"), ""},
		{"/dev/cu.usbmodem1101", path("/dev/cu.usbmodem1101"), ""},
		{"COM22", path("COM22"), ""},
		{`\\.\COM10`, path(`\\.\COM10`), ""},
		{"ttyACM0", path("ttyACM0"), ""},
		{"usb", path("usb"), ""}, // a name until there is a colon
		{"/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0", path("/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0"),
			""},
		{"./a:b", path("./a:b"), ""},
		{`C:\port`, path(`C:\port`), ""},

		{"usb:2fe3:0004", usb(func(a *address) { a.VID, a.PID = 0x2fe3, 4 }), ""},
		{"USB:2FE3:4", usb(func(a *address) { a.VID, a.PID = 0x2fe3, 4 }), "usb:2fe3:0004"},
		{"usb:0x2fe3:0x0004", usb(func(a *address) { a.VID, a.PID = 0x2fe3, 4 }), "usb:2fe3:0004"},
		{"usb:1234:0000", usb(func(a *address) { a.VID = 0x1234 }), ""},
		{"usb:2fe3:0004:ABC", usb(func(a *address) { a.VID, a.PID, a.Serial = 0x2fe3, 4, "ABC" }),
			"usb:2fe3:0004,serial=ABC"},
		{"usb:2fe3:0004:A:B", usb(func(a *address) { a.VID, a.PID, a.Serial = 0x2fe3, 4, "A:B" }),
			"usb:2fe3:0004,serial=A:B"},
		{"usb:2fe3:0004:ABC,if=2", usb(func(a *address) { a.VID, a.PID, a.Serial, a.Interface = 0x2fe3, 4, "ABC", 2 }),
			"usb:2fe3:0004,serial=ABC,if=2"},
		{"usb:2fe3:0004,if=0", usb(func(a *address) { a.VID, a.PID, a.Interface = 0x2fe3, 4, 0 }), ""},
		{"usb:serial=A,B=C", usb(func(a *address) { a.Serial = "A,B=C" }), ""},
		{"usb:serial=ABC,location=1-1.2,if=255",
			usb(func(a *address) { a.Serial, a.Location, a.Interface = "ABC", "1-1.2", 255 }), ""},
		{"usb:if=1,location=1-1.2", usb(func(a *address) { a.Location, a.Interface = "1-1.2", 1 }),
			"usb:location=1-1.2,if=1"},
		{"usb:location=1-1.2", usb(func(a *address) { a.Location = "1-1.2" }), ""},
		{"usb:location=1-1.*", usb(func(a *address) { a.Location = "1-1.*" }), ""},
		{"usb:2fe3:0004,location=1-*,if=2",
			usb(func(a *address) { a.VID, a.PID, a.Location, a.Interface = 0x2fe3, 4, "1-*", 2 }), ""},

		{"tcp:localhost:4444", host(transport.KindTCP, "localhost:4444"), ""},
		{"TCP:[::1]:4444", host(transport.KindTCP, "[::1]:4444"), "tcp:[::1]:4444"},
		{"udp:board", host(transport.KindUDP, "board:1337"), "udp:board:1337"},
		{"udp:board:99", host(transport.KindUDP, "board:99"), ""},
		{"udp:fe80::1", host(transport.KindUDP, "[fe80::1]:1337"), "udp:[fe80::1]:1337"},
		{"udp:[fe80::1]", host(transport.KindUDP, "[fe80::1]:1337"), "udp:[fe80::1]:1337"},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := transport.ParseAddress(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("ParseAddress(%q), -want +got:\n%s", test.text, cmp.Diff(test.want, got))
			}
			back := test.back
			if back == "" {
				back = test.text
			}
			if got.String() != back {
				t.Errorf("String() = %q, want %q", got, back)
			}
		})
	}
}

func TestParseAddressErrors(t *testing.T) {
	const needs = "needs VID:PID, serial=SERIAL or location=LOCATION"
	const star = "a * in a location has its place at the end, behind a dot, as in 1-1.* for all below 1-1"
	tests := []struct{ text, problem string }{
		{"usb:", needs},
		{"usb:2fe3", needs},
		{"usb:if=2", needs},
		{"usb:vid:pid", "vendor id is not 1 to 4 hexadecimal digits"},
		{"usb:0000:0004", "vendor id is not 1 to 4 hexadecimal digits"},
		{"usb:2fe30:0004", "vendor id is not 1 to 4 hexadecimal digits"},
		{"usb:-1:0004", "vendor id is not 1 to 4 hexadecimal digits"},
		{"usb:2fe3:", "product id is not 1 to 4 hexadecimal digits"},
		{"usb:2fe3:00004", "product id is not 1 to 4 hexadecimal digits"},
		{"usb:2fe3:0004:", "empty serial number"},
		{"usb:2fe3:0004,if=", "empty part"},
		{"usb:serial=", "empty part"},
		{"usb:2fe3:0004,if=x", "interface number is not 0 to 255"},
		{"usb:2fe3:0004,if=256", "interface number is not 0 to 255"},
		{"usb:2fe3:0004,if=-1", "interface number is not 0 to 255"},
		{"usb:2fe3:0004,if=1,if=1", "two interface numbers"},
		{"usb:2fe3:0004:A,serial=B", "two values for serial"},
		{"usb:location=1-1,location=1-2", "two values for location"},
		{"usb:location=*", star},
		{"usb:location=.*", star},
		{"usb:location=1-1*", star},
		{"usb:location=1-*.2", star},
		{"usb:location=1-*.*", star},
		{"usb:location=1-1.**", star},
		{"tcp:", "needs HOST:PORT"},
		{"tcp:host", "needs HOST:PORT"},
		{"tcp::4444", "needs HOST:PORT"},
		{"tcp:::1:4444", "needs HOST:PORT"},
		{"tcp:host:0", "port is not 1 to 65535"},
		{"tcp:host:65536", "port is not 1 to 65535"},
		{"tcp:host:ssh", "port is not 1 to 65535"},
		{"udp:", "needs HOST:PORT"},
		{"udp:host:", "port is not 1 to 65535"},
		{"tpc:host:4444", "unknown kind tpc:"},
		{"sim:", "unknown kind sim:"},
		{"/dev/tty\x1b[m", "contains a control character"},
		{"/dev/tty\u009b2J", "contains a control character"}, // a colour sequence may start so, too
		{"usb:1:2:\x7f", "contains a control character"},
		{"usb:serial=a\nb", "contains a control character"},
	}
	for _, test := range tests {
		got, err := transport.ParseAddress(test.text)
		want := &transport.AddressError{Address: test.text, Problem: test.problem}
		var problem *transport.AddressError
		if !errors.As(err, &problem) || *problem != *want {
			t.Errorf("ParseAddress(%q) gives %v, want %v", test.text, err, want)
		}
		if got != (transport.Address{}) {
			t.Errorf("ParseAddress(%q) = %+v beside its error, want nothing", test.text, got)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"", "/dev/ttyACM0", "COM22", "usb:2fe3:0004:A,B,if=2", "usb:serial=A=B,location=1-1.2", "usb:location=1-1.*", "tcp:[::1]:4444",
		"udp:::1", "sim:a:b", "tpc:x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := transport.ParseAddress(s)
		if err != nil {
			var problem *transport.AddressError
			if !errors.As(err, &problem) || problem.Address != s || problem.Problem == "" {
				t.Fatalf("ParseAddress(%q): %#v, want an AddressError of it", s, err)
			}
			return
		}
		b, err := transport.ParseAddress(a.String())
		if err != nil || a != b {
			t.Errorf("ParseAddress(%q) = %+v, its text %q gives %+v, %v", s, a, a, b, err)
		}
	})
}

func TestUSBIDJSON(t *testing.T) {
	p := transport.Port{Name: "COM3", USB: true, VID: 0x2fe3, PID: 4, Interface: 0}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"name":"COM3","usb":true,"vid":"2fe3","pid":"0004","interface":0}`
	if string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
	var back transport.Port
	if err := json.Unmarshal(text, &back); err != nil || back != p {
		t.Errorf("back from JSON: got %+v, %v, want %+v", back, err, p)
	}
	for _, bad := range []string{`"2fe30"`, `"xyz"`, `""`, `"00002"`, `"+1"`} {
		var id transport.USBID
		if err := json.Unmarshal([]byte(bad), &id); err == nil {
			t.Errorf("USBID from %s: got %v, want an error", bad, id)
		}
	}
}
