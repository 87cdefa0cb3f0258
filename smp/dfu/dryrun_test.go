package dfu_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// TestDryRunOfHalfATrial plans for a device that runs only the first of two images on trial, and finds what the update
// then does: it used to be refused, where the update itself resets the device and goes on.
func TestDryRunOfHalfATrial(t *testing.T) {
	for _, mode := range []sim.Mode{sim.Swap, sim.SwapOffset, sim.DirectXIPRevert} {
		t.Run(mode.String(), func(t *testing.T) {
			targets := []dfu.Target{{File: load(t, "app-3.0.0.bin")}, {Image: 1, File: load(t, "app-2.0.0.bin")}}
			synctest.Test(t, func(t *testing.T) {
				d, dial := board(t, sim.Options{Mode: mode, Images: 2})
				defer d.Close()
				if _, err := dfu.Run(t.Context(), dial, targets[:1], dfu.Options{Mode: dfu.Test}); err != nil {
					t.Fatal(err)
				}
				c, err := dial(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				plan, err := dfu.DryRun(t.Context(), c, targets, dfu.Options{})
				c.Close()
				if err != nil || len(plan.Warnings) != 1 {
					t.Fatalf("DryRun: %v, warnings %q", err, plan.Warnings)
				}
				boots := d.Stats().Resets
				report, err := dfu.Run(t.Context(), dial, targets, dfu.Options{})
				if err != nil || report.Result != dfu.Confirmed {
					t.Fatalf("Run: %s, %v", report.Result, err)
				}
				want := append([]dfu.Step{{Action: dfu.Reset, Target: -1}}, report.Plan...)
				if diff := cmp.Diff(want, plan.Plan); diff != "" {
					t.Errorf("the plan is not what the update did (-want +got):\n%s", diff)
				}
				if got := d.Stats().Resets - boots; got != 2 {
					t.Errorf("the update reset the device %d times, want 2", got)
				}
			})
		})
	}
}

// TestDryRunChangesNothing of what the device lists, on trial or not.
func TestDryRunChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dial := board(t, sim.Options{Images: 2})
		defer d.Close()
		first := []dfu.Target{{File: load(t, "app-3.0.0.bin")}}
		if _, err := dfu.Run(t.Context(), dial, first, dfu.Options{Mode: dfu.Test}); err != nil {
			t.Fatal(err)
		}
		c, err := dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		before, boots := list(t, c), d.Stats().Resets
		both := append(first, dfu.Target{Image: 1, File: load(t, "app-2.0.0.bin")})
		if _, err := dfu.DryRun(t.Context(), c, both, dfu.Options{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second) // for a reset that should not be
		if diff := cmp.Diff(before, list(t, c)); diff != "" || d.Stats().Resets != boots {
			t.Errorf("resets: %d, list (-before +after):\n%s", d.Stats().Resets-boots, diff)
		}
	})
}

func list(t *testing.T, c *smp.Client) smp.ImageList {
	t.Helper()
	l, err := c.Image.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}
