package group

import (
	"bytes"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// Bytes of a device go to a pipe as they are, and to a terminal with their control characters escaped.
func TestData(t *testing.T) {
	for _, tty := range []bool{false, true} {
		var out bytes.Buffer
		a := &app.App{Streams: app.Streams{Out: &screen.Printable{W: &out}, OutTTY: tty}}
		if _, err := data(a).Write([]byte("\x1b[2J")); err != nil {
			t.Fatal(err)
		}
		if raw := out.String() == "\x1b[2J"; raw == tty {
			t.Errorf("terminal %v: %q", tty, out.String())
		}
	}
}
