package dfu_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// TestReboot resets devices by hand, as somebody does after an image test or image confirm with a hash.
func TestReboot(t *testing.T) {
	back := rescue{Steps: []dfu.Action{dfu.Reset}, Runs: "1.0.0"}
	booted := []dfu.Action{dfu.Reset, dfu.Verify}
	for _, tt := range []struct {
		name   string
		device sim.Options
		file   string // that is uploaded and marked before
		good   bool   // marked for good
		want   rescue
	}{
		{"nothing is selected", sim.Options{}, "", false, back},
		{"nothing is selected, and the wait window is open for 3 seconds", sim.Options{RecoveryWindow: 3 * time.Second},
			"", false, back},
		{"no image group", sim.Options{NoGroups: []smp.Group{smp.GroupImage}}, "", false, back},
		{"in its bootloader", sim.Options{Recovery: true}, "", false, rescue{Runs: "1.0.0"}},
		{"an empty device in its bootloader", sim.Options{Blank: true}, "", false, rescue{Error: inBootloader}},
		{"an image is selected once", sim.Options{}, "app-2.0.0.bin", false,
			rescue{Result: dfu.RunningUnconfirmed, Steps: booted, Runs: "2.0.0"}},
		{"an image is selected for good", sim.Options{}, "app-2.0.0.bin", true,
			rescue{Result: dfu.Confirmed, Steps: booted, Runs: "2.0.0"}},
		{"after image test the board hangs in its wait window", sim.Options{RecoveryWindow: 3 * time.Second},
			"app-2.0.0.bin", false, rescue{Result: dfu.RunningUnconfirmed, Steps: booted, Runs: "2.0.0"}},
		{"after image test it swaps for 20 seconds before its wait window",
			sim.Options{RecoveryWindow: time.Second, SwapTime: 20 * time.Second},
			"app-2.0.0.bin", false, rescue{Result: dfu.RunningUnconfirmed, Steps: booted, Runs: "2.0.0"}},
		{"the image is signed with another key", sim.Options{Key: publicKey(t)}, "app-2.0.0-otherkey.bin", false,
			rescue{Result: dfu.Reverted, Steps: booted[:1], Reason: dfu.Rejected, Runs: "1.0.0"}},
	} {
		for way, link := range ways {
			t.Run(tt.name+", "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, _ := board(t, tt.device)
					defer d.Close()
					time.Sleep(20 * time.Second) // fake: the window is over
					dial := func(context.Context) (*smp.Client, error) {
						return smp.NewClient(link(d), smp.Options{}), nil
					}
					if tt.file != "" {
						selectByHand(t, dial, tt.file, tt.good)
					}
					report, err := dfu.Reboot(t.Context(), dial, dfu.RebootOptions{})
					if got := rescueOf(d, report, err); !cmp.Equal(tt.want, got) {
						t.Errorf("(-want +got):\n%serror: %v", cmp.Diff(tt.want, got), err)
					}
				})
			})
		}
	}
}

const inBootloader = "the device answers from its bootloader (MCUboot serial recovery) after every reset; " +
	"it was told to leave it once more, and not asked again"

// selectByHand uploads an image and marks it.
func selectByHand(t *testing.T, dial dfu.Dial, file string, good bool) {
	t.Helper()
	c, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	img := load(t, file)
	_, err = c.Image.Upload(t.Context(), img.Bytes(), smp.ImageUpload{Hash: img.Hash()})
	mark := c.Image.Test
	if good {
		mark = c.Image.Confirm
	}
	_, marked := mark(t.Context(), img.Hash())
	if err := errors.Join(err, marked); err != nil {
		t.Fatal(err)
	}
}
