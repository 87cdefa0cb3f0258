package dfu_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// plain is the combination that the cases below differ from.
func plain(change func(*crossing)) crossing {
	c := crossing{
		boot: sim.Swap, link: "uart", swap: time.Second, start: 500 * time.Millisecond, key: "right", images: "one",
		mode: dfu.ConfirmAfter, check: "none", before: "nothing", server: "normal", fault: "none", nth: 1,
	}
	change(&c)
	return c
}

// TestCrossedCases are combinations of which most once ended in a wrong word or in an error that need not have been,
// named after what the user saw.
func TestCrossedCases(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    crossing
	}{
		{"caught in the wait window, the trial is undone", plain(func(c *crossing) { c.window = 3 * time.Second })},
		{"caught in a short wait window", plain(func(c *crossing) { c.window = 300 * time.Millisecond })},
		{"caught in the wait window over USB", plain(func(c *crossing) { c.link, c.window = "usb", 3*time.Second })},
		{"left in the bootloader after a slow swap",
			plain(func(c *crossing) { c.window, c.swap = 300*time.Millisecond, 20*time.Second })},
		{"what was sent during the swap is read in the wait window", plain(func(c *crossing) {
			c.link, c.window, c.swap = "uart-buffers", 300*time.Millisecond, 20*time.Second
		})},
		{"a wait window of 25 seconds", plain(func(c *crossing) { c.window, c.swap = 25*time.Second, 20*time.Second })},
		{"caught after a permanent mark", plain(func(c *crossing) { c.mode, c.window = dfu.Permanent, 3*time.Second })},
		{"caught where the highest version starts",
			plain(func(c *crossing) { c.boot, c.window = sim.DirectXIP, 3*time.Second })},
		{"back with its console first, and caught in a wait window", plain(func(c *crossing) {
			c.link, c.window = "usb-console-first", 300*time.Millisecond
		})},
		{"caught with two images", plain(func(c *crossing) { c.images, c.window = "package", 3*time.Second })},
		{"a network core's image with the wrong key is confirmed",
			plain(func(c *crossing) { c.images, c.key = "network-core-alone", "wrong" })},
		{"a network core's image is confirmed unseen", plain(func(c *crossing) { c.images = "network-core" })},
		{"the check resets the device, in mode test",
			plain(func(c *crossing) { c.mode, c.check = dfu.Test, "resets-late" })},
		{"the check resets the device, and the old image is confirmed",
			plain(func(c *crossing) { c.check = "resets-late" })},
		{"the check leaves the device in its bootloader", plain(func(c *crossing) { c.check = "enters-bootloader" })},
		{"the check marks another image", plain(func(c *crossing) { c.boot, c.check = sim.Overwrite, "marks-other" })},
		{"a test mark passes for a permanent one",
			plain(func(c *crossing) { c.images, c.before = "second", "marked-test" })},
		{"already running, and another image is selected once",
			plain(func(c *crossing) { c.before = "runs-other-once" })},
		{"already running, and another image is selected for good",
			plain(func(c *crossing) { c.before = "runs-other-for-good" })},
		{"found in its bootloader", plain(func(c *crossing) { c.before = "in-bootloader" })},
		{"found in the wait window after power-up",
			plain(func(c *crossing) { c.before, c.window = "just-powered", 3*time.Second })},
		{"interrupted at the reset, and silent for longer than all tries", plain(func(c *crossing) {
			c.before, c.swap, c.starts = "just-reset", 20*time.Second, true
		})},
		{"interrupted at the reset, and the trial undone by the questions of the next try", plain(func(c *crossing) {
			c.before, c.swap, c.starts, c.window = "just-reset", 20*time.Second, true, 3*time.Second
		})},
		{"restarts into the wait window during the upload", plain(func(c *crossing) {
			c.fault, c.window, c.nth = "dies-upload", 3*time.Second, 2
		})},
		{"said uploaded, from the bootloader's list, of a slot with another image", plain(func(c *crossing) {
			c.boot, c.mode, c.window, c.before, c.force, c.server = sim.Overwrite, dfu.UploadOnly, 3*time.Second,
				"part", true, "legacy"
			c.start, c.fault, c.after = 4*time.Second, "dies-upload", true
		})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				verdicts, e := tt.c.cross(t)
				t.Logf("%s, %v", e.report.Result, e.err)
				for _, v := range verdicts {
					t.Errorf("%s: %s\n\t%v", v.class, v.text, tt.c)
				}
			})
		})
	}
}
