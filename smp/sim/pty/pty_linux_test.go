package pty_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/smpctl/smpctl/smp/sim/pty"
)

// open opens a pseudo-terminal: the device's end, and the name of the port.
func open(t *testing.T) (master *os.File, name string) {
	t.Helper()
	master, name, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	return master, name
}

// TestOpenIsRaw sends every byte both ways through a pseudo-terminal that nothing but Open has set up.
func TestOpenIsRaw(t *testing.T) {
	master, name := open(t)
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	slave := os.NewFile(uintptr(fd), name)
	defer slave.Close()
	want := []byte("line\r\nline\n\x03\x04\x11\x13\x1a\x1c\x7f") // what a cooked terminal would change
	for b := range 256 {
		want = append(want, byte(b))
	}

	if _, err := slave.Write(want); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(master, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("from the port: got %q, %v, want %q", got, err, want)
	}
	if _, err := master.Write(want); err != nil {
		t.Fatal(err)
	}
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

func TestCloseEndsRead(t *testing.T) {
	master, name := open(t)
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
	case <-time.After(10 * time.Second):
		t.Fatal("Close does not end Read")
	}
}

func TestNamesDiffer(t *testing.T) {
	_, first := open(t)
	_, second := open(t)
	if first == second {
		t.Errorf("two pseudo-terminals are called %s", first)
	}
	for _, name := range []string{first, second} {
		if info, err := os.Stat(name); err != nil || info.Mode()&os.ModeCharDevice == 0 {
			t.Errorf("%s: got %v, %v, want a device", name, info, err)
		}
	}
}
