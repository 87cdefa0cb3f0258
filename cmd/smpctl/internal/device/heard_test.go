package device

import (
	"io"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/transport"
)

// TestHeard: a command that got no answer says what came instead.
func TestHeard(t *testing.T) {
	for _, tt := range []struct {
		name, stream, want string
	}{
		{"nothing", "", ""},
		{"text", "*** Booting Zephyr ***\r\n", "heard 24 bytes of text, and 0 whole packets (--trace FILE shows it); "},
		{"text with a marker", "<wrn> \x06\x09 x\r\n",
			"heard 12 bytes with 0 whole packets, and 1 piece of damaged packets or of text that looks like one " +
				"(--trace FILE shows them); "},
		{"a packet", "\x06\x09ABABAAAGAAECBr9icmMI/9a6\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := transport.NewConn(struct {
				io.Reader
				io.Writer
				io.Closer
			}{strings.NewReader(tt.stream), io.Discard, io.NopCloser(nil)}, transport.Options{})
			defer c.Close()
			for {
				if _, err := c.ReadPacket(); err != nil {
					break
				}
			}
			if got := heard(c); got != tt.want {
				t.Errorf("heard = %q, want %q", got, tt.want)
			}
		})
	}
}
