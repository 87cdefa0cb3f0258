package bus

import (
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/transport"
)

// TestReadEntry takes nothing from a folder that no board could show, and no address of another computer.
func TestReadEntry(t *testing.T) {
	const good = `{"port":{"name":"ttySIM0","usb":true,"vid":"2fe3","pid":"0004","serial":"S1","interface":2},` +
		`"tcp":"127.0.0.1:4711"}`
	for _, tt := range []struct{ name, text, want string }{
		{"good", good, ""},
		{"empty", "", "unexpected end of JSON input"},
		{"too long", good + strings.Repeat(" ", maxEntry), "is larger than 4 KiB"},
		{"another name", strings.Replace(good, "ttySIM0", "ttySIM1", 1), `it is the file of port "ttySIM1"`},
		{"not on USB", strings.Replace(good, `"usb":true,`, "", 1), "the port is not on USB"},
		{"interface", strings.Replace(good, `"interface":2`, `"interface":256`, 1),
			"interface number 256 is not 0 to 255"},
		{"control character", strings.Replace(good, `"S1"`, `"S\u001b[2J"`, 1),
			`"S\x1b[2J" is no text of up to 126 characters`},
		{"long text", strings.Replace(good, `"S1"`, `"`+strings.Repeat("S", 127)+`"`, 1),
			`"` + strings.Repeat("S", 127) + `" is no text of up to 126 characters`},
		{"vendor", strings.Replace(good, `"2fe3"`, `"xyz"`, 1), "not 1 to 4 hexadecimal digits"},
		{"another computer", strings.Replace(good, "127.0.0.1", "192.0.2.1", 1),
			"192.0.2.1:4711 is no port of this computer"},
		{"no address", strings.Replace(good, `,"tcp":"127.0.0.1:4711"`, "", 1), "is no port of this computer"},
		{"a name for an address", strings.Replace(good, "127.0.0.1", "localhost", 1), "localhost"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ttySIM0.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readEntry(path, "ttySIM0")
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want an error with %q", err, tt.want)
				}
				return
			}
			want := entry{
				transport.Port{Name: "ttySIM0", USB: true, VID: 0x2fe3, PID: 4, Serial: "S1", Interface: 2},
				netip.MustParseAddrPort("127.0.0.1:4711"),
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); err != nil ||
				diff != "" {
				t.Errorf("error %v, entry (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestAnswer waits for what a virtual board says at first, and for nobody else.
func TestAnswer(t *testing.T) {
	for _, tt := range []struct{ says, want string }{
		{"open\n", ""},
		{"busy\n", transport.ErrBusy.Error()},
		{"HTTP/1.1 400", "what answers there is no virtual board"},
		{"", "i/o timeout"},
	} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			defer far.Close()
			go func() { _, _ = io.WriteString(far, tt.says) }()
			err := answer(near)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%q: %v, want %q", tt.says, err, tt.want)
			}
			near.Close()
		})
	}
}
