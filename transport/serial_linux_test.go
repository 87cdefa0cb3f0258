package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/smpctl/smpctl/transport"
)

func TestSerialRoundTrip(t *testing.T) {
	tests := []struct {
		name string
		o    transport.Options
	}{
		{"default", transport.Options{}},
		{"slow", transport.Options{Baud: 1200}},
		{"fast", transport.Options{Baud: 3_000_000}},
		{"odd rate", transport.Options{Baud: 123_457}},
		{"long lines", transport.Options{LineLength: 512}},
		{"lines dropped", transport.Options{DropLines: true}}, // a PTY has none to drop
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			master, name := newPTY(t)
			c := dialPort(t, name, tt.o)
			if err := c.WritePacket(ask); err != nil {
				t.Fatal(err)
			}
			want := transport.AppendFrame(nil, ask, tt.o.LineLength)
			if got := readFull(t, master, len(want)); !bytes.Equal(got, want) {
				t.Errorf("on the wire: got %q, want %q", got, want)
			}
			if _, err := master.Write(transport.AppendFrame(nil, reply, 0)); err != nil {
				t.Fatal(err)
			}
			if got := readOne(t, c); !bytes.Equal(got, reply) {
				t.Errorf("reply: got %x, want %x", got, reply)
			}
			if got := c.Port().Name; got != name {
				t.Errorf("name of the port: got %q, want %q", got, name)
			}
			if err := c.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// TestSerialRaw sends the bytes that a terminal driver treats in a special way.
func TestSerialRaw(t *testing.T) {
	master, name := newPTY(t)
	c := dialPort(t, name, transport.Options{Raw: true})
	want := packetOf(2, 0, string(allBytes()))
	if err := c.WritePacket(want); err != nil {
		t.Fatal(err)
	}
	if got := readFull(t, master, len(want)); !bytes.Equal(got, want) {
		t.Errorf("on the wire: got %x, want %x", got, want)
	}
	want[0] |= 1
	if _, err := master.Write(want); err != nil {
		t.Fatal(err)
	}
	if got := readOne(t, c); !bytes.Equal(got, want) {
		t.Errorf("received: got %x, want %x", got, want)
	}
}

func TestSerialSetsBaud(t *testing.T) {
	for _, tt := range []struct{ baud, want int }{
		{0, 115200}, {1200, 1200}, {115200, 115200}, {123_457, 123_457}, {1_000_000, 1_000_000},
		{12_000_000, 12_000_000},
	} {
		t.Run(fmt.Sprint(tt.baud), func(t *testing.T) {
			master, name := newPTY(t)
			dialPort(t, name, transport.Options{Baud: tt.baud})
			settings, err := onFD(t, master, func(fd int) (*unix.Termios, error) {
				return unix.IoctlGetTermios(fd, unix.TCGETS2)
			})
			if err != nil {
				t.Fatal(err)
			}
			if in, out := int(settings.Ispeed), int(settings.Ospeed); in != tt.want || out != tt.want {
				t.Errorf("got %d baud in and %d out, want %d", in, out, tt.want)
			}
		})
	}
}

// onFD runs f with the descriptor of a file and leaves the file under Go's poller.
func onFD[T any](t *testing.T, file *os.File, f func(fd int) (T, error)) (got T, err error) {
	t.Helper()
	raw, rawErr := file.SyscallConn()
	if rawErr != nil {
		t.Fatal(rawErr)
	}
	if rawErr := raw.Control(func(fd uintptr) { got, err = f(int(fd)) }); rawErr != nil {
		t.Fatal(rawErr)
	}
	return got, err
}

// TestSerialDropsOldInput wants nothing of what the device printed before the port was opened.
func TestSerialDropsOldInput(t *testing.T) {
	master, name := newPTY(t)
	old := packetOf(3, 99, "\xa0")
	if _, err := master.Write(transport.AppendFrame([]byte("boot log\n"), old, 0)); err != nil {
		t.Fatal(err)
	}
	c := dialPort(t, name, transport.Options{})
	if _, err := master.Write(transport.AppendFrame(nil, reply, 0)); err != nil {
		t.Fatal(err)
	}
	if got := readOne(t, c); !bytes.Equal(got, reply) {
		t.Errorf("got %x, want %x", got, reply)
	}
	if got := c.Stats().TextBytes; got != 0 {
		t.Errorf("got %d bytes of old text, want none", got)
	}
}

func TestSerialUnplug(t *testing.T) {
	master, name := newPTY(t)
	c := dialPort(t, name, transport.Options{})
	ended := make(chan error, 1)
	go func() {
		_, err := c.ReadPacket()
		ended <- err
	}()
	time.Sleep(10 * time.Millisecond) // so that ReadPacket blocks, which nothing shows
	start := time.Now()
	master.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, transport.ErrDisconnected) {
			t.Errorf("ReadPacket: got %v, want %v", err, transport.ErrDisconnected)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("ReadPacket noticed after %v, want at once", took)
		}
	case <-time.After(testTimeout):
		t.Fatal("ReadPacket does not notice")
	}
	if err := c.WritePacket(ask); !errors.Is(err, transport.ErrDisconnected) {
		t.Errorf("WritePacket: got %v, want %v", err, transport.ErrDisconnected)
	}
	if _, err := c.ReadPacket(); !errors.Is(err, transport.ErrDisconnected) {
		t.Errorf("second ReadPacket: got %v, want %v", err, transport.ErrDisconnected)
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := c.ReadPacket(); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("ReadPacket after Close: got %v, want %v", err, transport.ErrClosed)
	}
}

// TestSerialUnplugWhileWriting wants the same of a write that the device no longer takes.
func TestSerialUnplugWhileWriting(t *testing.T) {
	master, name := newPTY(t)
	c := dialPort(t, name, transport.Options{})
	fill(t, master, name)
	ended := make(chan error, 1)
	go func() { ended <- c.WritePacket(make([]byte, 1000)) }()
	time.Sleep(10 * time.Millisecond)
	start := time.Now()
	master.Close()
	if err := <-ended; !errors.Is(err, transport.ErrDisconnected) {
		t.Errorf("WritePacket: got %v, want %v", err, transport.ErrDisconnected)
	}
	if took := time.Since(start); took > 100*time.Millisecond {
		t.Errorf("WritePacket noticed after %v, want at once", took)
	}
}

// fill writes to a port until the system takes no more, and returns how much that was.
func fill(t *testing.T, master *os.File, name string) int {
	t.Helper()
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	junk := bytes.Repeat([]byte{'.'}, 4096)
	total := 0
	for refusals := 0; refusals < 3; {
		n, err := unix.Write(fd, junk)
		total += max(n, 0)
		switch {
		case err == nil:
			refusals = 0
		case !errors.Is(err, unix.EAGAIN):
			t.Fatal(err)
		case len(junk) > 1:
			junk = junk[:1]
		default:
			// The kernel moves bytes on in the background, until those that can be read fill their page.
			if ready, err := onFD(t, master,
				func(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCINQ) }); err != nil {
				t.Fatal(err)
			} else if ready >= 4095 {
				refusals++
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
	return total
}

// TestSerialBusyDevice wants a device that takes nothing for a while to cost no packet.
func TestSerialBusyDevice(t *testing.T) {
	master, name := newPTY(t)
	c := dialPort(t, name, transport.Options{})
	junk := fill(t, master, name)
	wrote := make(chan error, 1)
	go func() { wrote <- errors.Join(c.WritePacket(ask), c.WritePacket(reply)) }()
	select {
	case err := <-wrote:
		t.Fatalf("nobody reads, and WritePacket returns %v", err)
	case <-time.After(40 * time.Millisecond):
	}
	readFull(t, master, junk)
	want := transport.AppendFrame(transport.AppendFrame(nil, ask, 0), reply, 0)
	if got := readFull(t, master, len(want)); !bytes.Equal(got, want) {
		t.Errorf("on the wire: got %q, want %q", got, want)
	}
	if err := <-wrote; err != nil {
		t.Errorf("WritePacket once the device reads: %v", err)
	}
}

// TestSerialCloseWhileWriting closes a port whose driver takes nothing. What may stay is the call in the driver.
func TestSerialCloseWhileWriting(t *testing.T) {
	before := goleak.IgnoreCurrent()
	master, name := newPTY(t)
	c := dialPort(t, name, transport.Options{})
	reading, writing := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := c.ReadPacket()
		reading <- err
	}()
	fill(t, master, name)
	go func() { writing <- c.WritePacket(ask) }()
	time.Sleep(10 * time.Millisecond) // so that WritePacket blocks, which nothing shows

	start := time.Now()
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("Close took %v, want a second at most", took)
	}
	if err := <-reading; err != transport.ErrClosed {
		t.Errorf("ReadPacket: got %v, want %v", err, transport.ErrClosed)
	}
	if err := goleak.Find(before,
		goleak.IgnoreAnyFunction("github.com/smpctl/smpctl/transport.(*Conn).WritePacket")); err != nil {
		t.Errorf("after Close: %v", err)
	}
	// Another program can use the port although a write is stuck.
	if next, err := transport.Dial(within(t, testTimeout), name, transport.Options{}); err != nil {
		t.Errorf("open again: %v", err)
	} else {
		next.Close()
	}
	master.Close()
	if err := <-writing; err != transport.ErrClosed {
		t.Errorf("WritePacket: got %v, want %v", err, transport.ErrClosed)
	}
	if err := goleak.Find(before); err != nil {
		t.Errorf("once the device is gone: %v", err)
	}
}

func TestSerialRefusesWhatIsNoPort(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, pty := newPTY(t)
	tests := []struct {
		name, path string
		o          transport.Options
		is         error // nil: none in particular
		text       string
	}{
		{"missing", filepath.Join(folder, "nosuch"), transport.Options{}, fs.ErrNotExist, "no such file"},
		{"missing device", "/dev/nosuch", transport.Options{}, fs.ErrNotExist, "no such file"},
		{"dangling link", linkTo(t, "/dev/nosuch"), transport.Options{}, fs.ErrNotExist, "no such file"},
		{"file", file, transport.Options{}, nil, "not a serial port"},
		{"folder", folder, transport.Options{}, nil, "is a directory"},
		{"other device", "/dev/null", transport.Options{}, nil, "not a serial port, or none that takes 115200 baud"},
		{"negative rate", pty, transport.Options{Baud: -1}, nil, "-1 baud"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			c, err := transport.Dial(t.Context(), tt.path, tt.o)
			if err == nil {
				c.Close()
				t.Fatal("got no error")
			}
			var open *transport.OpenError
			if !errors.As(err, &open) || open.Address != tt.path {
				t.Errorf("got %#v, want an OpenError for %s", err, tt.path)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %v", err, tt.is)
			}
			if want := "open " + tt.path + ": "; !strings.HasPrefix(err.Error(), want) ||
				!strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %q, want %q and %q", err, want, tt.text)
			}
			if took := time.Since(start); took > 500*time.Millisecond {
				t.Errorf("took %v, want at once: this does not pass", took)
			}
		})
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "data" {
		t.Errorf("the file holds %q, %v, want what it held", data, err)
	}
}

func TestSerialContextEnded(t *testing.T) {
	_, name := newPTY(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := transport.Dial(ctx, name, transport.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// TestSerialKeepsNoDescriptors counts them, of ports that open and of ports that do not.
func TestSerialKeepsNoDescriptors(t *testing.T) {
	_, name := newPTY(t)
	count := func() int {
		t.Helper()
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	before := count()
	for range 20 {
		c, err := transport.Dial(t.Context(), name, transport.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if during := count(); during <= before {
			t.Fatalf("got %d descriptors with the port open, %d without: the count sees nothing", during, before)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"/dev/null", "/dev/nosuch", os.TempDir()} {
			if c, err := transport.Dial(t.Context(), bad, transport.Options{}); err == nil {
				c.Close()
				t.Fatalf("%s: got no error", bad)
			}
		}
	}
	runtime.GC()
	if after := count(); after != before {
		t.Errorf("got %d descriptors after 20 rounds, want %d as before", after, before)
	}
}
