package sim_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp/sim"
)

// fast are options for tests that run in real time.
var fast = sim.Options{ResetDelay: -1, BootTime: 20 * time.Millisecond, SwapTime: -1}

func TestServe(t *testing.T) {
	d := newDevice(t, fast)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- d.Serve(ctx, l) }()

	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	echo := func(c io.ReadWriter, when string) {
		t.Helper()
		if _, err := io.WriteString(c, echoFrame); err != nil {
			t.Fatal(err)
		}
		if got := readSome(t, c, len(echoAnswer)); got != echoAnswer {
			t.Errorf("answer %s = %q, want %q", when, got, echoAnswer)
		}
	}
	echo(conn, "at first")
	d.Reset()
	if err := d.WaitAlive(ctx); err != nil {
		t.Fatal(err)
	}
	echo(conn, "on the same connection after a reset")

	second, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	echo(second, "on a second connection")
	echo(conn, "on the first connection")

	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v, want nil", err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open after Serve")
	}
}

func TestServeEndsWithDevice(t *testing.T) {
	d := newDevice(t, fast)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	served := make(chan error, 1)
	go func() { served <- d.Serve(t.Context(), l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	d.Close()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v, want nil", err)
	}
}

func TestServeBrokenListener(t *testing.T) {
	d := newDevice(t, fast)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	l.Close()
	if err := d.Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve on a closed listener: %v, want %v", err, net.ErrClosed)
	}
}

func TestServePTY(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("pseudo-terminals are opened on Linux only")
	}
	d := newDevice(t, fast)
	link := filepath.Join(t.TempDir(), "board")
	if err := os.Symlink("/nowhere", link); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	names, served := make(chan string, 10), make(chan error, 1)
	go func() { served <- d.ServePTY(ctx, link, func(name string) { names <- name }) }()

	open := func() *os.File {
		t.Helper()
		var name string
		select {
		case name = <-names:
		case err := <-served:
			t.Fatalf("ServePTY: %v", err)
		case <-time.After(10 * time.Second):
			t.Fatal("no terminal within 10 s")
		}
		if to, err := os.Readlink(link); err != nil || to != name {
			t.Fatalf("link points to %q, %v, want %q", to, err, name)
		}
		f, err := os.OpenFile(link, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for round := range 2 {
		tty := open()
		if _, err := io.WriteString(tty, echoFrame); err != nil {
			t.Fatal(err)
		}
		if got := readSome(t, tty, len(echoAnswer)); got != echoAnswer {
			t.Errorf("round %d: answer = %q, want %q: the terminal must be raw", round, got, echoAnswer)
		}
		// The next program finds the port as the first one did.
		tty.Close()
		if tty, err := os.OpenFile(link, os.O_RDWR, 0); err != nil {
			t.Errorf("round %d: open again: %v", round, err)
		} else {
			d.Reset()
			if n, err := tty.Read(make([]byte, 1)); n != 0 || err == nil {
				t.Errorf("round %d: read after a reset: %d bytes, %v, want an error", round, n, err)
			}
			tty.Close()
		}
	}
	open().Close()
	cancel()
	if err := <-served; err != nil {
		t.Errorf("ServePTY: %v, want nil", err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("link after ServePTY: %v, want that it does not exist", err)
	}
}

// TestServePTYVanishes wants the link gone while the device is dark.
func TestServePTYVanishes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("pseudo-terminals are opened on Linux only")
	}
	o := fast
	o.BootTime = time.Hour
	d := newDevice(t, o)
	link := filepath.Join(t.TempDir(), "board")
	names, served := make(chan string, 10), make(chan error, 1)
	go func() { served <- d.ServePTY(t.Context(), link, func(name string) { names <- name }) }()
	tty, err := os.OpenFile(<-names, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	d.Reset()
	// The end of the port is what a host sees; the link goes before it.
	if _, err := tty.Read(make([]byte, 1)); err == nil {
		t.Error("read of the vanished port has no error")
	}
	if _, err := os.Lstat(link); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("link while the device is dark: %v, want that it does not exist", err)
	}
	d.Close()
	if err := <-served; err != nil {
		t.Errorf("ServePTY: %v, want nil", err)
	}
}

func TestServePTYKeepsFiles(t *testing.T) {
	d := newDevice(t, fast)
	file := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(file, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.ServePTY(t.Context(), file, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("ServePTY over a file: %v, want %v", err, fs.ErrExist)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "data" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	if err := d.ServePTY(t.Context(), filepath.Join(file, "x"), nil); err == nil {
		t.Error("ServePTY in a folder that is none: no error")
	}
}
