package dfu_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// board starts a virtual device whose factory image is app-1.0.0.
func board(t *testing.T, o sim.Options) (*sim.Device, dfu.Dial) {
	t.Helper()
	if o.Factory == nil && !o.Blank && o.Mode != sim.RAMLoad { // for RAM the device's own has a load address
		o.Factory = load(t, "app-1.0.0.bin").Bytes()
	}
	d, err := sim.NewDevice(o)
	if err != nil {
		t.Fatal(err)
	}
	return d, func(context.Context) (*smp.Client, error) {
		return smp.NewClient(transport.NewConn(d.Stream(), transport.Options{}), smp.Options{}), nil
	}
}

func publicKey(t *testing.T) crypto.PublicKey {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "app.pub.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pub, err := key.ParsePublic(b)
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

// outcome is what a whole update came to.
type outcome struct {
	Result dfu.Result
	Steps  []dfu.Action
	Reason dfu.Reason
	Runs   string // version on the device afterwards
	Stays  bool   // confirmed
}

func TestRun(t *testing.T) {
	all := []dfu.Action{dfu.Upload, dfu.MarkTest, dfu.Reset, dfu.Verify, dfu.Confirm}
	for _, tt := range []struct {
		name   string
		device sim.Options
		file   string
		o      dfu.Options
		want   outcome
	}{
		{name: "confirmed after it runs", file: "app-2.0.0.bin",
			want: outcome{Result: dfu.Confirmed, Steps: all, Runs: "2.0.0", Stays: true}},
		{name: "signed by the bootloader's key", file: "app-2.0.0.bin", device: sim.Options{Key: publicKey(t)},
			want: outcome{Result: dfu.Confirmed, Steps: all, Runs: "2.0.0", Stays: true}},
		{name: "signed by another key", file: "app-2.0.0-otherkey.bin", device: sim.Options{Key: publicKey(t)},
			want: outcome{Result: dfu.Reverted, Steps: all[:3], Reason: dfu.Rejected, Runs: "1.0.0", Stays: true}},
		{name: "test mode", file: "app-2.0.0.bin", o: dfu.Options{Mode: dfu.Test},
			want: outcome{Result: dfu.RunningUnconfirmed, Steps: all[:4], Runs: "2.0.0"}},
		{name: "permanent mode", file: "app-2.0.0.bin", o: dfu.Options{Mode: dfu.Permanent},
			want: outcome{Result: dfu.Confirmed,
				Steps: []dfu.Action{dfu.Upload, dfu.MarkPermanent, dfu.Reset, dfu.Verify, dfu.Confirm}, Runs: "2.0.0",
				Stays: true}},
		{name: "upload only", file: "app-2.0.0.bin", o: dfu.Options{Mode: dfu.UploadOnly},
			want: outcome{Result: dfu.Uploaded, Steps: all[:1], Runs: "1.0.0", Stays: true}},
		{name: "runs already", file: "app-1.0.0.bin",
			want: outcome{Result: dfu.AlreadyRunning, Runs: "1.0.0", Stays: true}},
		{name: "overwrite", file: "app-2.0.0.bin", device: sim.Options{Mode: sim.Overwrite},
			want: outcome{Result: dfu.Confirmed, Steps: all[:4], Runs: "2.0.0", Stays: true}},
		{name: "direct XIP", file: "app-2.0.0.bin", device: sim.Options{Mode: sim.DirectXIP},
			want: outcome{Result: dfu.Confirmed, Steps: []dfu.Action{dfu.Upload, dfu.Reset, dfu.Verify}, Runs: "2.0.0",
				Stays: true}},
		{name: "direct XIP, bootloader says nothing of itself", file: "app-2.0.0.bin",
			device: sim.Options{Mode: sim.DirectXIP, NoBootloaderInfo: true},
			want: outcome{Result: dfu.Confirmed, Steps: []dfu.Action{dfu.Upload, dfu.Reset, dfu.Verify, dfu.Confirm},
				Runs: "2.0.0", Stays: true}},
		{name: "RAM load", file: "app-2.0.0.bin", device: sim.Options{Mode: sim.RAMLoad},
			want: outcome{Result: dfu.Confirmed, Steps: []dfu.Action{dfu.Upload, dfu.Reset, dfu.Verify}, Runs: "2.0.0",
				Stays: true}},
		{name: "a bare server", file: "app-2.0.0.bin",
			device: sim.Options{NoParams: true, NoBootloaderInfo: true, NoSlotInfo: true, Frugal: true},
			want:   outcome{Result: dfu.Confirmed, Steps: all, Runs: "2.0.0", Stays: true}},
		{name: "a server from before version 2", file: "app-2.0.0.bin", device: sim.Options{Legacy: true},
			want: outcome{Result: dfu.Confirmed, Steps: all, Runs: "2.0.0", Stays: true}},
		{name: "chatter on the line", file: "app-2.0.0.bin", device: sim.Options{Noise: true},
			want: outcome{Result: dfu.Confirmed, Steps: all, Runs: "2.0.0", Stays: true}},
		{name: "a swap of a minute", file: "app-2.0.0.bin", device: sim.Options{SwapTime: time.Minute},
			want: outcome{Result: dfu.Confirmed, Steps: all, Runs: "2.0.0", Stays: true}},
		{name: "erasing takes half a minute", file: "app-2.0.0.bin", device: sim.Options{EraseTime: 4 * time.Second},
			want: outcome{Result: dfu.Confirmed, Steps: all, Runs: "2.0.0", Stays: true}},
		{name: "check passes", file: "app-2.0.0.bin", o: dfu.Options{Check: func(context.Context) error { return nil }},
			want: outcome{Result: dfu.Confirmed,
				Steps: []dfu.Action{dfu.Upload, dfu.MarkTest, dfu.Reset, dfu.Verify, dfu.Check, dfu.Confirm},
				Runs:  "2.0.0", Stays: true}},
		{name: "check fails", file: "app-2.0.0.bin",
			o:    dfu.Options{Check: func(context.Context) error { return errors.New("LED is dark") }},
			want: outcome{Result: dfu.Reverted, Steps: all[:4], Reason: dfu.CheckFailed, Runs: "1.0.0", Stays: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, dial := board(t, tt.device)
				defer d.Close()
				file := load(t, tt.file)
				if tt.device.Mode == sim.RAMLoad {
					file = build(t, image.FlagRAMLoad)
				}
				report, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: file}}, tt.o)
				if got := summarize(t, dial, report, err); !cmp.Equal(tt.want, got) {
					t.Errorf("(-want +got):\n%serror: %v", cmp.Diff(tt.want, got), err)
				}
			})
		})
	}
}

// TestRunSeveralImages updates the second of two images, and then both in one go.
func TestRunSeveralImages(t *testing.T) {
	for _, tt := range []struct {
		name    string
		targets []dfu.Target
		steps   []dfu.Action
		want    [2]string // versions that run afterwards
	}{
		{"the second alone", []dfu.Target{{Image: 1, File: load(t, "app-2.0.0.bin")}},
			[]dfu.Action{dfu.Upload, dfu.MarkPermanent, dfu.Reset, dfu.Verify, dfu.Confirm},
			[2]string{"1.0.0", "2.0.0"}},
		{"both", []dfu.Target{{Image: 0, File: load(t, "app-3.0.0.bin")}, {Image: 1, File: load(t, "app-2.0.0.bin")}},
			[]dfu.Action{dfu.Upload, dfu.Upload, dfu.MarkTest, dfu.MarkPermanent, dfu.Reset, dfu.Verify, dfu.Confirm,
				dfu.Confirm}, [2]string{"3.0.0", "2.0.0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, dial := board(t, sim.Options{Images: 2, BufSize: 1024})
				defer d.Close()
				report, err := dfu.Run(t.Context(), dial, tt.targets, dfu.Options{})
				if err != nil {
					t.Fatalf("Run: %v after %v", err, report.Steps)
				}
				var steps []dfu.Action
				for _, s := range report.Steps {
					steps = append(steps, s.Action)
				}
				if diff := cmp.Diff(tt.steps, steps); diff != "" {
					t.Errorf("steps (-want +got):\n%s", diff)
				}
				for number, want := range tt.want {
					active, _ := report.After.Active(number)
					if active.Version != want || !active.Confirmed {
						t.Errorf("image %d: %+v, want %s confirmed", number, active, want)
					}
				}
			})
		})
	}
}

// summarize asks the device itself what runs.
func summarize(t *testing.T, dial dfu.Dial, r dfu.Report, err error) outcome {
	t.Helper()
	o := outcome{Result: r.Result}
	for _, s := range r.Steps {
		o.Steps = append(o.Steps, s.Action)
	}
	var running *dfu.NotRunningError
	if errors.As(err, &running) {
		o.Reason = running.Reason
	} else if err != nil {
		t.Errorf("Run: %v", err)
	}
	c, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	list, err := c.Image.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	active, _ := list.Active(0)
	o.Runs, o.Stays = active.Version, active.Confirmed
	return o
}

// TestRunInterrupted stops an update after each of its events and starts it again: it must always end with the new
// image confirmed.
func TestRunInterrupted(t *testing.T) {
	errStop := errors.New("stopped")
	for stop := 1; stop < 200; stop++ {
		ended := false
		t.Run(fmt.Sprint("after event ", stop), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, dial := board(t, sim.Options{})
				defer d.Close()
				ctx, cancel := context.WithCancelCause(t.Context())
				events := 0
				targets := []dfu.Target{{File: load(t, "app-2.0.0.bin")}}
				_, err := dfu.Run(ctx, dial, targets, dfu.Options{OnEvent: func(dfu.Event) {
					if events++; events == stop {
						cancel(errStop)
					}
				}})
				if ended = err == nil; !ended && !errors.Is(err, errStop) {
					t.Fatalf("first run: %v", err)
				}
				time.Sleep(10 * time.Second) // fake: a device that was resetting is back
				report, err := dfu.Run(t.Context(), dial, targets, dfu.Options{})
				if err != nil {
					t.Fatalf("second run: %v", err)
				}
				if report.Result != dfu.Confirmed && report.Result != dfu.AlreadyRunning {
					t.Errorf("second run: %s", report.Result)
				}
				got := summarize(t, dial, dfu.Report{}, nil)
				if want := (outcome{Runs: "2.0.0", Stays: true}); !cmp.Equal(want, got) {
					t.Errorf("device: %s", cmp.Diff(want, got))
				}
			})
		})
		if ended {
			return
		}
	}
	t.Error("the update has more events than the test stops at")
}

func TestRunBounds(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     sim.Options
		limit time.Duration
		want  error
	}{
		{"never comes back", sim.Options{BootTime: time.Hour}, 150 * time.Second, dfu.ErrNotBack},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, dial := board(t, tt.o)
				defer d.Close()
				start := time.Now()
				_, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}}, dfu.Options{})
				if !errors.Is(err, tt.want) {
					t.Errorf("Run = %v, want %v", err, tt.want)
				}
				if took := time.Since(start); took > tt.limit {
					t.Errorf("Run took %v, want at most %v", took, tt.limit)
				}
			})
		})
	}
}

// TestEvents pins the order of events: each step begins, may progress, and ends; nothing follows a failure.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dial := board(t, sim.Options{})
		defer d.Close()
		var got []string
		_, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}},
			dfu.Options{OnEvent: func(e dfu.Event) {
				if e.Phase != dfu.Progress {
					got = append(got, fmt.Sprint(e.Step.Action, " ", e.Phase))
				}
			}})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"upload begin", "upload done", "test begin", "test done", "reset begin", "reset done",
			"verify begin", "verify done", "confirm begin", "confirm done"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}
