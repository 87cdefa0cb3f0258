package transport_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp/sim/pty"
	"github.com/smpctl/smpctl/transport"
)

// newPTY opens a pseudo-terminal: the device's end, and the name of the port.
func newPTY(t *testing.T) (master *os.File, name string) {
	t.Helper()
	master, name, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	return master, name
}

// dialPort opens a port and closes it when the test ends.
func dialPort(t *testing.T, name string, o transport.Options) *transport.Conn {
	t.Helper()
	c, err := transport.Dial(t.Context(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// linkTo makes another name for a port.
func linkTo(t *testing.T, name string) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "board")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// within is a context that ends after a while.
func within(t *testing.T, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// readFull reads n bytes from a master.
func readFull(t *testing.T, master *os.File, n int) []byte {
	t.Helper()
	if err := master.SetReadDeadline(time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, n)
	if got, err := io.ReadFull(master, p); err != nil {
		t.Fatalf("read %d bytes from the port: got %d, %v", n, got, err)
	}
	return p
}

// allBytes has every byte, and those that a cooked terminal would change.
func allBytes() []byte {
	p := []byte("line\r\nline\n\x03\x04\x11\x13\x1a\x1c\x7f")
	for b := range 256 {
		p = append(p, byte(b))
	}
	return p
}
