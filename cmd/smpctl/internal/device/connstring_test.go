package device

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/transport"
)

func TestParseConnString(t *testing.T) {
	tests := []struct {
		name, connType, text string
		want                 connSettings
	}{
		{"mcumgr-cli's documentation", "serial", "dev=COM22,baud=115200,mtu=512", connSettings{"COM22", 115200, 512}},
		{"bare word first", "serial", "COM22,baud=115200,mtu=512", connSettings{"COM22", 115200, 512}},
		{"bare word last", "serial", "mtu=512,baud=115200,COM22", connSettings{"COM22", 115200, 512}},
		{"bare word alone", "serial", "/dev/ttyACM0", connSettings{Dev: "/dev/ttyACM0"}},
		{"nothing", "serial", "", connSettings{}},
		{"no device", "serial", "baud=9600", connSettings{Baud: 9600}},
		{"quotes", `"serial"`, `"dev=COM22,baud=9600"`, connSettings{"COM22", 9600, 0}},
		{"quotes around a value", "serial", `dev="COM22",baud='9600'`, connSettings{"COM22", 9600, 0}},
		{"spaces", "serial", "dev=COM22, baud=9600", connSettings{"COM22", 9600, 0}},
		{"trailing comma", "serial", "COM22,", connSettings{Dev: "COM22"}},
		{"the last one counts", "serial", "baud=1,baud=2,COM1,COM2", connSettings{"COM2", 2, 0}},
		{"a device with an equals sign", "serial", "dev=/dev/serial/by-id/a=b",
			connSettings{Dev: "/dev/serial/by-id/a=b"}},
		{"usb address", "serial", "usb:2fe3:0004,if=2,baud=9600", connSettings{"usb:2fe3:0004,if=2", 9600, 0}},
		{"usb address behind dev", "serial", "baud=9600,dev=usb:serial=AB12,location=1-1.2,mtu=128",
			connSettings{"usb:serial=AB12,location=1-1.2", 9600, 128}},
		{"bare usb serial number", "serial", "usb:serial=AB12", connSettings{Dev: "usb:serial=AB12"}},
		{"tcp address", "serial", "tcp:127.0.0.1:7777,mtu=512", connSettings{"tcp:127.0.0.1:7777", 0, 512}},
		{"udp", "udp", "[2001:db8::1]:1337", connSettings{Dev: "udp:[2001:db8::1]:1337"}},
		{"udp with a key", "udp", "dev=192.0.2.1,mtu=512", connSettings{"udp:192.0.2.1", 0, 512}},
		{"udp twice", "udp", "udp:192.0.2.1", connSettings{Dev: "udp:192.0.2.1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseConnString(tt.connType, tt.text)
			if err != nil || got != tt.want {
				t.Errorf("parseConnString(%q, %q) = %+v, %v, want %+v", tt.connType, tt.text, got, err, tt.want)
			}
		})
	}
}

func TestParseConnStringErrors(t *testing.T) {
	tests := []struct{ name, connType, text, want string }{
		{"unknown key", "serial", "COM22,bauds=9600", `connstring: unknown key "bauds": want dev, baud or mtu`},
		{"baud is no number", "serial", "baud=fast", "connstring: baud=fast: want 1 to 50000000"},
		{"baud is 0", "serial", "baud=0", "connstring: baud=0: want 1 to 50000000"},
		{"baud overflows", "serial", "baud=99999999999999999999",
			"connstring: baud=99999999999999999999: want 1 to 50000000"},
		{"mtu too small", "serial", "mtu=10", "connstring: mtu=10: want 64 to 65535"},
		{"empty device", "serial", "dev=", "connstring: dev has no value"},
		{"empty baud", "serial", "COM22,baud=", "connstring: baud has no value"},
		{"baud over UDP", "udp", "192.0.2.1,baud=9600", "connstring: baud has no meaning over UDP"},
		{"no type", "", "COM22", `connection type "": want serial or udp`},
		{"unknown type", "frob", "COM22", `connection type "frob": want serial or udp`},
		{"CoAP", "oic_serial", "COM22",
			`connection type "oic_serial": SMP over CoAP, which Zephyr does not speak; want serial`},
		{"Bluetooth", "ble", "peer_name=x", `connection type "ble": Bluetooth is not supported; want serial or udp`},
		{"LoRa", "oic_mtech", "x", `connection type "oic_mtech": LoRa is not supported; want serial or udp`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseConnString(tt.connType, tt.text)
			if _, ok := err.(failure.UsageError); !ok || err.Error() != tt.want || got != (connSettings{}) {
				t.Errorf("parseConnString(%q, %q) = %+v, %v, want the usage error %q",
					tt.connType, tt.text, got, err, tt.want)
			}
		})
	}
}

func TestMergeConnSettings(t *testing.T) {
	base := connSettings{"COM1", 9600, 128}
	tests := []struct {
		name       string
		over, want connSettings
	}{
		{"nothing", connSettings{}, base},
		{"device", connSettings{Dev: "COM2"}, connSettings{"COM2", 9600, 128}},
		{"baud", connSettings{Baud: 1}, connSettings{"COM1", 1, 128}},
		{"mtu", connSettings{MTU: 64}, connSettings{"COM1", 9600, 64}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, base.merge(tt.over)); diff != "" {
				t.Errorf("merge (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzParseConnString sees that what was accepted stays within limits, and reads the same when it is written out.
func FuzzParseConnString(f *testing.F) {
	for _, seed := range []string{"dev=COM22,baud=115200,mtu=512", "usb:2fe3:0004,if=2", `"COM3"`,
		"baud=9600,,/dev/ttyS0", "a=b", "dev=,", "'"} {
		f.Add("serial", seed)
		f.Add("udp", seed)
	}
	f.Fuzz(func(t *testing.T, connType, text string) {
		c, err := parseConnString(connType, text)
		if err != nil {
			if _, ok := err.(failure.UsageError); !ok || c != (connSettings{}) {
				t.Errorf("got %+v, %v, want no settings and a usage error", c, err)
			}
			return
		}
		if c.Baud < 0 || c.Baud > app.MaxBaud || c.MTU != 0 && (c.MTU < app.MinBuffer || c.MTU > app.MaxBuffer) {
			t.Errorf("parseConnString(%q, %q) = %+v, out of range", connType, text, c)
		}
		address, err := ParseAddress(c.Dev)
		if err != nil || strings.ContainsAny(c.Dev, `,"'`) || address.Kind == transport.KindAny {
			return
		}
		again, err := parseConnString(connType, "dev="+c.Dev)
		if err != nil || again.Dev != c.Dev {
			t.Errorf("parseConnString(%q, %q) = %+v, %v, want the device %q", connType, "dev="+c.Dev, again, err, c.Dev)
		}
	})
}
