package group

import (
	"bytes"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
)

// Bytes of a device go to a pipe as they are, and to a terminal with their control characters escaped.
func TestData(t *testing.T) {
	for _, tty := range []bool{false, true} {
		var out bytes.Buffer
		a := app.New(app.Streams{Out: &out, Err: &out, OutTTY: tty}, func(string) (string, bool) { return "", false })
		if _, err := data(a).Write([]byte("\x1b[2J")); err != nil {
			t.Fatal(err)
		}
		if raw := out.String() == "\x1b[2J"; raw == tty {
			t.Errorf("terminal %v: %q", tty, out.String())
		}
	}
}
