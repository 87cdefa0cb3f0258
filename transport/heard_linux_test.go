package transport_test

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/smpctl/smpctl/transport"
)

// TestHeardFromATerminal has a real terminal at the other end of the wire, which nobody has told to be silent.
func TestHeardFromATerminal(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options transport.Options
		local   uint32 // flags of termios(3)
	}{
		{"that gathers lines", transport.Options{}, unix.ECHO | unix.ECHOCTL | unix.ICANON},
		{"in raw mode", transport.Options{}, unix.ECHO | unix.ECHOCTL},
		{"that shows all bytes", transport.Options{}, unix.ECHO},
		{"without framing", transport.Options{Raw: true}, unix.ECHO | unix.ECHOCTL},
		{"without framing, that shows all bytes", transport.Options{Raw: true}, unix.ECHO},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire, name := newPTY(t)
			setTerminal(t, name, tt.local)
			var c *transport.Conn
			var text []byte
			tt.options.Text = func(p []byte) {
				text = append(text, p...)
				if bytes.Contains(text, []byte("\a")) || bytes.Contains(text, []byte("^G")) {
					c.Close() // all of it has come back
				}
			}
			c = transport.NewConn(wire, tt.options)
			err := errors.Join(c.WritePacket(helloRequest), c.WritePacket(longRequest), c.WriteText([]byte("\a")))
			if err != nil {
				t.Fatal(err)
			}
			if h := heardOf(c); h.Kind != transport.HeardEcho || h.Line != "" {
				t.Errorf("%+v of %q, want an echo", h, text)
			}
		})
	}
}

// setTerminal sets a terminal's local flags, and turns newlines around as terminals do.
func setTerminal(t *testing.T, name string, local uint32) {
	t.Helper()
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	settings, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	settings.Lflag = local
	settings.Iflag |= unix.ICRNL
	settings.Oflag |= unix.OPOST | unix.ONLCR
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, settings); err != nil {
		t.Fatal(err)
	}
}
