package transport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/smpctl/smpctl/transport"
)

// newPTY opens a pseudo-terminal: the device's end, and the name of the port.
func newPTY(t *testing.T) (master *os.File, name string) {
	t.Helper()
	master, name, err := transport.OpenPTY()
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
	if err := master.SetReadDeadline(time.Now().Add(patienceForAll)); err != nil {
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

// TestPTYIsRaw sends every byte both ways through a pseudo-terminal that nothing but OpenPTY has set up.
func TestPTYIsRaw(t *testing.T) {
	master, name := newPTY(t)
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	slave := os.NewFile(uintptr(fd), name)
	defer slave.Close()
	want := allBytes()

	if _, err := slave.Write(want); err != nil {
		t.Fatal(err)
	}
	if got := readFull(t, master, len(want)); !bytes.Equal(got, want) {
		t.Errorf("from the port: got %q, want %q", got, want)
	}
	if _, err := master.Write(want); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(slave, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("to the port: got %q, %v, want %q", got, err, want)
	}
	if err := master.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := master.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("echo: got %q, %v, want none until %v", got[:n], err, os.ErrDeadlineExceeded)
	}
}

func TestPTYCloseEndsRead(t *testing.T) {
	master, name := newPTY(t)
	hold, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0) // else reading gives EIO at once
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	ended := make(chan error, 1)
	go func() {
		_, err := master.Read(make([]byte, 1))
		ended <- err
	}()
	master.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("read: got %v, want %v", err, os.ErrClosed)
		}
	case <-time.After(patienceForAll):
		t.Fatal("Close does not end Read")
	}
}

func TestPTYNamesDiffer(t *testing.T) {
	_, first := newPTY(t)
	_, second := newPTY(t)
	if first == second {
		t.Errorf("two pseudo-terminals are called %s", first)
	}
	for _, name := range []string{first, second} {
		if info, err := os.Stat(name); err != nil || info.Mode()&os.ModeCharDevice == 0 {
			t.Errorf("%s: got %v, %v, want a device", name, info, err)
		}
	}
}
