package dfu_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// TestRunDoesNotUploadToTheBootloader: the device restarts in the middle of an upload, and a packet of it falls into
// the wait window.
func TestRunDoesNotUploadToTheBootloader(t *testing.T) {
	for way, link := range ways {
		for _, s := range []sim.SerialRecovery{{}, {State: true, NoParams: true}} {
			for _, n := range []int{8, 30, 60} { // in the middle of the upload
				t.Run(fmt.Sprintf("%s, request %d, flags %v", way, n, s.State), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						d, _ := board(t,
							sim.Options{RecoveryWindow: 10 * time.Second, SerialRecovery: s,
								Faults: sim.Faults{RebootAfter: n}})
						defer d.Close()
						time.Sleep(20 * time.Second) // fake: the window is over
						dial := func(context.Context) (*smp.Client, error) {
							return smp.NewClient(link(d), smp.Options{}), nil
						}
						report, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}},
							dfu.Options{})
						if got := rescueOf(d, report, err); got.Result != dfu.Confirmed || got.Runs != "2.0.0" {
							t.Errorf("%+v, %v", got, err)
						}
						if old := d.Slots()[1]; !old.Valid || old.Version.String() != "1.0.0+0" {
							t.Errorf("the old image was not swapped but overwritten: %+v", old)
						}
					})
				})
			}
		}
	}
}

// TestRunInBootloader: a device that is in its bootloader is started first; an upload alone ends, and does not
// overwrite its application.
func TestRunInBootloader(t *testing.T) {
	for _, s := range []sim.SerialRecovery{{}, {Old: true}, {NoParams: true}, {State: true},
		{State: true, NoParams: true, Echo: true}} {
		synctest.Test(t, func(t *testing.T) {
			d, dial := board(t, sim.Options{Recovery: true, SerialRecovery: s})
			defer d.Close()
			before := d.SlotBytes(0, 0)
			targets := []dfu.Target{{File: load(t, "app-2.0.0.bin")}}
			_, err := dfu.Run(t.Context(), dial, targets, dfu.Options{Mode: dfu.UploadOnly, NoStart: true})
			if !errors.Is(err, smp.ErrInBootloader) {
				t.Errorf("%+v: upload only: %v, want %v", s, err, smp.ErrInBootloader)
			}
			if !bytes.Equal(before, d.SlotBytes(0, 0)) {
				t.Errorf("%+v: the primary slot was changed", s)
			}
			report, err := dfu.Run(t.Context(), dial, targets, dfu.Options{})
			if got := rescueOf(d, report, err); got.Result != dfu.Confirmed || got.Runs != "2.0.0" {
				t.Errorf("%+v: %+v, %v", s, got, err)
			}
		})
	}
}

// TestRunEndsInBootloader: somebody holds the button at every reset.
func TestRunEndsInBootloader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dial := board(t, sim.Options{Mode: sim.DirectXIP, SerialRecovery: sim.SerialRecovery{State: true}})
		defer d.Close()
		first := true
		_, err := dfu.Run(t.Context(), func(ctx context.Context) (*smp.Client, error) {
			if err := d.WaitAlive(ctx); err != nil {
				return nil, err
			}
			if !first && !d.InRecovery() {
				c, _ := dial(ctx)
				if err := c.OS.Reset(ctx, smp.ResetOptions{BootMode: smp.BootBootloader}); err != nil {
					t.Error(err)
				}
				c.Close()
				time.Sleep(5 * time.Second) // fake
			}
			first = false
			return dial(ctx)
		}, []dfu.Target{{File: load(t, "app-2.0.0.bin")}}, dfu.Options{})
		var running *dfu.NotRunningError
		if !errors.As(err, &running) || running.Reason != dfu.InBootloader {
			t.Errorf("Run = %v, want it to end in the bootloader", err)
		}
	})
}

// TestRunThroughTheWaitWindow: the swap is done when the device is first asked, and the window is open. What is sent
// then must not keep the device in its bootloader: an image on trial would not survive the reset that leaves it.
func TestRunThroughTheWaitWindow(t *testing.T) {
	for _, tt := range []struct {
		mode   dfu.Mode
		result dfu.Result
	}{
		{dfu.Permanent, dfu.Confirmed},
		{dfu.ConfirmAfter, dfu.Confirmed},
		{dfu.Test, dfu.RunningUnconfirmed},
	} {
		for way, link := range ways {
			t.Run(fmt.Sprint(tt.mode, ", ", way), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, _ := board(t, sim.Options{RecoveryWindow: 2 * time.Second})
					defer d.Close()
					time.Sleep(20 * time.Second) // fake: the window is over
					dial := func(context.Context) (*smp.Client, error) {
						return smp.NewClient(link(d), smp.Options{}), nil
					}
					report, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}},
						dfu.Options{Mode: tt.mode})
					got := rescueOf(d, report, err)
					if got.Result != tt.result || got.Reason != "" || got.Runs != "2.0.0" {
						t.Errorf("%+v, %v, want %+v", got, err, tt)
					}
				})
			})
		}
	}
}
