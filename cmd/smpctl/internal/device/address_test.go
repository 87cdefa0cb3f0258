package device

import (
	"errors"
	"testing"

	"github.com/smpctl/smpctl/transport"
)

func TestParseAddress(t *testing.T) {
	for _, tt := range []struct {
		text string
		kind transport.Kind
		path string
		back string
	}{
		{"sim:", KindSim, "", "sim:"},
		{"SIM:flash.bin", KindSim, "flash.bin", "sim:flash.bin"},
		{"sim:a:b", KindSim, "a:b", "sim:a:b"},
		{"sim", transport.KindPath, "sim", "sim"}, // a name until there is a colon
		{"", transport.KindAny, "", ""},
		{"tcp:localhost:4444", transport.KindTCP, "", "tcp:localhost:4444"},
	} {
		a, err := ParseAddress(tt.text)
		if err != nil || a.Kind != tt.kind || a.Path != tt.path || a.String() != tt.back {
			t.Errorf("parseAddress(%q) = %+v, %v, want kind %d, path %q and text %q",
				tt.text, a, err, tt.kind, tt.path, tt.back)
		}
	}
	for _, text := range []string{"sim:\x1b[2J", "sim:\u009b2J", "tpc:host:4444"} {
		var problem *transport.AddressError
		if a, err := ParseAddress(text); !errors.As(err, &problem) || a != (address{}) {
			t.Errorf("parseAddress(%q) = %+v, %v, want nothing but an AddressError", text, a, err)
		}
	}
}
