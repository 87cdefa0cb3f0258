package main

import (
	"context"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

func TestProbe(t *testing.T) {
	hash, err := smp.ParseHash("218049c771c44a236fb9093b1f24829f12249035713f349daf170ff5047ff5d1")
	if err != nil {
		t.Fatal(err)
	}
	application := probeResult{SMP: true, SMPVersion: "2", Runs: runsApplication, Version: "1.0.0+0", Hash: hash, BufferSize: 384, BufferCount: 4}
	withoutParams := application
	withoutParams.BufferSize, withoutParams.BufferCount = 0, 0
	tests := []struct {
		name    string
		device  sim.Options
		flags   globalFlags
		want    probeResult
		summary string
	}{
		{"application", sim.Options{}, globalFlags{}, application, "application 1.0.0+0 (218049c7), SMP version 2"},
		{"noisy", sim.Options{Noise: true}, globalFlags{baud: 9600}, application, "application 1.0.0+0 (218049c7), SMP version 2"},
		{"no params", sim.Options{NoParams: true}, globalFlags{}, withoutParams, "application 1.0.0+0 (218049c7), SMP version 2"},
		{
			"no answer that this framing reads", sim.Options{}, globalFlags{raw: true, timeout: seconds(20 * time.Millisecond), tries: 2},
			probeResult{Kind: "no-reply", Problem: "no reply within 20ms (2 tries)"}, "no reply within 20ms (2 tries)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, address := serveDevice(t, tt.device)
			a := &app{flags: tt.flags, began: true}
			got := a.probe(t.Context(), address)
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("probe (-want +got):\n%s", diff)
			}
			if s := got.String(); s != tt.summary {
				t.Errorf("String() = %q, want %q", s, tt.summary)
			}
		})
	}
}

// TestProbeTellsBootloader: MCUboot's serial recovery lists images, but none as running.
func TestProbeTellsBootloader(t *testing.T) {
	tests := []struct {
		name string
		list smp.ImageList
		want probeResult
	}{
		{"empty flash", smp.ImageList{}, probeResult{SMP: true, SMPVersion: "2", Runs: runsBootloader}},
		{"an image that does not run", smp.ImageList{Images: []smp.ImageState{{Version: "1.0.0"}}}, probeResult{SMP: true, SMPVersion: "2", Runs: runsBootloader}},
		{"the second image runs", smp.ImageList{Images: []smp.ImageState{{Version: "1.0.0"}, {Slot: 1, Version: "2.0.0", Active: true}}},
			probeResult{SMP: true, SMPVersion: "2", Runs: runsApplication, Version: "2.0.0+0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := probeResult{SMP: true, SMPVersion: "2", Runs: runsUnknown}
			r.look(tt.list)
			if diff := cmp.Diff(tt.want, r); diff != "" {
				t.Errorf("look (-want +got):\n%s", diff)
			}
		})
	}
}

// TestProbeIsBounded gives a probe a port that takes everything and never answers.
func TestProbeIsBounded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go io.Copy(io.Discard, conn)
		}
	}()
	a := &app{flags: globalFlags{timeout: seconds(time.Hour)}, began: true}
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(errInterrupted) })
	start := time.Now()
	if got := a.probe(ctx, "tcp:"+l.Addr().String()); got.SMP || got.Kind != "interrupted" {
		t.Errorf("interrupted: got %+v, want the kind interrupted", got)
	}
	if took := time.Since(start); took > probeTime {
		t.Errorf("took %v", took)
	}
}

func TestProbeOfAPortThatDoesNotOpen(t *testing.T) {
	a := &app{began: true}
	got := a.probe(t.Context(), "/dev/nosuch-port")
	if diff := cmp.Diff(&probeResult{Kind: "port", Problem: "gone"}, got); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}

	master, name, err := transport.OpenPTY()
	if err != nil {
		t.Skip(err) // Linux only
	}
	defer master.Close()
	holder, _, err := transport.Open(t.Context(), name, transport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	got = a.probe(t.Context(), name)
	if diff := cmp.Diff(&probeResult{Kind: "port", Problem: "busy: another program has it open"}, got); diff != "" {
		t.Errorf("busy (-want +got):\n%s", diff)
	}
}

func TestPortTable(t *testing.T) {
	l := portList{probed: true, Ports: []portEntry{
		{transport.Port{Name: "/dev/ttyACM0", USB: true, VID: 0x2fe3, PID: 4, Serial: "AB12", Product: "Zephyr board", Interface: 2, Location: "1-1.2"},
			&probeResult{SMP: true, SMPVersion: "1", Runs: runsBootloader}},
		{transport.Port{Name: "/dev/ttyS0", Interface: transport.AnyInterface}, &probeResult{Problem: inBrief(os.ErrPermission)}},
	}}
	const want = `PORT          USB ID     SERIAL  PRODUCT       LOCATION  IF  SMP
/dev/ttyACM0  2fe3:0004  AB12    Zephyr board  1-1.2     2   bootloader, SMP version 1
/dev/ttyS0    -          -       -             -         -   no permission to open it
`
	var got stopWriter
	got.stop = func() {}
	if err := l.Text(&got); err != nil || got.String() != want {
		t.Errorf("got %v\n%swant\n%s", err, got.String(), want)
	}
}
