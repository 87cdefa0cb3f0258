package sim_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// once runs a device on a flash file for the length of a function, as one command of a tool does.
func once(t *testing.T, o sim.Options, f func(h *host, d *sim.Device)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, o)
		f(newHost(t, d), d)
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestFlashFilePersists(t *testing.T) {
	o := sim.Options{Flash: filepath.Join(t.TempDir(), "board.flash"), SlotSize: 64 << 10}
	steps := []struct {
		name string
		do   func(h *host)
		want []string // afterwards, in the next program
	}{
		{"new", func(*host) {}, []string{"0 1.0.0 confirmed active"}},
		{"upload", func(h *host) { h.uploadImage("2.0.0", false) }, []string{"0 1.0.0 confirmed active", "1 2.0.0"}},
		{"test", func(h *host) { h.choose("2.0.0", false) }, []string{"0 1.0.0 confirmed active", "1 2.0.0 pending"}},
		// The program ends right after the answer; the reset must not get lost.
		{"reset", func(h *host) { h.ask(smp.Write, smp.GroupOS, 5, nil) },
			[]string{"0 2.0.0 active", "1 1.0.0 confirmed"}},
		{"nothing", func(*host) {}, []string{"0 2.0.0 active", "1 1.0.0 confirmed"}},
		{"confirm", func(h *host) { h.confirm() }, []string{"0 2.0.0 confirmed active", "1 1.0.0"}},
		{"erase", func(h *host) { h.ask(smp.Write, smp.GroupImage, 5, nil) }, []string{"0 2.0.0 confirmed active"}},
	}
	for _, s := range steps {
		once(t, o, func(h *host, _ *sim.Device) { s.do(h) })
		once(t, sim.Options{Flash: o.Flash}, func(h *host, _ *sim.Device) { h.same("after "+s.name, s.want...) })
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(o.Flash), "*")); err != nil || len(left) != 1 {
		t.Errorf("files beside the flash: %v, %v, want the flash file alone", left, err)
	}
}

// TestFlashFileOfKilledProgram opens copies of the file as it was while a device was at work.
func TestFlashFileOfKilledProgram(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "board.flash")
	n := 0
	snapshot := func() string {
		n++
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		copyName := filepath.Join(dir, "copy"+string(rune('a'+n)))
		if err := os.WriteFile(copyName, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return copyName
	}
	copies := map[string][]string{}
	once(t, sim.Options{Flash: name, SlotSize: 64 << 10}, func(h *host, _ *sim.Device) {
		copies[snapshot()] = []string{"0 1.0.0 confirmed active"}
		file := buildImage("2.0.0")
		h.chunk(chunkOf(file, 0, 200, nil))
		copies[snapshot()] = []string{"0 1.0.0 confirmed active"} // half an upload has no TLVs yet
		h.upload(file, nil)
		h.choose("2.0.0", false)
		copies[snapshot()] = []string{"0 1.0.0 confirmed active", "1 2.0.0 pending"}
		h.ask(smp.Write, smp.GroupOS, 5, nil)
		copies[snapshot()] = []string{"0 2.0.0 active", "1 1.0.0 confirmed"} // killed in the reset delay
		time.Sleep(longEnough)
		copies[snapshot()] = []string{"0 2.0.0 active", "1 1.0.0 confirmed"}
	})
	for name, want := range copies {
		once(t, sim.Options{Flash: name}, func(h *host, _ *sim.Device) { h.same("in "+filepath.Base(name), want...) })
	}
}

func TestFlashFileIsFlash(t *testing.T) {
	name := filepath.Join(t.TempDir(), "board.flash")
	const size = 64 << 10
	var slots [2][]byte
	once(t, sim.Options{Flash: name, SlotSize: size}, func(h *host, d *sim.Device) {
		h.uploadImage("2.0.0", false)
		h.choose("2.0.0", true)
		slots = [2][]byte{d.SlotBytes(0, 0), d.SlotBytes(0, 1)}
	})
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != sim.Sector+2*size || !bytes.Equal(b[sim.Sector:][:size], slots[0]) ||
		!bytes.Equal(b[sim.Sector+size:], slots[1]) {
		t.Errorf("the file is not one sector and the slots byte for byte")
	}
	if img := buildImage("2.0.0"); !bytes.HasPrefix(slots[1], img) {
		t.Errorf("slot 1 does not begin with the uploaded image")
	}
	if got, want := slots[1][size-16:], mustHex("77c295f360d2ef7f3552500f2cb67980"); !bytes.Equal(got, want) {
		t.Errorf("slot 1 ends in %x, want the boot magic %x", got, want)
	}
}

func TestFlashFileErrors(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.flash")
	once(t, sim.Options{Flash: good, SlotSize: 64 << 10}, func(*host, *sim.Device) {})
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(content)) }
	for _, tt := range []struct {
		name    string
		content []byte
		o       sim.Options
		want    string // in the error
	}{
		{"empty", nil, sim.Options{}, "is not the flash of a virtual device"},
		{"a firmware image", buildImage("1.0.0"), sim.Options{}, "is not the flash of a virtual device"},
		{"other JSON", []byte("{\"images\":1}\n"), sim.Options{}, "is not the flash of a virtual device"},
		{"cut short", content[:len(content)-1], sim.Options{}, "has 135167 bytes instead of 135168: damaged"},
		{"too long", append(bytes.Clone(content), 0), sim.Options{}, "has 135169 bytes instead of 135168: damaged"},
		{"head only", content[:sim.Sector], sim.Options{}, "has 4096 bytes instead of 135168: damaged"},
		{"later format",
			change(func(b []byte) []byte { return bytes.Replace(b, []byte(`flash":1`), []byte(`flash":2`), 1) }),
			sim.Options{}, "has format 2, this program reads 1"},
		{"impossible size",
			change(func(b []byte) []byte { return bytes.Replace(b, []byte(`65536`), []byte(`65537`), 1) }),
			sim.Options{}, "has a damaged first line"},
		{"huge size", change(func(b []byte) []byte {
			return bytes.Replace(b, []byte(`65536,`), []byte(`4611686018427387904,`), 1)[:len(b)]
		}),
			sim.Options{}, "has a damaged first line"},
		{"impossible slot",
			change(func(b []byte) []byte {
				return bytes.Replace(b, []byte(`"running":[0]`), []byte(`"running":[7]`), 1)
			}),
			sim.Options{}, "has a damaged first line"},
		{"damaged image", change(func(b []byte) []byte { b[sim.Sector+100] ^= 1; return b }),
			sim.Options{SerialRecovery: sim.SerialRecovery{Absent: true}},
			"no slot holds an image that the bootloader would start"},
		{"other slot size", content, sim.Options{SlotSize: 128 << 10}, "holds slots of 65536 bytes, not 131072"},
		{"other images", content, sim.Options{Images: 2}, "holds 1 images, not 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Flash = filepath.Join(t.TempDir(), "board.flash")
			if err := os.WriteFile(tt.o.Flash, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			d, err := sim.NewDevice(tt.o)
			if err == nil {
				d.Close()
				t.Fatal("NewDevice took the file")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("NewDevice: %v, want an error with %q", err, tt.want)
			}
			if after, err := os.ReadFile(tt.o.Flash); err != nil || !bytes.Equal(after, tt.content) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func TestFlashFileInUse(t *testing.T) {
	o := sim.Options{Flash: filepath.Join(t.TempDir(), "board.flash")}
	d := newDevice(t, o)
	for range 2 { // before and after the file was replaced
		if other, err := sim.NewDevice(o); err == nil {
			other.Close()
			t.Error("two devices share a flash file")
		} else if !strings.Contains(err.Error(), "in use by another program") {
			t.Errorf("NewDevice on a file in use: %v, want an error that says so", err)
		}
		d.Reset()
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again := newDevice(t, o)
	if diff := cmp.Diff(1, len(present(again))); diff != "" {
		t.Errorf("images after reopening differ (-want +got):\n%s", diff)
	}
}

func present(d *sim.Device) (list []sim.SlotState) {
	for _, s := range d.Slots() {
		if s.Present {
			list = append(list, s)
		}
	}
	return list
}

func TestOtherBootloaderBoots(t *testing.T) {
	name := filepath.Join(t.TempDir(), "board.flash")
	once(t, sim.Options{Flash: name}, func(h *host, _ *sim.Device) { h.uploadImage("2.0.0", false) })
	once(t, sim.Options{Flash: name, Mode: sim.DirectXIP}, func(h *host, _ *sim.Device) {
		h.same("under direct-XIP", "0 1.0.0", "1 2.0.0 confirmed active")
	})
	once(t, sim.Options{Flash: name}, func(h *host, _ *sim.Device) {
		h.same("under swap again", "0 1.0.0 confirmed active", "1 2.0.0")
	})
}

// noSuchFile is how the system says that there is none.
func noSuchFile(t *testing.T) string {
	t.Helper()
	_, err := os.Stat(filepath.Join(t.TempDir(), "missing", "f"))
	return errors.Unwrap(err).Error()
}

func TestOptionErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    sim.Options
		want string
	}{
		{"mode", sim.Options{Mode: 99}, "unknown boot mode 99"},
		{"images", sim.Options{Images: 9}, "9 images"},
		{"slot size", sim.Options{SlotSize: 5000}, "slot size 5000"},
		{"slot too small for its trailer", sim.Options{SlotSize: 2 * sim.Sector}, "slot size 8192"},
		{"buffer size", sim.Options{BufSize: 10}, "buffer size 10"},
		{"buffer count", sim.Options{BufCount: -1}, "buffer count -1"},
		{"lines", sim.Options{RXLines: -1}, "-1 receive lines"},
		{"line size", sim.Options{LineSize: 1}, "line size 1"},
		{"baud", sim.Options{Baud: -9600}, "baud rate -9600"},
		{"time", sim.Options{EraseTime: -1}, "time is negative"},
		{"faults", sim.Options{Faults: sim.Faults{Flip: 2}}, "probability 2"},
		{"wait window", sim.Options{RecoveryWindow: -1}, "time is negative"},
		{"receive size", sim.Options{SerialRecovery: sim.SerialRecovery{BufSize: 10}}, "receive size 10"},
		{"write alignment", sim.Options{SerialRecovery: sim.SerialRecovery{Align: 64}}, "write alignment 64"},
		{"nothing to run", sim.Options{Blank: true, SerialRecovery: sim.SerialRecovery{Absent: true}},
			"needs an application"},
		{"factory image", sim.Options{Factory: []byte("no image")}, "factory image: not an MCUboot image"},
		{"factory image too large", sim.Options{Factory: make([]byte, 1<<20)}, "does not fit"},
		{"folder of the flash file", sim.Options{Flash: filepath.Join(t.TempDir(), "missing", "f")}, noSuchFile(t)},
	} {
		d, err := sim.NewDevice(tt.o)
		if err == nil {
			d.Close()
			t.Errorf("%s: NewDevice took the options", tt.name)
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: NewDevice: %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}
