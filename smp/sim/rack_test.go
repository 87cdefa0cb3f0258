package sim_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp/sim"
)

func newRack(t *testing.T) *sim.Rack {
	t.Helper()
	r := sim.NewRack()
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// addBoard puts a board into a socket, unless that is empty.
func addBoard(t *testing.T, r *sim.Rack, location string, f sim.Facts, o sim.Options, boot ...sim.Facts) *sim.Board {
	t.Helper()
	b, err := r.Add(f, o, boot...)
	if err == nil && location != "" {
		err = b.Plug(location)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seen are the ports of a rack in a few words: name, product id, serial number, interface, location.
func seen(r *sim.Rack) []string {
	var all []string
	for _, p := range r.Ports() {
		all = append(all, fmt.Sprintf("%s %04x %s %d %s", p.Name, p.PID, p.Serial, p.Interface, p.Location))
	}
	return all
}

// wantPorts lets everything settle that happens now and looks at the ports.
func wantPorts(t *testing.T, r *sim.Rack, when string, want ...string) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, seen(r)); diff != "" {
		t.Errorf("%s: ports (-want +got):\n%s", when, diff)
	}
}

func TestRackPorts(t *testing.T) {
	const boot = 500 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t)
		a := addBoard(t, r, "1-1.1", sim.Facts{Serial: "A1"}, sim.Options{})
		b := addBoard(t, r, "1-1.2", sim.Facts{Serial: "B2"}, sim.Options{BootTime: 2 * boot})
		spare := addBoard(t, r, "", sim.Facts{Serial: "B2"}, sim.Options{BootTime: boot * 3 / 2})
		wantPorts(t, r, "plugged in, and booting")
		time.Sleep(boot)
		wantPorts(t, r, "one has booted", "ttySIM0 0004 A1 0 1-1.1")
		time.Sleep(boot)
		wantPorts(t, r, "both have", "ttySIM0 0004 A1 0 1-1.1", "ttySIM1 0004 B2 0 1-1.2")

		changed := r.Changed()
		a.Device().Reset()
		wantPorts(t, r, "reset", "ttySIM1 0004 B2 0 1-1.2")
		select {
		case <-changed:
		default:
			t.Error("nobody was told of a port that has gone")
		}
		time.Sleep(boot)
		wantPorts(t, r, "back", "ttySIM0 0004 A1 0 1-1.1", "ttySIM1 0004 B2 0 1-1.2")

		a.Device().Reset()
		b.Device().Reset()
		synctest.Wait()
		if err := spare.Plug("1-1.3"); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * boot)
		wantPorts(t, r, "a third one was faster", "ttySIM0 0004 A1 0 1-1.1", "ttySIM1 0004 B2 0 1-1.3",
			"ttySIM2 0004 B2 0 1-1.2")

		b.Unplug()
		wantPorts(t, r, "pulled out", "ttySIM0 0004 A1 0 1-1.1", "ttySIM1 0004 B2 0 1-1.3")
		if b.Device().Alive() || b.Location() != "" {
			t.Error("a board that was pulled out goes on")
		}
		time.Sleep(time.Hour)
		wantPorts(t, r, "and stays away", "ttySIM0 0004 A1 0 1-1.1", "ttySIM1 0004 B2 0 1-1.3")
		if err := b.Plug("1-1.1"); err == nil {
			t.Error("two boards are in one socket")
		}
		a.Unplug()
		if err := b.Plug("1-1.1"); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * boot)
		wantPorts(t, r, "another board in a socket", "ttySIM0 0004 B2 0 1-1.1", "ttySIM1 0004 B2 0 1-1.3")
	})
}

func TestRackOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t)
		b := addBoard(t, r, "1-1.1", sim.Facts{Serial: "A1"}, sim.Options{})
		time.Sleep(time.Second)
		before := r.Ports()[0]
		s, err := r.Open(before)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(s, echoFrame); err != nil {
			t.Fatal(err)
		}
		if got := readSome(t, s, len(echoAnswer)); got != echoAnswer {
			t.Errorf("answer = %q, want %q", got, echoAnswer)
		}
		if _, err := r.Open(before); !errors.Is(err, sim.ErrPortInUse) {
			t.Errorf("opened twice: %v, want %v", err, sim.ErrPortInUse)
		}

		b.Device().Reset()
		if rest, err := io.ReadAll(s); err != nil || len(rest) > 0 {
			t.Errorf("after a reset: %q, %v, want the end", rest, err)
		}
		time.Sleep(time.Second)
		wantPorts(t, r, "the old name is held", "ttySIM1 0004 A1 0 1-1.1")
		if _, err := r.Open(before); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("opened what is gone: %v, want %v", err, fs.ErrNotExist)
		}
		s.Close()
		s.Close()
		b.Device().Reset()
		time.Sleep(time.Second)
		wantPorts(t, r, "and free", "ttySIM0 0004 A1 0 1-1.1")
		if _, err := r.Open(before); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("opened another port of the same name: %v, want %v", err, fs.ErrNotExist)
		}

		if s, err = r.Open(r.Ports()[0]); err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		b.Unplug()
		if _, err := s.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("pulled out: %v, want %v", err, io.EOF)
		}
	})
}

// TestRackFaces has a board with two ports, whose bootloader shows itself with another product id and one port.
func TestRackFaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t)
		app := sim.Facts{Serial: "A1", Interfaces: []sim.Interface{{Number: 0, Name: "console", Silent: true}, {Number: 2}}}
		boot := sim.Facts{PID: 0x100, VID: 0x2fe3, Serial: "A1"}
		addBoard(t, r, "1-1.1", app, sim.Options{RecoveryWindow: 200 * time.Millisecond}, boot)
		wantPorts(t, r, "at first", "ttySIM0 0100 A1 0 1-1.1")
		time.Sleep(300 * time.Millisecond)
		wantPorts(t, r, "between bootloader and application")
		time.Sleep(time.Second)
		wantPorts(t, r, "application", "ttySIM0 0004 A1 0 1-1.1", "ttySIM1 0004 A1 2 1-1.1")
		s, err := r.Open(r.Ports()[0])
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Minute, func() { s.Close() })
		if _, err := io.WriteString(s, echoFrame); err != nil {
			t.Error(err)
		}
		if n, err := s.Read(make([]byte, 1)); n > 0 || err != io.ErrClosedPipe {
			t.Errorf("the console says %d bytes, %v, want nothing until it is closed", n, err)
		}
	})
}

// TestRackRefuses is about what no board can be.
func TestRackRefuses(t *testing.T) {
	r := newRack(t)
	for _, f := range []sim.Facts{
		{Serial: "A\n1"},
		{Product: strings.Repeat("x", 127)},
		{Interfaces: []sim.Interface{{Number: 256}}},
		{Interfaces: make([]sim.Interface, 17)},
	} {
		if _, err := r.Add(f, sim.Options{}); err == nil {
			t.Errorf("%+v is a board", f)
		}
	}
	if _, err := r.Add(sim.Facts{}, sim.Options{Images: -1}); err == nil {
		t.Error("a board with -1 images")
	}
	b := addBoard(t, r, "", sim.Facts{}, sim.Options{})
	for _, socket := range []string{"", "1-1\x1b"} {
		if err := b.Plug(socket); err == nil {
			t.Errorf("there is a socket %q", socket)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Plug("1-1"); err == nil {
		t.Error("a board that was closed is plugged in")
	}
	r.Close()
	if _, err := r.Add(sim.Facts{}, sim.Options{}); err == nil {
		t.Error("a rack that was closed gets a board")
	}
}
