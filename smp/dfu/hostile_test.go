package dfu_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
)

var (
	hostileSeeds = flag.Int("hostile.seeds", 800, "hostile devices to update")
	hostileFrom  = flag.Int("hostile.from", 0, "the first seed of them")
)

// oddity is what is odd about a device, and what is asked of it.
type oddity struct {
	bootloader string // what it does
	claims     string // what it says that it does
	mark       string
	confirm    string
	list       string
	reset      string
	before     string
	usb        bool // the link ends at a reset
	mode       dfu.Mode
	check      bool
}

var oddities = struct{ bootloader, claims, mark, confirm, list, reset, before []string }{
	bootloader: []string{"swaps", "swaps", "overwrites", "newest", "rejects"},
	claims: []string{"truth", "truth", "nothing", "swap", "overwrite", "direct-xip", "ram-load", "revert",
		"nonsense"},
	mark:    []string{"done", "done", "nothing", "unsupported", "refused", "refused-and-done", "late", "once"},
	confirm: []string{"done", "done", "nothing", "unsupported", "refused", "claimed", "bootloader", "resets"},
	list: []string{"honest", "honest", "honest", "frugal", "twice", "inactive", "no-hashes", "no-hash-running",
		"one-slot", "numbered", "doubled", "flickers", "late"},
	reset: []string{"done", "done", "done", "ignores", "unanswered", "bootloader", "bootloader-for-good"},
	before: []string{"old", "old", "old", "uploaded", "trial", "runs", "runs-other-once", "runs-other-for-good",
		"other-once", "other-for-good"},
}

func drawOddity(seed int) oddity {
	rng := rand.New(rand.NewPCG(uint64(seed), 0x0dd))
	o := &oddities
	return oddity{
		pick(rng, o.bootloader), pick(rng, o.claims), pick(rng, o.mark), pick(rng, o.confirm), pick(rng, o.list),
		pick(rng, o.reset),
		pick(rng, o.before), rng.IntN(2) == 0, pick(rng, modes), rng.IntN(4) == 0,
	}
}

// says is the mode that the device tells.
func (o oddity) says() string {
	if o.claims != "truth" {
		return o.claims
	}
	return map[string]string{"overwrites": "overwrite", "newest": "direct-xip"}[o.bootloader]
}

// sound reports whether the oddity is none that an update could not live with.
func (o oddity) sound() bool {
	return o.bootloader != "rejects" && (o.claims == "truth" || o.claims == "nothing") && o.mark == "done" &&
		o.confirm == "done" &&
		(o.list == "honest" || o.list == "frugal") && (o.reset == "done" || o.reset == "unanswered") &&
		(o.before == "old" || o.before == "uploaded")
}

// unknowable reports whether the device hides what decides.
func (o oddity) unknowable() bool {
	return (o.list == "one-slot" || o.list == "doubled") &&
		(o.before == "runs-other-once" || o.before == "runs-other-for-good")
}

func (o oddity) String() string {
	return fmt.Sprintf("bootloader=%s claims=%s mark=%s confirm=%s list=%s reset=%s before=%s usb=%v mode=%s check=%v",
		o.bootloader, o.claims, o.mark, o.confirm, o.list, o.reset, o.before, o.usb, o.mode, o.check)
}

// newStranger makes a device of an oddity; file is the image that the update brings.
func newStranger(o oddity, file *image.Image) *stranger {
	old, other := imageOf(stamp{major: 1, key: "none"}), imageOf(stamp{major: 3, key: "none"})
	d := &stranger{odd: o, state: inApp, slots: [2]*image.Image{old, nil}}
	switch o.before {
	case "uploaded":
		d.slots[1] = file
	case "trial":
		d.slots, d.trial = [2]*image.Image{file, old}, o.bootloader == "swaps" || o.bootloader == "rejects"
	case "runs":
		d.slots = [2]*image.Image{file, old}
	case "runs-other-once", "runs-other-for-good":
		d.slots, d.selected, d.forGood = [2]*image.Image{file, other}, true, o.before == "runs-other-for-good"
	case "other-once", "other-for-good":
		d.slots, d.selected, d.forGood = [2]*image.Image{old, other}, true, o.before == "other-for-good"
	}
	return d
}

func (d *stranger) dial(context.Context) (*smp.Client, error) {
	d.mu.Lock()
	gone := d.odd.usb && d.state == dark
	d.mu.Unlock()
	if gone {
		return nil, fmt.Errorf("open: %w", fs.ErrNotExist)
	}
	return smp.NewClient(d.open(), smp.Options{}), nil
}

// face updates a device of an oddity and says what is wrong with what the update says.
func (o oddity) face(t *testing.T) (wrong string, report dfu.Report, err error) {
	file := imageOf(stamp{major: 2, key: "none"})
	d := newStranger(o, file)
	options := dfu.Options{Mode: o.mode}
	if o.check {
		options.Check = func(context.Context) error { return nil }
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), crossedHang, errHangs)
	defer cancel()
	start := time.Now()
	report, err = dfu.Run(ctx, d.dial, []dfu.Target{{File: file}}, options)
	took := time.Since(start)
	d.settle()
	runs, holds := d.runs(file), d.holds(file)
	d.mu.Lock()
	d.stuck = 0
	d.restart()
	d.mu.Unlock()
	time.Sleep(5 * time.Second)
	return o.judge(report, err, runs, d.runs(file), holds, took), report, err
}

// judge holds the words against the device.
func (o oddity) judge(report dfu.Report, err error, runs, stays, holds bool, took time.Duration) string {
	switch {
	case took > crossedBound || errors.Is(err, errHangs):
		return fmt.Sprintf("it took %v: %v", took, err)
	case err != nil && o.sound():
		return fmt.Sprintf("a sound device, and an error: %v", err)
	case err != nil && report.Result == "":
		return ""
	}
	right := false
	switch report.Result {
	case dfu.Confirmed, dfu.AlreadyRunning:
		right = runs && stays || o.unknowable()
	case dfu.RunningUnconfirmed:
		right = runs && (!stays || !o.sound())
	case dfu.Uploaded:
		right = holds
	case dfu.Unverified:
		right = !o.sound()
	case dfu.Reverted, dfu.NotRunning:
		right = err != nil && (!runs || o.list == "late") // which shows what was, for a while
	}
	if right {
		return ""
	}
	return fmt.Sprintf("said %s (%v), but it runs %v, stays %v, is uploaded %v", report.Result, err, runs, stays, holds)
}

// TestHostile updates devices whose answers contradict themselves, each other, or what the device does. Whatever they
// say, success is only what runs and stays.
func TestHostile(t *testing.T) {
	if *hostileSeeds == 0 {
		t.Skip("-hostile.seeds is 0")
	}
	results := map[string]int{}
	for seed := *hostileFrom; seed < *hostileFrom+*hostileSeeds; seed++ {
		o := drawOddity(seed)
		wrong := ""
		synctest.Test(t, func(t *testing.T) {
			var report dfu.Report
			var err error
			wrong, report, err = o.face(t)
			results[fmt.Sprintf("%s, error %v", report.Result, err != nil)]++
		})
		if wrong != "" {
			t.Errorf("-hostile.from %d -hostile.seeds 1: %s\n\t%v", seed, wrong, o)
		}
	}
	t.Log(results)
}

// TestHostileCases are strangers that once got a wrong success, named after what they do.
func TestHostileCases(t *testing.T) {
	usual := oddity{bootloader: "swaps", claims: "truth", mark: "done", confirm: "done", list: "honest", reset: "done",
		before: "old"}
	for _, tt := range []struct {
		name   string
		change func(*oddity)
	}{
		{"nothing is odd", func(*oddity) {}},
		{"swaps, and has no confirm", func(o *oddity) { o.confirm = "unsupported" }},
		{"swaps, and its bootloader answers the confirm", func(o *oddity) { o.confirm = "bootloader" }},
		{"says that it overwrites, and runs the image on trial", func(o *oddity) { o.claims = "overwrite" }},
		{"says that it overwrites, and ran the image on trial already",
			func(o *oddity) { o.claims, o.before = "overwrite", "trial" }},
		{"says that it starts the newest, and runs the image on trial",
			func(o *oddity) { o.claims, o.before = "direct-xip", "trial" }},
		{"lists the old image as running too", func(o *oddity) { o.list, o.claims = "twice", "overwrite" }},
		{"runs the image, with another selected for the next boot", func(o *oddity) { o.before = "runs-other-once" }},
		{"runs the image, with another selected for good", func(o *oddity) { o.before = "runs-other-for-good" }},
		{"runs the image on trial, and lists no other slot",
			func(o *oddity) { o.before, o.list, o.mode = "trial", "one-slot", dfu.Test }},
		{"confirms in its answer only", func(o *oddity) { o.confirm = "claimed" }},
		{"resets at the confirm", func(o *oddity) { o.confirm = "resets" }},
		{"marks in its answer only", func(o *oddity) { o.mark = "nothing" }},
		{"runs the image, and does not say so", func(o *oddity) { o.list = "inactive" }},
		{"runs the image, and lists what runs without a hash", func(o *oddity) { o.list = "no-hash-running" }},
		{"has it uploaded, and does not say what runs",
			func(o *oddity) { o.before, o.list, o.mode = "runs", "inactive", dfu.UploadOnly }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, wrong := usual, ""
			tt.change(&o)
			synctest.Test(t, func(t *testing.T) { wrong, _, _ = o.face(t) })
			if wrong != "" {
				t.Errorf("%s\n\t%v", wrong, o)
			}
		})
	}
}
