package sim_test

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp/sim"
)

const (
	bootBegins = "*** Booting MCUboot v2.3.0 ***\n*** Using Zephyr OS build v4.4.0 ***\nI: Starting bootloader\n"
	bootEnds   = "I: Jumping to the first image slot\n*** Booting Zephyr OS build v4.4.0 ***\n" +
		"[00:00:00.000,000] \x1b[0m<inf> smp_sample: build time: Jan  1 2026 00:00:00\x1b[0m\n"
	oldRuns = "I: Bootloader chainload address offset: 0x10000\nI: Image version: v1.0.0\n"
	newRuns = "I: Bootloader chainload address offset: 0x10000\nI: Image version: v2.0.0\n"
)

// TestConsoleTellsWhatTheBootloaderDecides boots with an image in slot 1 and reads the console.
func TestConsoleTellsWhatTheBootloaderDecides(t *testing.T) {
	tests := []struct {
		name   string
		o      sim.Options
		update string // version
		spoil  bool
		want   string // between the beginning and the end of the log
	}{
		{"nothing to do", sim.Options{}, "", false, "I: Image index: 0, Swap type: none\n" + oldRuns},
		{"swap", sim.Options{}, "2.0.0", false,
			"I: Image index: 0, Swap type: test\nI: Starting swap using move algorithm.\n" + newRuns},
		{"damaged", sim.Options{}, "2.0.0", true,
			"I: Image index: 0, Swap type: test\nE: Image in the secondary slot is not valid!\n" + oldRuns},
		{
			"older", sim.Options{NoDowngrade: true}, "0.9.0", false,
			"I: Image index: 0, Swap type: test\nI: Image 0 in slot 1 erased due to downgrade prevention\n" + oldRuns,
		},
		{
			"older, overwrite", sim.Options{NoDowngrade: true, Mode: sim.Overwrite}, "0.9.0", false,
			"I: Image index: 0, Swap type: test\nE: Insufficient version in secondary slot\n" + oldRuns,
		},
		{
			"damaged, direct", sim.Options{Mode: sim.DirectXIP}, "2.0.0", true,
			"I: Primary slot: version=1.0.0+0\nI: Secondary slot: version=2.0.0+0\nE: Image in the secondary slot is " +
				"not valid!\n" +
				"I: Image 0 loaded from the primary slot\n" + oldRuns,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.o.Console = true
				d := newDevice(t, tt.o)
				s := d.Stream()
				h := newHost(t, d)
				if tt.update != "" {
					h.uploadImage(tt.update, tt.spoil)
				}
				if tt.update != "" && tt.o.Mode != sim.DirectXIP {
					h.choose(tt.update, false)
				}
				d.Reset()
				if _, err := io.ReadAll(s); err != nil {
					t.Fatal(err)
				}
				if err := d.WaitAlive(t.Context()); err != nil {
					t.Fatal(err)
				}
				again := d.Stream()
				buf := make([]byte, 4096)
				n, err := again.Read(buf) // all of it, for it waits in one piece
				if err != nil {
					t.Fatal(err)
				}
				got := strings.ReplaceAll(string(buf[:n]), "\r\n", "\n")
				if diff := cmp.Diff(bootBegins+tt.want+bootEnds, got); diff != "" {
					t.Errorf("console after the reset (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestConsoleOfUART has a host that stays connected over a reset, and hears each part when it is printed, and one
// without a console.
func TestConsoleOfUART(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, on := range []bool{true, false} {
			d := newDevice(t, sim.Options{Console: on})
			near, far := net.Pipe()
			l := &onePipe{conn: far, closed: make(chan struct{})}
			ctx, stop := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- d.Serve(ctx, l) }()
			heard := collect(t, near)
			synctest.Wait()
			heard()
			d.Reset()
			synctest.Wait()
			early := string(heard())
			if err := d.WaitAlive(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			late := string(heard())
			stop()
			near.Close()
			if err := <-served; err != nil {
				t.Error(err)
			}
			if got := strings.HasPrefix(early, "*** Booting MCUboot") &&
				strings.HasPrefix(late, "*** Booting Zephyr"); got != on {
				t.Errorf("console %t: heard %q during the reset, %q after it", on, early, late)
			}
			if !on && early+late != "" {
				t.Errorf("without a console: heard %q", early+late)
			}
		}
	})
}

// onePipe is a listener with one connection.
type onePipe struct {
	conn   net.Conn
	taken  bool
	once   sync.Once
	closed chan struct{}
}

func (l *onePipe) Accept() (net.Conn, error) {
	if !l.taken {
		l.taken = true
		return l.conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *onePipe) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *onePipe) Addr() net.Addr { return l.conn.LocalAddr() }

// TestConsoleOfPoweredBoard opens a flash file a second time: the board did not boot in between, so it has nothing to
// say.
func TestConsoleOfPoweredBoard(t *testing.T) {
	o := sim.Options{Console: true, Flash: filepath.Join(t.TempDir(), "flash")}
	for n, want := range []bool{true, false} {
		d, err := sim.NewDevice(o)
		if err != nil {
			t.Fatal(err)
		}
		s := d.Stream()
		heard := make(chan string, 1)
		go func() {
			text, _ := io.ReadAll(s)
			heard <- string(text)
		}()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if got := <-heard; (got != "") != want {
			t.Errorf("time %d: heard %q, want something: %t", n+1, got, want)
		}
	}
}
