package conn

import (
	"context"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/smp/sim/pty"
	"github.com/smpctl/smpctl/transport"
)

// parsed is the address that a text means.
func parsed(t *testing.T, text string) transport.Address {
	t.Helper()
	address, err := transport.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func TestProbe(t *testing.T) {
	hash, err := smp.ParseHash("218049c771c44a236fb9093b1f24829f12249035713f349daf170ff5047ff5d1")
	if err != nil {
		t.Fatal(err)
	}
	application := probeResult{SMP: true, SMPVersion: "2", Runs: view.RunsApplication, Version: "1.0.0+0", Hash: hash,
		BufferSize: 384, BufferCount: 4}
	withoutParams := application
	withoutParams.BufferSize, withoutParams.BufferCount = 0, 0
	tests := []struct {
		name    string
		device  sim.Options
		flags   app.GlobalFlags
		want    probeResult
		summary string
		kind    string // of the failure
	}{
		{"application", sim.Options{}, app.GlobalFlags{}, application, "application 1.0.0+0 (218049c7), SMP version 2",
			""},
		{"noisy", sim.Options{Noise: true}, app.GlobalFlags{Baud: 9600}, application,
			"application 1.0.0+0 (218049c7), SMP version 2", ""},
		{"no params", sim.Options{NoParams: true}, app.GlobalFlags{}, withoutParams,
			"application 1.0.0+0 (218049c7), SMP version 2", ""},
		{
			"no answer that this framing reads", sim.Options{},
			app.GlobalFlags{Raw: true, Timeout: app.Seconds(20 * time.Millisecond), Tries: 2},
			probeResult{}, "no reply within 20ms (2 tries); nothing was heard", "no-reply",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, address := clitest.ServeDevice(t, tt.device)
			a := &app.App{Flags: tt.flags, Began: true}
			got := probePort(t.Context(), a, dialer(a, parsed(t, address)))
			if s := got.String(); s != tt.summary {
				t.Errorf("String() = %q, want %q", s, tt.summary)
			}
			if kindOf(got) != tt.kind {
				t.Errorf("the kind of failure is %q, want %q", kindOf(got), tt.kind)
			}
			got.Error, got.problem = nil, "" // the texts
			if !reflect.DeepEqual(got, &tt.want) {
				t.Errorf("got %+v, want %+v", *got, tt.want)
			}
		})
	}
}

// TestProbeTellsBootloader: what runs is the same answer as everywhere else.
func TestProbeTellsBootloader(t *testing.T) {
	tests := []struct {
		name    string
		device  sim.Options
		runs    string
		version string
		summary string
	}{
		{"empty flash", sim.Options{Blank: true}, view.RunsBootloader, "", "bootloader, SMP version 2"},
		{"bootloader", sim.Options{Recovery: true}, view.RunsBootloader, "", "bootloader, SMP version 2"},
		{"bootloader that marks the image it would start",
			sim.Options{Recovery: true, SerialRecovery: sim.SerialRecovery{State: true}},
			view.RunsBootloader, "", "bootloader, SMP version 2"},
		{"application that lists little", sim.Options{Frugal: true}, view.RunsApplication, "1.0.0+0",
			"application 1.0.0+0 (218049c7), SMP version 2"},
		{"application that lists nothing", sim.Options{NoGroups: []smp.Group{smp.GroupImage}},
			view.RunsApplication, "", "application, SMP version 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, address := clitest.ServeDevice(t, tt.device)
			a := &app.App{Began: true}
			got := probePort(t.Context(), a, dialer(a, parsed(t, address)))
			if got.Runs != tt.runs || got.Version != tt.version || got.String() != tt.summary {
				t.Errorf("got %+v, %q, want %q of version %q, %q", *got, got.String(), tt.runs, tt.version, tt.summary)
			}
		})
	}
}

// TestProbeNamesWhatRuns: of several images the first that runs.
func TestProbeNamesWhatRuns(t *testing.T) {
	r := probeResult{Runs: view.RunsApplication}
	r.name(smp.ImageList{Images: []smp.ImageState{{Version: "1.0.0"}, {Slot: 1, Version: "2.0.0", Active: true}}})
	if r.Version != "2.0.0+0" {
		t.Errorf("got version %q, want 2.0.0+0", r.Version)
	}
}

// TestProbeIsBounded gives a probe a port that takes everything and never answers, and all the time of the world.
func TestProbeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &app.App{Flags: app.GlobalFlags{Timeout: app.Seconds(time.Hour)}, Began: true}
		link := &silentLink{make(chan struct{})}
		start := time.Now()
		got := probePort(t.Context(), a, func(context.Context) (smp.Link, error) { return link, nil })
		if took := time.Since(start); took != probeTime || got.SMP || kindOf(got) != "no-reply" {
			t.Errorf("got %+v after %v, want the kind no-reply after %v", *got, took, probeTime)
		}
	})
}

// TestProbeIsInterrupted: the user need not wait even that long.
func TestProbeIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &app.App{Began: true}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(failure.ErrInterrupted) })
		link := &silentLink{make(chan struct{})}
		start := time.Now()
		got := probePort(ctx, a, func(context.Context) (smp.Link, error) { return link, nil })
		if took := time.Since(start); took != time.Second || got.SMP || kindOf(got) != "interrupted" {
			t.Errorf("got %+v after %v, want the kind interrupted after a second", *got, took)
		}
	})
}

// kindOf is the kind of the failure of a probe; empty if it had none.
func kindOf(r *probeResult) string {
	if r.Error == nil {
		return ""
	}
	return r.Error.Kind
}

// silentLink is a link to nobody.
type silentLink struct{ closed chan struct{} }

func (l *silentLink) ReadPacket() ([]byte, error) {
	<-l.closed
	return nil, transport.ErrClosed
}

func (l *silentLink) WritePacket([]byte) error { return nil }

func (l *silentLink) Overhead() int { return 4 }

func (l *silentLink) Close() error {
	close(l.closed)
	return nil
}

func TestProbeOfAPortThatDoesNotOpen(t *testing.T) {
	a := &app.App{Began: true}
	got := probePort(t.Context(), a, dialer(a, device.ByName("/dev/nosuch-port")))
	if kindOf(got) != "port" || got.String() != "gone" {
		t.Errorf("missing: got %+v, %s, want the kind port, gone", *got, got)
	}

	master, name, err := pty.Open()
	if err != nil {
		t.Skip(err) // Linux only
	}
	defer master.Close()
	holder, err := transport.Dial(t.Context(), name, transport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	got = probePort(t.Context(), a, dialer(a, device.ByName(name)))
	if kindOf(got) != "port" || got.String() != "busy: this command has it open already" {
		t.Errorf("busy: got %+v, %s, want the kind port, busy: this command has it open already", *got, got)
	}
}

func TestPortTable(t *testing.T) {
	l := portList{probed: true, Ports: []portEntry{
		newPortEntry(transport.Port{Name: "/dev/ttyACM0", USB: true, VID: 0x2fe3, PID: 4, Serial: "AB12",
			Product: "Zephyr board", Interface: 2, Location: "1-1.2"}),
		newPortEntry(transport.Port{Name: "/dev/ttyS0", Interface: transport.AnyInterface}),
	}}
	l.Ports[0].Probe = &probeResult{SMP: true, SMPVersion: "1", Runs: view.RunsBootloader}
	l.Ports[1].Probe = &probeResult{problem: inBrief(os.ErrPermission)}
	const want = `PORT          USB ID     SERIAL  PRODUCT       LOCATION  IF  SMP
/dev/ttyACM0  2fe3:0004  AB12    Zephyr board  1-1.2     2   bootloader, SMP version 1
/dev/ttyS0    -          -       -             -         -   no permission to open it
`
	var got strings.Builder
	if err := l.Text(&got); err != nil || got.String() != want {
		t.Errorf("got %v\n%swant\n%s", err, got.String(), want)
	}
}
