package dfu_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// recipe is an image to make for a test.
type recipe struct {
	version image.Version
	flags   image.Flags
	load    uint32
	body    []byte
	needs   []image.Dependency
	sha512  bool
}

func (r recipe) make(t testing.TB) *image.Image {
	t.Helper()
	if r.body == nil {
		r.body = bytes.Repeat([]byte{0x42, byte(r.load >> 12)}, 500)
	}
	h := image.Header{HeaderSize: 32, ImageSize: uint32(len(r.body)), Version: r.version, Flags: r.flags,
		LoadAddr: r.load}
	var deps []byte
	for _, n := range r.needs {
		value := binary.LittleEndian.AppendUint16([]byte{n.Image, 0, 0, 0, n.Minimum.Major, n.Minimum.Minor},
			n.Minimum.Revision)
		deps = append(deps, entry(image.TLVDependency, binary.LittleEndian.AppendUint32(value, n.Minimum.Build))...)
	}
	if len(deps) > 0 {
		deps = area(0x6908, deps)
		h.ProtectedSize = uint16(len(deps))
	}
	b := append(append(h.Append(nil), r.body...), deps...)
	sum := sha256.Sum256(b)
	tlv := entry(image.TLVSHA256, sum[:])
	if r.sha512 {
		long := sha512.Sum512(b)
		tlv = entry(image.TLVSHA512, long[:])
	}
	m, err := image.Parse(append(b, area(0x6907, tlv)...))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func area(magic uint16, tlvs []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, magic)
	return append(binary.LittleEndian.AppendUint16(b, uint16(4+len(tlvs))), tlvs...)
}

// TestRunVariants updates a device that runs from either slot, there and back: each time the file for the free slot is
// the one.
func TestRunVariants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dial := board(t, sim.Options{Mode: sim.DirectXIP})
		defer d.Close()
		slots := d.Slots()
		variants := func(major uint8) dfu.Target {
			target := dfu.Target{Image: 0}
			for _, slot := range []int{1, 0} {
				file := recipe{version: image.Version{Major: major}, flags: image.FlagROMFixed,
					load: slots[slot].Address}.make(t)
				target.Variants = append(target.Variants, dfu.Variant{Slot: slot, File: file})
			}
			return target
		}
		report, err := dfu.Run(t.Context(), dial, []dfu.Target{variants(2)}, dfu.Options{})
		active, _ := report.After.Active(0)
		if err != nil || report.Result != dfu.Confirmed || active.Slot != 1 ||
			!active.Hash.Equal(report.Images[0].File.Hash()) {
			t.Fatalf("there: %s, %v, runs %+v", report.Result, err, active)
		}
		report, err = dfu.Run(t.Context(), dial, []dfu.Target{variants(2)}, dfu.Options{})
		if err != nil || report.Result != dfu.AlreadyRunning {
			t.Errorf("again: %s, %v", report.Result, err)
		}
		report, err = dfu.Run(t.Context(), dial, []dfu.Target{variants(3)}, dfu.Options{})
		if active, _ := report.After.Active(0); err != nil || active.Slot != 0 {
			t.Errorf("back: %s, %v, runs %+v", report.Result, err, active)
		}
		only := variants(4)
		only.Variants = only.Variants[1:] // for slot 0, from which it runs
		_, err = dfu.Run(t.Context(), dial, []dfu.Target{only}, dfu.Options{})
		if unfit := (*dfu.UnfitError)(nil); !errors.As(err, &unfit) {
			t.Errorf("no file for the free slot: %v", err)
		}
	})
}

// TestRunDirectUpload updates both images of a device on which an upload names a slot.
func TestRunDirectUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dial := board(t, sim.Options{Images: 2, DirectUpload: true})
		defer d.Close()
		targets := []dfu.Target{{Image: 0, File: load(t, "app-3.0.0.bin")}, {Image: 1, File: load(t, "app-2.0.0.bin")}}
		report, err := dfu.Run(t.Context(), dial, targets, dfu.Options{})
		if err != nil || report.Result != dfu.Confirmed {
			t.Fatalf("%s, %v", report.Result, err)
		}
		got := []string{report.Images[0].Now.Version, report.Images[1].From.Version, report.Images[1].Now.Version}
		if !slices.Equal(got, []string{"3.0.0", "1.0.0", "2.0.0"}) {
			t.Errorf("versions %q", got)
		}
	})
}

// TestRecoverByImage puts images into their primary slots, whatever the bootloader wants an upload to name.
func TestRecoverByImage(t *testing.T) {
	targets := []dfu.Target{{Image: 0, File: load(t, "app-3.0.0.bin")}, {Image: 1, File: load(t, "app-2.0.0.bin")}}
	for _, tt := range []struct {
		name     string
		recovery sim.SerialRecovery
		refused  bool
	}{
		{name: "by image", recovery: sim.SerialRecovery{SlotInfo: true}},
		{name: "by slot", recovery: sim.SerialRecovery{SlotInfo: true, DirectUpload: true}},
		{name: "nobody knows", refused: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, dial := board(t, sim.Options{Images: 2, Recovery: true, SerialRecovery: tt.recovery})
				defer d.Close()
				report, err := dfu.Recover(t.Context(), dial, targets, dfu.RecoverOptions{ByImage: true})
				if state := (*dfu.StateError)(nil); tt.refused {
					if !errors.As(err, &state) || len(report.Steps) > 1 {
						t.Errorf("%v after %v, want a StateError", err, report.Steps)
					}
					return
				}
				if err != nil || report.Result != dfu.Recovered {
					t.Fatalf("%s, %v", report.Result, err)
				}
				for number, want := range []uint8{3, 2} {
					if v, _, ok := d.Running(number); !ok || v.Major != want {
						t.Errorf("image %d runs %s", number, v)
					}
				}
			})
		})
	}
}

// TestRunSeveralInterrupted stops the update of two images after each of its events, and starts it again.
func TestRunSeveralInterrupted(t *testing.T) {
	targets := []dfu.Target{{Image: 0, File: load(t, "app-3.0.0.bin")}, {Image: 1, File: load(t, "app-2.0.0.bin")}}
	errStop := errors.New("stopped")
	for stop, ended := 1, false; !ended; stop++ {
		synctest.Test(t, func(t *testing.T) {
			d, dial := board(t, sim.Options{Images: 2})
			defer d.Close()
			ctx, cancel := context.WithCancelCause(t.Context())
			events := 0
			_, err := dfu.Run(ctx, dial, targets, dfu.Options{OnEvent: func(e dfu.Event) {
				if e.Phase != dfu.Progress {
					if events++; events == stop {
						cancel(errStop)
					}
				}
			}})
			if ended = err == nil; !ended && !errors.Is(err, errStop) {
				t.Fatalf("first run, stopped after event %d: %v", stop, err)
			}
			time.Sleep(10 * time.Second) // fake: a device that was resetting is back
			report, err := dfu.Run(t.Context(), dial, targets, dfu.Options{})
			if err != nil || report.Result != dfu.Confirmed && report.Result != dfu.AlreadyRunning {
				t.Fatalf("second run, after event %d: %s, %v", stop, report.Result, err)
			}
			for number, want := range []string{"3.0.0", "2.0.0"} {
				if active, _ := report.After.Active(number); active.Version != want || !active.Confirmed {
					t.Errorf("after event %d: image %d: %+v", stop, number, active)
				}
			}
		})
		if stop > 100 {
			t.Fatal("the update has more events than the test stops at")
		}
	}
}

// TestRunRestartsHalfway lets the device restart between the marks of two images: the first then runs on trial alone,
// and both begin together once more.
func TestRunRestartsHalfway(t *testing.T) {
	targets := []dfu.Target{{Image: 0, File: load(t, "app-3.0.0.bin")}, {Image: 1, File: load(t, "app-2.0.0.bin")}}
	synctest.Test(t, func(t *testing.T) {
		d, dial := board(t, sim.Options{Images: 2})
		defer d.Close()
		restarted := false
		report, err := dfu.Run(t.Context(), dial, targets, dfu.Options{OnEvent: func(e dfu.Event) {
			if e.Step.Action == dfu.MarkTest && e.Phase == dfu.Done && !restarted {
				restarted = true
				d.Reset()
				time.Sleep(10 * time.Second)
			}
		}})
		if err != nil || report.Result != dfu.Confirmed {
			t.Errorf("%s, %v", report.Result, err)
		}
	})
}

// TestRunNetworkCore updates an image of which the device never says what runs: that it leaves its slot is all that
// shows.
func TestRunNetworkCore(t *testing.T) {
	app, net := load(t, "app-3.0.0.bin"), load(t, "app-2.0.0.bin")
	for _, tt := range []struct {
		name    string
		device  sim.Options
		targets []dfu.Target
		want    dfu.Result
		reason  dfu.Reason
	}{
		{"both", sim.Options{Mode: sim.Overwrite}, []dfu.Target{{File: app}, {Image: 1, File: net}}, dfu.Unverified,
			""},
		{"both, the first on trial", sim.Options{}, []dfu.Target{{File: app}, {Image: 1, File: net}}, dfu.Unverified,
			""},
		{"alone", sim.Options{Mode: sim.Overwrite}, []dfu.Target{{Image: 1, File: net}}, dfu.Unverified, ""},
		{"the first is refused", sim.Options{Mode: sim.Overwrite, Key: publicKey(t)},
			[]dfu.Target{{File: load(t, "app-2.0.0-otherkey.bin")}, {Image: 1, File: app}}, dfu.Reverted, dfu.Rejected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.device.Images, tt.device.NetworkCore = 2, true
				d, dial := board(t, tt.device)
				defer d.Close()
				report, err := dfu.Run(t.Context(), dial, tt.targets, dfu.Options{})
				reason := dfu.Reason("")
				if running := (*dfu.NotRunningError)(nil); errors.As(err, &running) {
					reason = running.Reason
				} else if err != nil {
					t.Fatalf("%v after %v", err, report.Steps)
				}
				if report.Result != tt.want || reason != tt.reason {
					t.Errorf("%s, %q (%v), want %s, %q", report.Result, reason, err, tt.want, tt.reason)
				}
				last := tt.targets[len(tt.targets)-1]
				if v, _, _ := d.Running(1); v != last.File.Header.Version {
					t.Errorf("image 1 runs %s", v)
				}
				if len(report.Warnings) != 1 {
					t.Errorf("warnings %q", report.Warnings)
				}
			})
		})
	}
}

// TestRunDependencies: the bootloader of the virtual device starts neither image unless both fit together.
func TestRunDependencies(t *testing.T) {
	needs := recipe{version: image.Version{Major: 2},
		needs: []image.Dependency{{Image: 1, Minimum: image.Version{Major: 2}}}}.make(t)
	synctest.Test(t, func(t *testing.T) {
		d, dial := board(t, sim.Options{Images: 2})
		defer d.Close()
		_, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: needs}}, dfu.Options{})
		if unfit := (*dfu.UnfitError)(nil); !errors.As(err, &unfit) {
			t.Errorf("alone: %v", err)
		}
		report, err := dfu.Run(t.Context(), dial,
			[]dfu.Target{{File: needs}, {Image: 1, File: load(t, "app-2.0.0.bin")}}, dfu.Options{})
		if err != nil || report.Result != dfu.Confirmed {
			t.Errorf("together: %s, %v", report.Result, err)
		}
	})
}

// TestPlanChecks holds files against devices: what is refused, and what is only worth a word.
func TestPlanChecks(t *testing.T) {
	two, one := image.Version{Major: 2}, image.Version{Major: 1}
	plain := recipe{version: two}
	size := uint64(plain.make(t).Size())
	runs := func(number int, version string) smp.ImageState {
		return smp.ImageState{Image: number, Version: version, Hash: oldHash, Active: true, Confirmed: true}
	}
	slot := func(number int, size uint64) smp.ImageSlots {
		return smp.ImageSlots{Image: number, Slots: []smp.Slot{{Size: size}, {Slot: 1, Size: size}}}
	}
	device := func(mode smp.SwapMode, list ...smp.ImageState) dfu.Device {
		return dfu.Device{Images: smp.ImageList{Images: list}, Bootloader: smp.BootloaderInfo{Mode: mode}}
	}
	withSlots := func(d dfu.Device, slots ...smp.ImageSlots) dfu.Device { d.Slots = slots; return d }
	needsOne := recipe{version: two, needs: []image.Dependency{{Image: 1, Minimum: two}}}
	vectors := func(reset uint32) []byte {
		b := binary.LittleEndian.AppendUint32(nil, 0x2000_8000)
		return append(binary.LittleEndian.AppendUint32(b, reset), make([]byte, 200)...)
	}
	swap := device(smp.ModeSwapMove, runs(0, "1.0.0"))
	both := device(smp.ModeSwapMove, runs(0, "1.0.0"), runs(1, "1.0.0"))
	for _, tt := range []struct {
		name    string
		device  dfu.Device
		files   []recipe // for images 0, 1, ...
		o       dfu.Options
		refused string
		advice  string
	}{
		{name: "nothing to say", device: withSlots(swap, slot(0, 1<<20)), files: []recipe{plain}},
		{name: "no room for the trailer", device: withSlots(swap, slot(0, size+39)), files: []recipe{plain},
			refused: "leaves no room for the bootloader's 40 bytes"},
		{name: "hardly room for the trailer", device: withSlots(swap, slot(0, size+40)), files: []recipe{plain},
			advice: "reaches into the last 8232 bytes"},
		{name: "two sectors of room", device: withSlots(swap, slot(0, size+40+8192)), files: []recipe{plain}},
		{name: "room that the device promises",
			device: withSlots(swap, smp.ImageSlots{MaxImageSize: size, Slots: []smp.Slot{{Size: size + 40}}}),
			files:  []recipe{plain}},
		{name: "another kind of hash", device: swap, files: []recipe{{version: two, sha512: true}},
			refused: "its hash is SHA512, and the device lists hashes of 256 bits"},
		{name: "another kind of hash in the other slot",
			device: device(smp.ModeSwapMove, runs(0, "1.0.0"),
				smp.ImageState{Slot: 1, Version: "1.0.0", Hash: make(smp.Hash, 64)}), files: []recipe{plain}},
		{name: "a device that lists no hashes",
			device: device(smp.ModeSwapMove, smp.ImageState{Version: "1.0.0", Active: true}),
			files:  []recipe{{version: two, sha512: true}}},
		{name: "lower", device: device(smp.ModeSwapMove, runs(0, "2.0.1")), files: []recipe{plain},
			advice: "version 2.0.0+0 is lower than the running 2.0.1+0"},
		{name: "lower by the build number", device: device(smp.ModeSwapMove, runs(0, "2.0.0.7")),
			files: []recipe{plain}, advice: "version 2.0.0+0 is lower than the running 2.0.0+7"},
		{name: "equal, of other content", device: device(smp.ModeSwapMove, runs(0, "2.0.0")), files: []recipe{plain},
			advice: "version 2.0.0+0 runs already, with other content (01010101)"},
		{name: "not bootable", device: swap, files: []recipe{{version: two, flags: image.FlagNonBootable}},
			advice: "not bootable"},
		{name: "not bootable, uploaded only", device: swap,
			files: []recipe{{version: two, flags: image.FlagNonBootable}}, o: dfu.Options{Mode: dfu.UploadOnly}},
		{name: "for RAM", device: swap, files: []recipe{{version: two, flags: image.FlagRAMLoad, load: 0x2000_0000}},
			advice: "loaded to RAM"},
		{name: "not for RAM", device: device(smp.ModeRAMLoad, runs(0, "1.0.0")), files: []recipe{plain},
			advice: "needs a load address"},
		{name: "compressed", device: swap, files: []recipe{{version: two, flags: image.FlagCompressedLZMA2}},
			advice: "compressed"},
		{name: "compressed, overwritten", device: device(smp.ModeOverwrite, runs(0, "1.0.0")),
			files: []recipe{{version: two, flags: image.FlagCompressedLZMA2}}},
		{name: "begins elsewhere", device: swap,
			files:  []recipe{{version: two, flags: image.FlagROMFixed, load: 0x10000, body: vectors(0x90101)}},
			advice: "begins to run at 0x90100"},
		{name: "begins within", device: swap,
			files: []recipe{{version: two, flags: image.FlagROMFixed, load: 0x10000, body: vectors(0x10041)}}},

		{name: "needs what runs", device: device(smp.ModeSwapMove, runs(0, "1.0.0"), runs(1, "2.0.0")),
			files: []recipe{needsOne}},
		{name: "needs more than what runs", device: both, files: []recipe{needsOne},
			refused: "it needs image 1 in version 2.0.0+0 or later, and that is 1.0.0+0"},
		{name: "comes with what it needs", device: both, files: []recipe{needsOne, plain}},
		{name: "comes with less than it needs", device: both,
			files: []recipe{needsOne, {version: image.Version{Major: 1, Minor: 5}}}, refused: "and that is 1.5.0+0"},
		{name: "needs an image that does not exist", device: withSlots(swap, slot(0, 1<<20)), files: []recipe{needsOne},
			refused: "the device has no such image"},
		{name: "needs what the device does not tell", device: swap, files: []recipe{needsOne},
			advice: "the device does not say which one it has"},
		{name: "uploaded before what it needs", device: both, files: []recipe{needsOne},
			o: dfu.Options{Mode: dfu.UploadOnly}, advice: "and that is 1.0.0+0"},
		{name: "needs what is selected for the next boot",
			device: device(smp.ModeSwapMove, runs(0, "1.0.0"), runs(1, "1.0.0"),
				smp.ImageState{Image: 1, Slot: 1, Version: "2.1.0", Hash: otherHash, Pending: true}),
			files: []recipe{needsOne}},
		{name: "one on trial, another to be reset for", device: device(smp.ModeSwapMove,
			smp.ImageState{Version: "2.0.0", Hash: plain.make(t).Hash(), Active: true},
			smp.ImageState{Slot: 1, Version: "1.0.0", Hash: oldHash, Confirmed: true},
			runs(1, "1.0.0")), files: []recipe{plain, {version: one, body: []byte("new")}},
			refused: "it runs on trial already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var targets []dfu.Target
			for number, r := range tt.files {
				targets = append(targets, dfu.Target{Image: number, File: r.make(t)})
			}
			_, err := dfu.PlanFor(tt.device, targets, tt.o)
			if got := errorText(err); (got == "") != (tt.refused == "") || !strings.Contains(got, tt.refused) {
				t.Errorf("Plan: %q, want %q", got, tt.refused)
			}
			if err != nil {
				return
			}
			advice := strings.Join(dfu.Advice(tt.device, targets, tt.o), "\n")
			if (advice == "") != (tt.advice == "") || !strings.Contains(advice, tt.advice) ||
				strings.Contains(advice, "\n") {
				t.Errorf("advice: %q, want %q", advice, tt.advice)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestPlanVariants chooses without a device.
func TestPlanVariants(t *testing.T) {
	target := dfu.Target{Variants: []dfu.Variant{
		{Slot: 0, File: recipe{version: image.Version{Major: 2}}.make(t)},
		{Slot: 1, File: recipe{version: image.Version{Major: 3}}.make(t)},
	}}
	for _, tt := range []struct {
		name  string
		mode  smp.SwapMode
		slot  int // that runs
		major uint8
	}{
		{"from the first", smp.ModeDirectXIP, 0, 3},
		{"from the second", smp.ModeDirectXIPRevert, 1, 2},
		{"mode unknown", smp.ModeUnknown, 0, 3},
		{"swapped", smp.ModeSwapMove, 0, 2},
	} {
		d := dfu.Device{Bootloader: smp.BootloaderInfo{Mode: tt.mode},
			Images: smp.ImageList{Images: []smp.ImageState{{Slot: tt.slot, Version: "1.0.0", Hash: oldHash,
				Active: true, Confirmed: true}}}}
		got, err := dfu.Resolve(d, []dfu.Target{target}, dfu.Options{})
		if err != nil || got[0].File.Header.Version.Major != tt.major {
			t.Errorf("%s: %v, %v, want version %d", tt.name, got, err, tt.major)
		}
	}
	_, err := dfu.PlanFor(dfu.Device{}, []dfu.Target{target}, dfu.Options{})
	if state := (*dfu.StateError)(nil); !errors.As(err, &state) {
		t.Errorf("nothing runs: %v", err)
	}
}
