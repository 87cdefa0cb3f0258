package dfu_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// tamper is a link on which something happens to the first request of a kind.
type tamper struct {
	smp.Link
	hit     func(smp.Header) bool
	request func() (pass bool, err error) // nil: it passes
	reply   func()                        // instead of passing the reply; nil: it passes
	done    *bool                         // over all links
}

func (l *tamper) WritePacket(p []byte) error {
	if h, _, err := smp.ParseHeader(p); err == nil && l.request != nil && l.hit(h) && !*l.done {
		*l.done = true
		if pass, err := l.request(); !pass {
			return err
		}
	}
	return l.Link.WritePacket(p)
}

func (l *tamper) ReadPacket() ([]byte, error) {
	for {
		p, err := l.Link.ReadPacket()
		if err != nil {
			return nil, err
		}
		if h, _, err := smp.ParseHeader(p); err == nil && l.reply != nil && l.hit(h) && !*l.done {
			*l.done = true
			l.reply()
			continue
		}
		return p, nil
	}
}

func isReset(h smp.Header) bool { return h.Group == smp.GroupOS && h.Command == 5 }

func isSlotInfo(h smp.Header) bool { return h.Group == smp.GroupImage && h.Command == 6 }

func isMarkReply(h smp.Header) bool {
	return h.Group == smp.GroupImage && h.Command == 0 && h.Op == smp.WriteResponse
}

// TestRunLosesOne loses the one request or answer that must not simply be sent again.
func TestRunLosesOne(t *testing.T) {
	all := []dfu.Action{dfu.Upload, dfu.MarkTest, dfu.Reset, dfu.Verify, dfu.Confirm}
	for _, tt := range []struct {
		name   string
		device sim.Options
		tamper func(d *sim.Device) tamper
		want   outcome
		resets int
	}{
		{name: "the reset request is lost", resets: 1,
			tamper: func(*sim.Device) tamper {
				return tamper{hit: isReset, request: func() (bool, error) { return false, nil }}
			},
			want: outcome{Result: dfu.Confirmed, Steps: all, Runs: "2.0.0", Stays: true}},
		{name: "the reset request is lost, and the bootloader needs no mark", resets: 1,
			device: sim.Options{Mode: sim.DirectXIP}, tamper: func(*sim.Device) tamper {
				return tamper{hit: isReset, request: func() (bool, error) { return false, nil }}
			},
			want: outcome{Result: dfu.Confirmed, Steps: []dfu.Action{dfu.Upload, dfu.Reset, dfu.Verify}, Runs: "2.0.0",
				Stays: true}},
		{name: "the link ends before the reset request", resets: 1,
			tamper: func(*sim.Device) tamper {
				return tamper{hit: isReset, request: func() (bool, error) { return false, io.ErrClosedPipe }}
			},
			want: outcome{Result: dfu.Confirmed, Steps: all, Runs: "2.0.0", Stays: true}},
		{name: "the link ends before the plan", resets: 1,
			tamper: func(*sim.Device) tamper {
				return tamper{hit: isSlotInfo, request: func() (bool, error) { return false, io.ErrClosedPipe }}
			},
			want: outcome{Result: dfu.Confirmed, Steps: all, Runs: "2.0.0", Stays: true}},
		{name: "the device restarts instead of answering the mark", resets: 1,
			tamper: func(d *sim.Device) tamper { return tamper{hit: isMarkReply, reply: d.Reset} },
			want: outcome{Result: dfu.Confirmed,
				Steps: []dfu.Action{dfu.Upload, dfu.MarkTest, dfu.Verify, dfu.Confirm}, Runs: "2.0.0", Stays: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, plain := board(t, tt.device)
				defer d.Close()
				done := false
				dial := func(context.Context) (*smp.Client, error) {
					l := tt.tamper(d)
					l.Link, l.done = transport.NewConn(d.Stream(), transport.Options{}), &done
					return smp.NewClient(&l, smp.Options{}), nil
				}
				report, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}}, dfu.Options{})
				if got := summarize(t, plain, report, err); !cmp.Equal(tt.want, got) {
					t.Errorf("(-want +got):\n%serror: %v", cmp.Diff(tt.want, got), err)
				}
				if got := d.Stats().Resets; !done || got != tt.resets {
					t.Errorf("struck: %v, resets: %d, want %d", done, got, tt.resets)
				}
			})
		})
	}
}

// TestRunNeverResets loses every reset request.
func TestRunNeverResets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := board(t, sim.Options{})
		defer d.Close()
		done, asked := false, 0
		dial := func(context.Context) (*smp.Client, error) {
			l := tamper{hit: isReset, done: &done, Link: transport.NewConn(d.Stream(), transport.Options{})}
			l.request = func() (bool, error) {
				done = false
				asked++
				return false, nil
			}
			return smp.NewClient(&l, smp.Options{}), nil
		}
		start := time.Now()
		_, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}}, dfu.Options{})
		var still *dfu.NotRunningError
		if !errors.As(err, &still) || still.Reason != dfu.NoReset {
			t.Errorf("Run = %v, want that the device did not reset", err)
		}
		if took := time.Since(start); asked != 3 || took > 125*time.Second {
			t.Errorf("asked %d times in %v, want 3 times and the wait", asked, took)
		}
	})
}

// TestRunOverShortLinks ends the link far more often than a step is taken up without progress.
func TestRunOverShortLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, plain := board(t, sim.Options{})
		defer d.Close()
		links := 0
		dial := func(context.Context) (*smp.Client, error) {
			links++
			stream := sim.Wire{HangUpAfter: 2500}.Wrap(d.Stream())
			return smp.NewClient(transport.NewConn(stream, transport.Options{}), smp.Options{}), nil
		}
		report, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}},
			dfu.Options{Mode: dfu.UploadOnly})
		want := outcome{Result: dfu.Uploaded, Steps: []dfu.Action{dfu.Upload}, Runs: "1.0.0", Stays: true}
		if got := summarize(t, plain, report, err); !cmp.Equal(want, got) {
			t.Errorf("(-want +got):\n%serror: %v", cmp.Diff(want, got), err)
		}
		if links < 12 {
			t.Errorf("%d links, want more than a step may take without progress", links)
		}
	})
}
