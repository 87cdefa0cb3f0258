package bus_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/bus"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// racked is a rack with a board in each socket 1-1.1, 1-1.2 and so on, which have these serial numbers.
func racked(t *testing.T, serials ...string) (*sim.Rack, []*sim.Board) {
	t.Helper()
	r := sim.NewRack()
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	var boards []*sim.Board
	for i, serial := range serials {
		b, err := r.Add(sim.Facts{Serial: serial, Product: "board"}, sim.Options{BootTime: -1})
		if err == nil {
			err = b.Plug("1-1." + string(rune('1'+i)))
		}
		if err != nil {
			t.Fatal(err)
		}
		boards = append(boards, b)
	}
	return r, boards
}

// served is the bus of a rack, through a folder.
func served(t *testing.T, r *sim.Rack) (bus.Bus, string) {
	t.Helper()
	dir := t.TempDir()
	serve(t, r, dir)
	return bus.OfFolder(dir), dir
}

func serve(t *testing.T, r *sim.Rack, dir string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- bus.Serve(ctx, r, dir, func() { close(ready) }) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { cancel() })
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	return stop
}

// both runs a test on the bus of a rack, and on the same through a folder.
func both(t *testing.T, serials []string, f func(*testing.T, bus.Bus, []*sim.Board)) {
	for _, folder := range []bool{false, true} {
		name := map[bool]string{false: "rack", true: "folder"}[folder]
		t.Run(name, func(t *testing.T) {
			r, boards := racked(t, serials...)
			b := bus.OfRack(r)
			if folder {
				b, _ = served(t, r)
			}
			f(t, b, boards)
		})
	}
}

// await waits until as many ports are there.
func await(t *testing.T, b bus.Bus, n int) []transport.Port {
	t.Helper()
	for range 2000 {
		ports, err := b.Ports()
		if err != nil {
			t.Fatal(err)
		}
		if len(ports) == n {
			return ports
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("there are never %d ports", n)
	return nil
}

func parse(t *testing.T, address string) transport.Address {
	t.Helper()
	a, err := transport.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestOpen(t *testing.T) {
	both(t, []string{"SIM00001", "SIM00002"}, func(t *testing.T, b bus.Bus, boards []*sim.Board) {
		ports := await(t, b, 2)
		second := transport.Port{Name: ports[1].Name, USB: true, VID: 0x2fe3, PID: 4, Serial: ports[1].Serial,
			Product: "board", Location: ports[1].Location}
		if diff := cmp.Diff(second, ports[1]); diff != "" {
			t.Errorf("port (-want +got):\n%s", diff)
		}
		for _, address := range []string{"usb:serial=SIM00002", "usb:2fe3:0004,location=1-1.2"} {
			conn, err := b.Open(t.Context(), parse(t, address), transport.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := conn.Port(); got.Serial != "SIM00002" || got.Location != "1-1.2" {
				t.Errorf("%s leads to %+v", address, got)
			}
			c := smp.NewClient(conn, smp.Options{})
			if _, err := c.OS.Echo(t.Context(), "hello"); err != nil {
				t.Errorf("%s: %v", address, err)
			}
			c.Close()
		}
	})
}

// TestReset ends the connection when the board is reset, as USB does, and has the port back afterwards.
func TestReset(t *testing.T) {
	both(t, []string{"SIM00001"}, func(t *testing.T, b bus.Bus, boards []*sim.Board) {
		await(t, b, 1)
		conn, err := b.Open(t.Context(), parse(t, "usb:serial=SIM00001"), transport.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		boards[0].Device().Reset()
		if _, err := conn.ReadPacket(); !errors.Is(err, transport.ErrDisconnected) {
			t.Errorf("reading over a reset: %v, want %v", err, transport.ErrDisconnected)
		}
		conn.Close()
		await(t, b, 1)
		boards[0].Unplug()
		await(t, b, 0)
	})
}

func TestNotOpened(t *testing.T) {
	both(t, []string{"SIM00001", "SIM00001"}, func(t *testing.T, b bus.Bus, boards []*sim.Board) {
		ports := await(t, b, 2)
		held, err := b.Open(t.Context(), parse(t, ports[0].Name), transport.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		for _, tt := range []struct {
			address, want string
			is            error
		}{
			{ports[0].Name, "open " + ports[0].Name + ": port is in use by another program", transport.ErrBusy},
			{"/dev/ttyACM0", "open /dev/ttyACM0: there is no such virtual port", fs.ErrNotExist},
			{"usb:serial=SIM00001", "open usb:serial=SIM00001: 2 ports match: ttySIM0, ttySIM1", nil},
			{"usb:serial=SIM00002", "open usb:serial=SIM00002: no port matches; present: ttySIM0, ttySIM1", fs.ErrNotExist},
		} {
			o := transport.Options{Retry: func(*transport.OpenError) bool { return false }}
			_, err := b.Open(t.Context(), parse(t, tt.address), o)
			var open *transport.OpenError
			if !errors.As(err, &open) || err.Error() != tt.want || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%s: %v, want %s", tt.address, err, tt.want)
			}
		}
	})
}

// TestFolderOfAKilledServer is taken over by the next one, and nobody takes what is in it for ports before.
func TestFolderOfAKilledServer(t *testing.T) {
	r, _ := racked(t, "SIM00001", "SIM00002")
	dir := t.TempDir()
	stop := serve(t, r, dir)
	await(t, bus.OfFolder(dir), 2)
	left, err := os.ReadFile(filepath.Join(dir, "ttySIM1.json"))
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if names, _ := filepath.Glob(filepath.Join(dir, "*.json")); len(names) > 0 {
		t.Errorf("after the end there are still %v", names)
	}
	stale := strings.ReplaceAll(string(left), "ttySIM1", "ttySIM7")
	if err := os.WriteFile(filepath.Join(dir, "ttySIM7.json"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	if ports, err := bus.OfFolder(dir).Ports(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ports that nobody serves: %v, %v", ports, err)
	}
	defer serve(t, r, dir)()
	if ports := await(t, bus.OfFolder(dir), 2); ports[1].Name == "ttySIM7" {
		t.Error("what was left is still there")
	}
	err = bus.Serve(t.Context(), r, dir, nil)
	if err == nil || !strings.Contains(err.Error(), "another smpctl serves virtual boards there") {
		t.Errorf("a second server: %v", err)
	}
}

// TestFolderOfSomebodyElse stays as it is.
func TestFolderOfSomebodyElse(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious.json")
	if err := os.WriteFile(precious, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, _ := racked(t)
	if err := bus.Serve(t.Context(), r, dir, nil); err == nil {
		t.Error("the folder is served")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}
