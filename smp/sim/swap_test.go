package sim_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// swapBegins uploads version 2.0.0, selects it, and resets the device: its bootloader moves images now.
func swapBegins(t *testing.T, d *sim.Device) *host {
	t.Helper()
	h := newHost(t, d)
	h.uploadImage("2.0.0", false)
	h.choose("2.0.0", false)
	d.Reset()
	if d.Alive() {
		t.Fatal("the device answers while its bootloader swaps")
	}
	return h
}

// runsVersion fails the test unless that version of image 0 runs.
func runsVersion(t *testing.T, d *sim.Device, when, want string) {
	t.Helper()
	if v, _, ok := d.Running(0); !ok || v.String() != want+"+0" {
		t.Errorf("%s: %v runs (%t), want %s", when, v, ok, want)
	}
}

// TestPowerCutDuringSwap is a board that loses its power at any moment of a swap: the swap goes on when the power is
// back, and the image that was on its way in runs. Nothing has reverted what never ran.
func TestPowerCutDuringSwap(t *testing.T) {
	const swap = 2 * time.Second
	cuts := map[string]func(*sim.Device){"reset": (*sim.Device).Reset, "power cut": (*sim.Device).PowerCycle}
	for _, mode := range []sim.Mode{sim.Swap, sim.SwapOffset, sim.Overwrite} {
		for name, cut := range cuts {
			for at := swap / 23; at < swap; at += swap / 23 {
				t.Run(fmt.Sprint(mode, " ", name, " after ", at), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						d := newDevice(t, sim.Options{Mode: mode, SwapTime: swap, SlotSize: 64 << 10})
						h := swapBegins(t, d)
						time.Sleep(at)
						cut(d)
						runsVersion(t, d, "after the cut", "2.0.0")
						time.Sleep(swap - time.Millisecond)
						if d.Alive() && mode != sim.Overwrite { // at the end of a copy there is nothing left to do
							t.Error("the device answers before the swap is over")
						}
						time.Sleep(longEnough)
						h.same("after the swap", map[bool][]string{
							false: {"0 2.0.0 active", "1 1.0.0 confirmed"},
							true:  {"0 2.0.0 confirmed active"},
						}[mode == sim.Overwrite]...)
						if mode == sim.Overwrite {
							return
						}
						d.Reset()
						time.Sleep(at)
						cut(d)
						time.Sleep(longEnough)
						runsVersion(t, d, "after a revert that was cut", "1.0.0")
					})
				})
			}
		}
	}
}

// TestManyCuts cuts the power again and again, sooner than a swap takes; at last it stays.
func TestManyCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{})
		h := swapBegins(t, d)
		for n := range 40 {
			time.Sleep(time.Duration(n*n*7919%900) * time.Millisecond)
			d.PowerCycle()
		}
		time.Sleep(longEnough)
		h.same("in the end", "0 2.0.0 active", "1 1.0.0 confirmed")
	})
}

// TestVanishDuringSwap loses the power for a moment because of a fault, while the host asks a device that swaps.
func TestVanishDuringSwap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, window := range []time.Duration{0, 500 * time.Millisecond} {
			d := newDevice(t,
				sim.Options{RecoveryWindow: window, Faults: sim.Faults{VanishAfter: 30000, VanishFor: time.Second}})
			time.Sleep(longEnough)
			swapBegins(t, d)
			time.Sleep(600 * time.Millisecond)
			boots := d.Boots()
			link := d.Link()
			for range 30000 / 300 {
				if err := link.WritePacket(make([]byte, 300)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(longEnough)
			if d.Boots() != boots+1 || !d.Alive() || d.InRecovery() {
				t.Errorf("%d boots more, alive %t, in the bootloader %t, want one and the application",
					d.Boots()-boots, d.Alive(), d.InRecovery())
			}
			runsVersion(t, d, "after the power is back", "2.0.0")
		}
	})
}

// TestCutOfTwoImages loses power while the second of two images is swapped: the first one, moved already, stays on
// trial.
func TestCutOfTwoImages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for at := 100 * time.Millisecond; at < 2*time.Second; at += 100 * time.Millisecond {
			d := newDevice(t, sim.Options{Images: 2, BufSize: 1024})
			h := newHost(t, d)
			h.upload(buildImage("2.0.0"), nil)
			h.upload(buildImage("3.0.0"), args{"image": 1})
			h.choose("2.0.0", false)
			h.choose("3.0.0", false)
			d.Reset()
			time.Sleep(at)
			d.PowerCycle()
			time.Sleep(longEnough)
			h.same(fmt.Sprint("after a cut at ", at),
				"0/0 2.0.0 active", "0/1 1.0.0 confirmed", "1/0 3.0.0 active", "1/1 1.0.0 confirmed")
		}
	})
}

// TestSwapInFlashFile looks at the file during a swap. A program that is killed then leaves a board that swaps when it
// is started again; a device that is closed has swapped.
func TestSwapInFlashFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		o := sim.Options{Flash: filepath.Join(dir, "flash"), SlotSize: 64 << 10, NoGroups: []smp.Group{smp.GroupFS}}
		d, err := sim.NewDevice(o)
		if err != nil {
			t.Fatal(err)
		}
		swapBegins(t, d)
		time.Sleep(500 * time.Millisecond)
		killed := sim.Options{Flash: filepath.Join(dir, "killed"), NoGroups: []smp.Group{smp.GroupFS}}
		b, err := os.ReadFile(o.Flash)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(killed.Flash, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		for name, o := range map[string]sim.Options{"closed": o, "killed": killed} {
			d := newDevice(t, o)
			runsVersion(t, d, name, "2.0.0")
			newHost(t, d).same(name, "0 2.0.0 active", "1 1.0.0 confirmed")
			d.Reset()
			time.Sleep(longEnough)
			runsVersion(t, d, name+" and reset", "1.0.0")
		}
	})
}

// TestWindowAfterSwap asks a device with a wait window at every moment of a boot with a swap. The window counts from
// the reset, so that of a short one next to nothing is left after the swap; but what arrives on a UART meanwhile is
// kept, and counts as a wish to talk to the bootloader.
func TestWindowAfterSwap(t *testing.T) {
	ask := smp.Header{Op: smp.Read, Group: smp.GroupImage, Length: 1}
	packet := append(ask.Append(nil), 0xa0)
	for _, tt := range []struct {
		name   string
		window time.Duration
		at     time.Duration // after the reset, of a swap of a second
		caught bool
	}{
		{"short window, during the swap", 500 * time.Millisecond, 300 * time.Millisecond, true},
		{"short window, at the end of the swap", 500 * time.Millisecond, 990 * time.Millisecond, true},
		{"short window, after it", 500 * time.Millisecond, 1100 * time.Millisecond, false},
		{"long window, during the swap", 3 * time.Second, 300 * time.Millisecond, true},
		{"long window, after the swap", 3 * time.Second, 2900 * time.Millisecond, true},
		{"long window, after it", 3 * time.Second, 3100 * time.Millisecond, false},
		{"no window", 0, 300 * time.Millisecond, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, sim.Options{RecoveryWindow: tt.window})
				time.Sleep(longEnough) // the window of the first boot
				h := swapBegins(t, d)
				time.Sleep(tt.at)
				h.send(packet)
				time.Sleep(longEnough)
				if d.InRecovery() != tt.caught || !d.Alive() {
					t.Errorf("in the bootloader %t, alive %t, want %t and alive", d.InRecovery(), d.Alive(), tt.caught)
				}
				if got := len(h.all()) > 0; got != tt.caught {
					t.Errorf("answered %t, want %t", got, tt.caught)
				}
				runsVersion(t, d, "afterwards", "2.0.0")
			})
		})
	}
}

// TestStuckBootloader has a flash on which an assertion of MCUboot fails: the device stays dark, over resets and
// restarts of the program too.
func TestStuckBootloader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// TLVs of the running image are damaged behind its back; the bootloader cannot tell how much to swap.
		file := filepath.Join(t.TempDir(), "flash")
		o := sim.Options{Flash: file, SlotSize: 64 << 10, NoGroups: []smp.Group{smp.GroupFS}}
		d, err := sim.NewDevice(o)
		if err != nil {
			t.Fatal(err)
		}
		h := newHost(t, d)
		h.uploadImage("2.0.0", false)
		h.choose("2.0.0", false)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte{0, 0}, 4096+32+2048); err != nil {
			t.Fatal(err)
		}
		f.Close()
		for range 2 {
			d, err = sim.NewDevice(o)
			if err != nil {
				t.Fatal(err)
			}
			d.Reset()
			time.Sleep(time.Minute)
			if d.Alive() {
				t.Error("a device whose bootloader stops answers")
			}
			if _, _, ok := d.Running(0); ok {
				t.Error("something runs on a device whose bootloader stops")
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
