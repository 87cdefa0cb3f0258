package dfu_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

var askEvery = flag.Int("ask.every", 97, "of the requests to all kinds of devices take one of so many")

// askedDevice is one virtual device on which everything is asked.
type askedDevice struct {
	name       string
	o          sim.Options
	bootloader bool // serial recovery is asked
}

func askedDevices() (all []askedDevice) {
	for _, mode := range []sim.Mode{sim.Swap, sim.Overwrite, sim.DirectXIP, sim.DirectXIPRevert, sim.RAMLoad,
		sim.SwapOffset} {
		for _, images := range []int{1, 2} {
			for _, kind := range []struct {
				name string
				set  func(*sim.Options)
			}{
				{"plain", func(*sim.Options) {}},
				{"frugal", func(o *sim.Options) { o.Frugal = true }},
				{"legacy", func(o *sim.Options) { o.Legacy = true }},
				{"network core", func(o *sim.Options) { o.NetworkCore = true }},
				{"direct upload", func(o *sim.Options) { o.DirectUpload = true }},
				{"no information",
					func(o *sim.Options) { o.NoBootloaderInfo, o.NoSlotInfo, o.NoParams = true, true, true }},
				{"recovery", func(*sim.Options) {}},
				{"recovery with flags", func(o *sim.Options) { o.SerialRecovery.State = true }},
				{"recovery with flags, without hashes",
					func(o *sim.Options) { o.SerialRecovery.State, o.SerialRecovery.NoHash = true, true }},
				{"recovery, old", func(o *sim.Options) { o.SerialRecovery.Old = true }},
			} {
				o := sim.Options{Mode: mode, Images: images, BufSize: 1024}
				kind.set(&o)
				name := fmt.Sprintf("%s, %d images, %s", mode, images, kind.name)
				all = append(all, askedDevice{name, o, strings.HasPrefix(kind.name, "recovery")})
			}
		}
	}
	return all
}

// TestAskCrossed asks each kind of virtual device for everything, from every state that a few requests and resets lead
// to, and judges the word by what the flash holds and what runs after the next resets.
func TestAskCrossed(t *testing.T) {
	requests := []struct {
		name string
		do   func(map[string]smp.Hash) dfu.Request
	}{
		{"test old", mark(dfu.MarkTest, "1")}, {"test new", mark(dfu.MarkTest, "2")},
		{"test second", mark(dfu.MarkTest, "3")},
		{"confirm old", mark(dfu.MarkPermanent, "1")}, {"confirm new", mark(dfu.MarkPermanent, "2")},
		{"confirm second", mark(dfu.MarkPermanent, "3")},
		{"confirm", func(map[string]smp.Hash) dfu.Request { return confirmItself }},
		{"erase", func(map[string]smp.Hash) dfu.Request { return eraseFree }},
		{"erase 3", func(map[string]smp.Hash) dfu.Request { return erase3 }},
	}
	histories := [][]string{{}, {"new"}, {"new", "test new"}, {"new", "confirm new"}, {"new", "test new", "reset"},
		{"new", "test new", "reset", "reset"},
		{"new", "test new", "reset", "confirm"}, {"new", "confirm new", "reset"}, {"old"}, {"second"},
		{"second", "confirm second"},
		{"second", "confirm second", "reset"},
		{"new", "reset"}, {"new", "second", "test new", "confirm second"}}
	cases, asked, done := 0, 0, 0
	for _, c := range askedDevices() {
		for _, history := range histories {
			for _, r := range requests {
				if cases++; cases%*askEvery != 0 {
					continue
				}
				name := fmt.Sprintf("%s: %v, %s", c.name, history, r.name)
				var err error
				var problem string
				synctest.Test(t, func(t *testing.T) { problem, err = c.ask(t, history, r.do) })
				asked++
				if err == nil {
					done++
				}
				if problem != "" {
					t.Errorf("%s: %v, but %s", name, err, problem)
				}
			}
		}
	}
	t.Logf("%d of %d requests, %d done", asked, cases, done)
	if done < asked/10 {
		t.Error("hardly anything was done")
	}
}

// goByMarks are the modes in which a mark means what serial recovery takes it for.
var goByMarks = []sim.Mode{sim.Swap, sim.SwapOffset, sim.Overwrite}

// ask brings a device to where the history leads, asks, and says what is wrong with the answer.
func (c askedDevice) ask(t *testing.T, history []string, do func(map[string]smp.Hash) dfu.Request) (problem string,
	err error) {
	b := newAskBench(t, c.o)
	defer b.close()
	for _, step := range history {
		b.step(t, step)
	}
	if c.bootloader {
		b.enter(t)
	}
	q := do(b.hashes)
	before := b.device.Slots()
	answer, err := q.Do(t.Context(), b.client)
	var undone *dfu.UndoneError
	switch {
	case strings.Contains(answer.Note, "only a reset shows") && !slices.Contains(goByMarks, c.o.Mode):
		return "", nil // more cannot be known there
	case errors.As(err, &undone) && c.o.SerialRecovery.Old && c.bootloader:
		return "", err // lists no flags, so that it shows nothing
	}
	return b.judge(t, q, before, err), err
}

func mark(a dfu.Action, version string) func(map[string]smp.Hash) dfu.Request {
	return func(hashes map[string]smp.Hash) dfu.Request { return dfu.Request{Action: a, Hash: hashes[version]} }
}

// askBench is a virtual device and a client.
type askBench struct {
	device *sim.Device
	client *smp.Client
	images int
	hashes map[string]smp.Hash // by version: 1 is the factory image, 2 is for image 0, 3 for image 1
}

func newAskBench(t *testing.T, o sim.Options) *askBench {
	t.Helper()
	d, _ := board(t, o)
	hashes := map[string]smp.Hash{}
	for _, v := range []string{"1", "2", "3"} {
		hashes[v] = load(t, "app-"+v+".0.0.bin").Hash()
	}
	return &askBench{d, smp.NewClient(d.Link(), smp.Options{}), max(o.Images, 1), hashes}
}

func (b *askBench) close() {
	b.client.Close()
	b.device.Close()
}

// step brings the device further, if it lets itself be.
func (b *askBench) step(t *testing.T, step string) {
	upload := func(file string, number int) {
		if number >= b.images {
			return
		}
		dial := func(context.Context) (*smp.Client, error) { return b.client, nil }
		_, _ = dfu.Run(t.Context(), dial, []dfu.Target{{Image: number, File: load(t, file)}},
			dfu.Options{Mode: dfu.UploadOnly})
		b.client = b.again(t)
	}
	switch step {
	case "new":
		upload("app-2.0.0.bin", 0)
	case "old":
		upload("app-1.0.0.bin", 0)
	case "second":
		upload("app-3.0.0.bin", 1)
	case "new to the second":
		upload("app-2.0.0.bin", 1)
	case "test new":
		_, _ = b.client.Image.Test(t.Context(), b.hashes["2"])
	case "confirm new":
		_, _ = b.client.Image.Confirm(t.Context(), b.hashes["2"])
	case "confirm second":
		_, _ = b.client.Image.Confirm(t.Context(), b.hashes["3"])
	case "confirm":
		_, _ = b.client.Image.Confirm(t.Context(), nil)
	case "reset":
		b.reset(t)
	default:
		t.Fatal(step)
	}
}

// again is a client of the same device.
func (b *askBench) again(t *testing.T) *smp.Client {
	t.Helper()
	b.client.Close()
	return smp.NewClient(b.device.Link(), smp.Options{})
}

func (b *askBench) reset(t *testing.T) {
	t.Helper()
	if err := b.client.OS.Reset(t.Context(), smp.ResetOptions{}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Second) // of the bubble
}

// enter brings the device into its bootloader.
func (b *askBench) enter(t *testing.T) {
	t.Helper()
	if err := b.client.OS.Reset(t.Context(), smp.ResetOptions{BootMode: smp.BootBootloader}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Second) // of the bubble
	b.client = b.again(t)        // it may speak another version
}

// runs reports whether the image with this hash runs, whatever number it has.
func (b *askBench) runs(h smp.Hash) bool {
	return slices.ContainsFunc(b.device.Slots(),
		func(s sim.SlotState) bool { return s.Active && bytes.Equal(s.Hash, h) })
}

// judge compares what came of a request with the device: with what runs after one more reset and after two, and what
// the flash holds. It is empty if they agree.
func (b *askBench) judge(t *testing.T, q dfu.Request, before []sim.SlotState, err error) string {
	var undone *dfu.UndoneError
	if q.Action == dfu.Erase {
		return b.judgeErase(q, before, err == nil)
	}
	h := q.Hash
	if q.Action == dfu.Confirm {
		h = before[0].Hash
		if before[1].Active {
			h = before[1].Hash
		}
	}
	now := !b.device.InRecovery() && b.runs(h)
	b.reset(t)
	once := b.runs(h)
	b.reset(t)
	stays := once && b.runs(h)
	switch {
	case errors.As(err, &undone) &&
		(q.Action == dfu.MarkTest && !now && once && !stays || q.Action != dfu.MarkTest && stays):
		return "the device did what it was asked"
	case err != nil: // the device's own word
	case !once:
		return "it does not run after the next reset"
	case q.Action != dfu.MarkTest && !stays:
		return "it does not stay"
	case q.Action == dfu.MarkTest && now:
		return "it ran already"
	}
	return ""
}

func (b *askBench) judgeErase(q dfu.Request, before []sim.SlotState, done bool) string {
	slot := q.Slot
	if slot == smp.SlotDefault {
		slot = 1
		if before[1].Active {
			slot = 0
		}
	}
	blank := slot < 2*b.images
	if blank {
		for _, x := range b.device.SlotBytes(slot/2, slot%2) {
			blank = blank && x == 0xff
		}
	}
	if done && !blank {
		return "the slot is not blank"
	}
	return ""
}

// TestUploadCrossed uploads to each kind of virtual device, from every state that a few requests and resets lead to,
// and compares the word with the flash.
func TestUploadCrossed(t *testing.T) {
	histories := [][]string{{}, {"new"}, {"old"}, {"second"}, {"new", "second"}, {"new to the second"},
		{"new", "test new", "reset"}, {"new", "confirm new", "reset"},
		{"new", "confirm new"}, {"new to the second", "new"}}
	cases, asked, done := 0, 0, 0
	for _, c := range askedDevices() {
		for _, history := range histories {
			for number := range 2 {
				for _, version := range []string{"1", "2", "3"} {
					if cases++; cases%*askEvery != 0 || c.bootloader {
						continue
					}
					var err error
					var problem string
					synctest.Test(t, func(t *testing.T) { problem, err = c.upload(t, history, number, version) })
					if asked++; err == nil {
						done++
					}
					if problem != "" {
						t.Errorf("%s: %v, %s as image %d: %v, but %s", c.name, history, version, number, err, problem)
					}
				}
			}
		}
	}
	t.Logf("%d uploads, %d done", asked, done)
	if done < asked/4 {
		t.Error("hardly anything was done")
	}
}

// upload brings a device to where the history leads, uploads, and says what is wrong with the word.
func (c askedDevice) upload(t *testing.T, history []string, number int, version string) (problem string, err error) {
	b := newAskBench(t, c.o)
	defer b.close()
	for _, step := range history {
		b.step(t, step)
	}
	img := load(t, "app-"+version+".0.0.bin")
	before := b.device.Slots()
	dial := func(context.Context) (*smp.Client, error) { return b.client, nil }
	report, err := dfu.Run(t.Context(), dial, []dfu.Target{{Image: number, File: img}},
		dfu.Options{Mode: dfu.UploadOnly})
	if err == nil {
		q := dfu.Request{Action: dfu.Upload, Image: number, Hash: img.Hash()}
		err = q.Shown(report.Before, report.After)
	}
	var refused *smp.DeviceError
	var state *dfu.StateError
	switch {
	case number >= b.images:
		if err == nil {
			return "the device has no such image", nil
		}
		return "", err
	case err != nil && !errors.As(err, &refused) && !errors.As(err, &state):
		return "the device could take it", err
	case err != nil:
		return "", err
	}
	free := 1
	if before[2*number+1].Active {
		free = 0
	}
	content := b.device.SlotBytes(number, free)
	if !bytes.Contains(content[:len(img.Bytes())+sim.Sector], img.Bytes()) {
		return "its free slot does not hold the file", nil
	}
	return "", nil
}
