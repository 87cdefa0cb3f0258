package dfu

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// The table's words: what a device lists is slots "IMAGE.SLOT IMAGE-NAME FLAGS", where the name is of an image (the
// targets are new, for image 0, and net, for image 1) and the flags are a(ctive), c(onfirmed), p(ending), P (pending
// for good).
const (
	oldRuns   = "0.0 old ac"
	newOnTop  = "0.0 new ac, 0.1 old"
	newTrial  = "0.0 new a, 0.1 old c"
	netOnTop  = "1.0 net c, 1.1 oldnet"
	netNot    = "1.0 oldnet c, 1.1 net"
	netTrial  = "1.0 net, 1.1 oldnet c"
	nothing   = ""
	anySwap   = smp.ModeSwapMove
	noMode    = smp.ModeUnknown
	xip       = smp.ModeDirectXIP
	xipRevert = smp.ModeDirectXIPRevert
	overwrite = smp.ModeOverwrite
)

// TestOutcome is the whole of what a result may be said of. One target: new; two: new and net.
func TestOutcome(t *testing.T) {
	for _, tt := range []struct {
		targets       string
		mode          Mode
		bootloader    smp.SwapMode
		before, after string
		want          string // result, or result and reason
	}{
		// One image, as it should be.
		{"new", ConfirmAfter, anySwap, oldRuns, newOnTop, "confirmed"},
		{"new", Permanent, anySwap, oldRuns, newOnTop, "confirmed"},
		{"new", Test, anySwap, oldRuns, newTrial, "running-unconfirmed"},
		{"new", Test, overwrite, oldRuns, "0.0 new ac", "confirmed"},
		{"new", UploadOnly, anySwap, oldRuns, "0.0 old ac, 0.1 new", "uploaded"},
		{"new", UploadOnly, anySwap, newOnTop, "0.0 new ac, 0.1 new", "uploaded"},
		{"new", ConfirmAfter, anySwap, newOnTop, newOnTop, "already-running"},
		{"new", ConfirmAfter, anySwap, newTrial, newOnTop, "confirmed"},
		{"new", Test, anySwap, newOnTop, newOnTop, "already-running"},

		// One image, not as it should be.
		{"new", ConfirmAfter, anySwap, oldRuns, newTrial, "running-unconfirmed not-confirmed"},
		{"new", Permanent, anySwap, oldRuns, newTrial, "running-unconfirmed not-confirmed"},
		{"new", ConfirmAfter, anySwap, oldRuns, oldRuns, "reverted rejected"},
		{"new", ConfirmAfter, anySwap, oldRuns, "0.0 old ac, 0.1 new", "reverted reverted"},
		{"new", Test, anySwap, oldRuns, "0.0 old ac, 0.1 new p", "reverted reverted"},
		{"new", ConfirmAfter, anySwap, oldRuns, "0.0 new, 0.1 old", "unverified not-shown"},
		{"new", ConfirmAfter, anySwap, oldRuns, nothing, "unverified not-shown"},
		{"new", UploadOnly, anySwap, oldRuns, oldRuns, "unverified not-listed"},
		{"new", UploadOnly, anySwap, newOnTop, newOnTop, "unverified not-listed"},
		{"new", UploadOnly, anySwap, oldRuns, "0.0 old c, 0.1 new", "unverified"}, // which of them runs?
		// it restarted by itself, and runs it
		{"new", UploadOnly, anySwap, oldRuns, "0.0 old, 0.1 new ac", "uploaded"},
		{"net", UploadOnly, anySwap, oldRuns, oldRuns + ", 1.1 net", "uploaded"},
		{"new", ConfirmAfter, anySwap, oldRuns, "0.0 new ac, 0.1 other p", "running-unconfirmed other-selected"},
		{"new", ConfirmAfter, anySwap, newOnTop, "0.0 new ac, 0.1 other P", "running-unconfirmed other-selected"},
		{"new", Test, anySwap, oldRuns, "0.0 new ac, 0.1 other P", "running-unconfirmed"},
		{"new", ConfirmAfter, anySwap, oldRuns, "0.0 new ac, 0.1 old ac", "unverified contradiction"},
		{"new", ConfirmAfter, anySwap, oldRuns, "0.0 new ac, 0.0 old ac", "unverified contradiction"},
		{"new", ConfirmAfter, anySwap, oldRuns, "0.0 new a, 0.1 new c", "confirmed"}, // it would go back to itself
		// whichever boots, it is the new one
		{"new", ConfirmAfter, anySwap, oldRuns, "0.0 new ac, 0.1 new p", "confirmed"},

		// What the bootloader says of itself is believed only as far as the flags do not say otherwise.
		{"new", ConfirmAfter, overwrite, oldRuns, newTrial, "running-unconfirmed not-confirmed"},
		{"new", ConfirmAfter, xipRevert, oldRuns, newTrial, "running-unconfirmed not-confirmed"},
		{"new", ConfirmAfter, xip, oldRuns, "0.0 old, 0.1 new ac", "confirmed"},
		{"new", ConfirmAfter, xip, oldRuns, "0.0 old, 0.1 new a", "running-unconfirmed not-confirmed"},
		{"new", ConfirmAfter, xip, oldRuns, "0.0 newest, 0.1 new a", "running-unconfirmed other-selected"},
		{"new", ConfirmAfter, xip, "0.0 newest, 0.1 new ac", "0.0 newest, 0.1 new ac",
			"running-unconfirmed other-selected"},
		{"new", ConfirmAfter, noMode, oldRuns, newTrial, "running-unconfirmed not-confirmed"},
		{"new no-state-write", ConfirmAfter, noMode, oldRuns, "0.0 old, 0.1 new a", "unverified"},
		{"new no-state-write", ConfirmAfter, noMode, oldRuns, "0.0 newest, 0.1 new ac",
			"running-unconfirmed other-selected"},
		{"new", ConfirmAfter, noMode, oldRuns, "0.0 newest, 0.1 new ac", "unverified"},
		{"new state-write", ConfirmAfter, noMode, oldRuns, "0.0 newest, 0.1 new ac", "confirmed"},
		{"new no-state-write", ConfirmAfter, anySwap, oldRuns, "0.0 new a, 0.1 old",
			"running-unconfirmed not-confirmed"},

		// Two images: the worse one counts.
		{"new net", ConfirmAfter, anySwap, oldRuns + ", 1.0 oldnet c", newOnTop + ", " + netOnTop, "confirmed"},
		{"new net", ConfirmAfter, anySwap, newOnTop + ", " + netOnTop, newOnTop + ", " + netOnTop, "already-running"},
		{"new net", ConfirmAfter, anySwap, newOnTop + ", " + netNot, newOnTop + ", " + netOnTop, "confirmed"},
		{"new net", ConfirmAfter, anySwap, oldRuns + ", 1.0 oldnet c", newOnTop + ", " + netNot, "reverted reverted"},
		{"new net", ConfirmAfter, anySwap, oldRuns + ", 1.0 oldnet c", newOnTop + ", 1.0 oldnet c",
			"reverted rejected"},
		{"new net", ConfirmAfter, anySwap, oldRuns + ", 1.0 oldnet c", newOnTop + ", " + netTrial,
			"running-unconfirmed not-confirmed"},
		{"new net", Test, anySwap, oldRuns + ", 1.0 oldnet c", newTrial + ", " + netOnTop, "running-unconfirmed"},

		// An image of which the device never lists what runs.
		{"new net", ConfirmAfter, anySwap, oldRuns, newOnTop, "unverified"},
		{"new net", Test, anySwap, oldRuns, newTrial, "unverified"},
		{"net", ConfirmAfter, anySwap, oldRuns, oldRuns, "unverified"},
		{"net", ConfirmAfter, anySwap, oldRuns, oldRuns + ", 1.1 net P", "reverted reverted"},
		{"net", ConfirmAfter, anySwap, oldRuns, oldRuns + ", 1.0 net c", "confirmed"}, // it lists it after all
		{"new net", ConfirmAfter, anySwap, oldRuns, newTrial, "running-unconfirmed not-confirmed"},
		{"new net", ConfirmAfter, anySwap, oldRuns, oldRuns, "reverted rejected"},
	} {
		t.Run(fmt.Sprintf("%s/%s/%s/%s -> %s", tt.targets, tt.mode, tt.bootloader, tt.before, tt.after),
			func(t *testing.T) {
				before, after := listing(t, tt.bootloader, tt.before), listing(t, tt.bootloader, tt.after)
				if strings.HasSuffix(tt.targets, "state-write") {
					yes := !strings.HasSuffix(tt.targets, "no-state-write")
					after.StateWrite = &yes
				}
				got, err := outcome(before, after, targetsOf(t, tt.targets), tt.mode)
				text := string(got)
				if not := (*NotRunningError)(nil); errors.As(err, &not) {
					text += " " + string(not.Reason)
				}
				if text != tt.want {
					t.Errorf("outcome = %s (%v), want %s", text, err, tt.want)
				}
			})
	}
}

// TestRecovered is the same for a serial recovery of new into slot 0.0.
func TestRecovered(t *testing.T) {
	for _, tt := range []struct {
		after, want string
	}{
		{"0.0 new ac", "recovered"},
		{"0.0 new a", "running-unconfirmed not-confirmed"},
		{oldRuns, "not-running other-image"},
		{"0.0 new, 0.1 old ac", "not-running other-image"},
		{nothing, "unverified not-shown"},
		{"0.0 new", "unverified not-shown"},
		{"0.0 new ac, 0.1 old ac", "unverified contradiction"},
		{"0.0 new ac, 0.1 other p", "running-unconfirmed other-selected"},
	} {
		got, err := recoveryOutcome(listing(t, anySwap, tt.after), targetsOf(t, "new"), []slot{{0, 0}})
		text := string(got)
		if not := (*NotRunningError)(nil); errors.As(err, &not) {
			text += " " + string(not.Reason)
		}
		if text != tt.want {
			t.Errorf("%s: recovered = %s (%v), want %s", tt.after, text, err, tt.want)
		}
	}
}

// hashOf is the hash by which the tables' devices list an image.
func hashOf(t *testing.T, name string) smp.Hash {
	if file, ok := map[string]string{"new": "app-2.0.0.bin", "net": "app-3.0.0.bin"}[name]; ok {
		return load(t, file).Hash()
	}
	return smp.Hash(fmt.Sprintf("%-32s", name))
}

func load(t *testing.T, name string) *image.Image {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func targetsOf(t *testing.T, names string) (targets []Target) {
	for _, name := range strings.Fields(names) {
		switch name {
		case "new":
			targets = append(targets, Target{File: load(t, "app-2.0.0.bin")})
		case "net":
			targets = append(targets, Target{Image: 1, File: load(t, "app-3.0.0.bin")})
		}
	}
	return targets
}

// listing reads the words of the tables.
func listing(t *testing.T, mode smp.SwapMode, text string) Device {
	t.Helper()
	d := Device{Firmware: smp.Application, Bootloader: smp.BootloaderInfo{Mode: mode}}
	for entry := range strings.SplitSeq(text, ", ") {
		if entry == "" {
			continue
		}
		var s smp.ImageState
		var name, flags string
		if n, _ := fmt.Sscanf(entry, "%d.%d %s %s", &s.Image, &s.Slot, &name, &flags); n < 3 {
			t.Fatalf("%q is no slot", entry)
		}
		s.Hash, s.Version = hashOf(t, name), map[string]string{"new": "2.0.0", "newest": "9.0.0"}[name]
		if s.Version == "" {
			s.Version = "1.0.0"
		}
		s.Bootable = true
		s.Active, s.Confirmed = strings.Contains(flags, "a"), strings.Contains(flags, "c")
		s.Permanent = strings.Contains(flags, "P")
		s.Pending = s.Permanent || strings.Contains(flags, "p")
		d.Images.Images = append(d.Images.Images, s)
	}
	return d
}
