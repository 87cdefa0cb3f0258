package dfu_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
)

// load reads one of the shared test images.
func load(t testing.TB, name string) *image.Image {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var (
	oldHash   = smp.Hash(bytes.Repeat([]byte{1}, 32))
	otherHash = smp.Hash(bytes.Repeat([]byte{2}, 32))
)

func TestPlan(t *testing.T) {
	img := load(t, "app-2.0.0.bin")
	fresh := smp.Hash(img.Hash())
	old := smp.ImageState{Version: "1.0.0", Hash: oldHash, Active: true, Confirmed: true}
	second := smp.ImageState{Slot: 1, Version: "2.0.0", Hash: fresh}
	with := func(s smp.ImageState, change func(*smp.ImageState)) smp.ImageState { change(&s); return s }
	pending := with(second, func(s *smp.ImageState) { s.Pending = true })
	permanent := with(pending, func(s *smp.ImageState) { s.Permanent = true })
	onTrial := []smp.ImageState{
		{Version: "2.0.0", Hash: fresh, Active: true},
		{Slot: 1, Version: "1.0.0", Hash: oldHash, Confirmed: true},
	}
	confirmed := []smp.ImageState{
		{Version: "2.0.0", Hash: fresh, Active: true, Confirmed: true},
		{Slot: 1, Version: "1.0.0", Hash: oldHash},
	}
	check := func(context.Context) error { return nil }
	const swap, overwrite, xip = smp.ModeSwapMove, smp.ModeOverwrite, smp.ModeDirectXIP

	for _, tt := range []struct {
		name   string
		mode   smp.SwapMode
		images []smp.ImageState
		o      dfu.Options
		want   []dfu.Action
	}{
		{"from the start", swap, []smp.ImageState{old}, dfu.Options{},
			[]dfu.Action{dfu.Upload, dfu.MarkTest, dfu.Reset, dfu.Verify, dfu.Confirm}},
		{"mode unknown", smp.ModeUnknown, []smp.ImageState{old}, dfu.Options{},
			[]dfu.Action{dfu.Upload, dfu.MarkTest, dfu.Reset, dfu.Verify, dfu.Confirm}},
		{"with a check", swap, []smp.ImageState{old}, dfu.Options{Check: check},
			[]dfu.Action{dfu.Upload, dfu.MarkTest, dfu.Reset, dfu.Verify, dfu.Check, dfu.Confirm}},
		{"test mode", swap, []smp.ImageState{old}, dfu.Options{Mode: dfu.Test},
			[]dfu.Action{dfu.Upload, dfu.MarkTest, dfu.Reset, dfu.Verify}},
		{"permanent mode", swap, []smp.ImageState{old}, dfu.Options{Mode: dfu.Permanent},
			[]dfu.Action{dfu.Upload, dfu.MarkPermanent, dfu.Reset, dfu.Verify, dfu.Confirm}},
		{"upload only", swap, []smp.ImageState{old}, dfu.Options{Mode: dfu.UploadOnly}, []dfu.Action{dfu.Upload}},
		{"upload only, there already", swap, []smp.ImageState{old, second}, dfu.Options{Mode: dfu.UploadOnly}, nil},
		{"interrupted after the upload", swap, []smp.ImageState{old, second}, dfu.Options{},
			[]dfu.Action{dfu.MarkTest, dfu.Reset, dfu.Verify, dfu.Confirm}},
		{"interrupted after the mark", swap, []smp.ImageState{old, pending}, dfu.Options{},
			[]dfu.Action{dfu.Reset, dfu.Verify, dfu.Confirm}},
		{"marked permanent before", swap, []smp.ImageState{old, permanent}, dfu.Options{},
			[]dfu.Action{dfu.Upload, dfu.MarkTest, dfu.Reset, dfu.Verify, dfu.Confirm}},
		{"marked permanent before, as wanted", swap, []smp.ImageState{old, permanent}, dfu.Options{Mode: dfu.Permanent},
			[]dfu.Action{dfu.Reset, dfu.Verify, dfu.Confirm}},
		{"interrupted after the reset", swap, onTrial, dfu.Options{}, []dfu.Action{dfu.Confirm}},
		{"interrupted after the reset, with a check", swap, onTrial, dfu.Options{Check: check},
			[]dfu.Action{dfu.Check, dfu.Confirm}},
		{"on trial, test mode", swap, onTrial, dfu.Options{Mode: dfu.Test}, nil},
		{"all done", swap, confirmed, dfu.Options{Check: check}, nil},
		{"forced though there", swap, []smp.ImageState{old, pending}, dfu.Options{Force: true},
			[]dfu.Action{dfu.Upload, dfu.MarkTest, dfu.Reset, dfu.Verify, dfu.Confirm}},
		{"overwrite cannot revert", overwrite, []smp.ImageState{old}, dfu.Options{},
			[]dfu.Action{dfu.Upload, dfu.MarkTest, dfu.Reset, dfu.Verify}},
		{"direct XIP needs no mark", xip, []smp.ImageState{old}, dfu.Options{},
			[]dfu.Action{dfu.Upload, dfu.Reset, dfu.Verify}},
		{"back to the fallback", swap, []smp.ImageState{
			{Version: "1.0.0", Hash: oldHash, Active: true}, {Slot: 1, Version: "2.0.0", Hash: fresh, Confirmed: true},
		}, dfu.Options{}, []dfu.Action{dfu.Reset, dfu.Verify, dfu.Confirm}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := dfu.Device{Images: smp.ImageList{Images: tt.images}, Bootloader: smp.BootloaderInfo{Mode: tt.mode}}
			steps, err := dfu.PlanFor(d, []dfu.Target{{File: img}}, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []dfu.Action
			for _, s := range steps {
				got = append(got, s.Action)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	img := load(t, "app-2.0.0.bin")
	size := uint64(len(img.Bytes()))
	active := func(version string) smp.ImageState {
		return smp.ImageState{Version: version, Hash: oldHash, Active: true, Confirmed: true}
	}
	slots := func(slot, most uint64) []smp.ImageSlots {
		return []smp.ImageSlots{{MaxImageSize: most, Slots: []smp.Slot{{Size: slot}, {Slot: 1, Size: slot}}}}
	}
	for _, tt := range []struct {
		name   string
		device dfu.Device
		number int
		o      dfu.Options
		state  bool // refused for the device's state, not for the file
	}{
		{name: "slot too small", device: dfu.Device{Slots: slots(size-1, 0)}},
		{name: "no room for the trailer", device: dfu.Device{Slots: slots(size+100, size-1)}},
		{name: "no such image", device: dfu.Device{Slots: slots(1<<20, 0)}, number: 1},
		{name: "not newer", o: dfu.Options{UpgradeOnly: true}, device: dfu.Device{
			Images: smp.ImageList{Images: []smp.ImageState{active("2.0.0")}}}},
		{name: "direct XIP starts the higher version", device: dfu.Device{
			Images:     smp.ImageList{Images: []smp.ImageState{active("2.0.0")}},
			Bootloader: smp.BootloaderInfo{Mode: smp.ModeDirectXIP}}},
		{name: "downgrade prevention", device: dfu.Device{
			Images:     smp.ImageList{Images: []smp.ImageState{active("2.0.1")}},
			Bootloader: smp.BootloaderInfo{Mode: smp.ModeSwapMove, NoDowngrade: true}}},
		{name: "an unconfirmed image runs", state: true, device: dfu.Device{
			Images: smp.ImageList{Images: []smp.ImageState{
				{Version: "1.5.0", Hash: otherHash, Active: true},
				{Slot: 1, Version: "1.0.0", Hash: oldHash, Confirmed: true}}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			steps, err := dfu.PlanFor(tt.device, []dfu.Target{{Image: tt.number, File: img}}, tt.o)
			var unfit *dfu.UnfitError
			var state *dfu.StateError
			if got := errors.As(err, &state); got != tt.state || !got && !errors.As(err, &unfit) {
				t.Errorf("Plan = %v, %v (%T)", steps, err, err)
			}
		})
	}
}
