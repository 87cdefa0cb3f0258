package sim_test

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// v1 makes the requests of a host version 1.
func v1(p []byte) []byte {
	p[0] &= 7
	return p
}

// asks sends a version 1 request and gives the decoded answer, nil for silence.
func (h *host) asks(op smp.Op, g smp.Group, id uint8, a args) map[string]any {
	h.t.Helper()
	if a == nil {
		a = args{}
	}
	h.send(v1(h.request(op, g, id, a)))
	got := h.all()
	if len(got) == 0 {
		return nil
	}
	return decode(h.t, got[0])
}

// put uploads a file to the bootloader in version 1, with more keys in every chunk.
func (h *host) put(file []byte, more args) {
	h.t.Helper()
	for off := 0; off < len(file); {
		a := args{"off": off, "data": file[off:min(off+512, len(file))]}
		if off == 0 {
			a["len"] = len(file)
		}
		for k, v := range more {
			a[k] = v
		}
		r := h.asks(smp.Write, smp.GroupImage, 1, a)
		next, ok := r["off"].(uint64)
		if !ok || int(next) <= off || r["rc"] != uint64(0) {
			h.t.Fatalf("upload at %d: answer %v", off, r)
		}
		off = int(next)
	}
}

func TestRecoveryEntry(t *testing.T) {
	reset := func(a args) func(h *host, d *sim.Device) {
		return func(h *host, _ *sim.Device) { h.asks(smp.Write, smp.GroupOS, 5, a) }
	}
	knockIn := func(wait time.Duration) func(h *host, d *sim.Device) {
		return func(h *host, d *sim.Device) {
			d.Reset()
			time.Sleep(wait)
			h.asks(smp.Read, smp.GroupOS, 6, nil)
		}
	}
	for _, tt := range []struct {
		name     string
		o        sim.Options
		do       func(h *host, d *sim.Device)
		recovery bool
	}{
		{"application", sim.Options{}, nil, false},
		{"asked for", sim.Options{Recovery: true}, nil, true},
		{"blank", sim.Options{Blank: true}, nil, true},
		{"blank, reset", sim.Options{Blank: true}, reset(nil), true},
		{"boot mode 1", sim.Options{}, reset(args{"boot_mode": 1}), true},
		{"boot mode 0", sim.Options{}, reset(args{"boot_mode": 0}), false},
		{"boot mode ignored", sim.Options{NoBootMode: true}, reset(args{"boot_mode": 1}), false},
		{"no serial recovery", sim.Options{SerialRecovery: sim.SerialRecovery{Absent: true}},
			reset(args{"boot_mode": 1}), false},
		{"left by a reset", sim.Options{Recovery: true}, reset(nil), false},
		{"left by a reset that is a read", sim.Options{Recovery: true},
			func(h *host, _ *sim.Device) { h.asks(smp.Read, smp.GroupOS, 5, nil) }, false},
		{"left by a reset with boot mode 1", sim.Options{Recovery: true}, reset(args{"boot_mode": 1}), false},
		{"in the wait window", sim.Options{RecoveryWindow: 500 * time.Millisecond}, knockIn(400 * time.Millisecond),
			true},
		{"after the wait window", sim.Options{RecoveryWindow: 500 * time.Millisecond}, knockIn(600 * time.Millisecond),
			false},
		{"no wait window", sim.Options{}, knockIn(400 * time.Millisecond), false},
		{"an old bootloader does not hear version 2",
			sim.Options{RecoveryWindow: 500 * time.Millisecond, SerialRecovery: sim.SerialRecovery{Old: true}},
			func(h *host, d *sim.Device) {
				d.Reset()
				time.Sleep(100 * time.Millisecond)
				if r := h.ask(smp.Read, smp.GroupOS, 6, nil); r != nil {
					h.t.Errorf("answer %v", r)
				}
			}, false},
		{"reset in the wait window", sim.Options{RecoveryWindow: 500 * time.Millisecond}, func(h *host, d *sim.Device) {
			d.Reset()
			time.Sleep(100 * time.Millisecond)
			h.asks(smp.Write, smp.GroupOS, 5, nil)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, tt.o)
				h := newHost(t, d)
				time.Sleep(longEnough)
				if tt.do != nil {
					tt.do(h, d)
					time.Sleep(longEnough)
				}
				if got := d.InRecovery(); got != tt.recovery {
					t.Errorf("InRecovery = %v, want %v", got, tt.recovery)
				}
				// The application has an echo, the bootloader has not.
				if r := h.asks(smp.Write, smp.GroupOS, 0, args{"d": "x"}); (r["r"] == "x") == tt.recovery {
					t.Errorf("echo: answer %v", r)
				}
			})
		})
	}
}

func TestRecoveryUpload(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     sim.Options
		more  args
		after []string // in the application's list
	}{
		{"blank", sim.Options{Blank: true}, nil, []string{"0 2.0.0 confirmed active"}},
		{"over the application", sim.Options{Recovery: true}, nil, []string{"0 2.0.0 confirmed active"}},
		{"progressive", sim.Options{Recovery: true, Progressive: true}, nil, []string{"0 2.0.0 confirmed active"}},
		{"slow erase", sim.Options{Recovery: true, EraseTime: time.Millisecond}, nil, nil},
		{"units of 32", sim.Options{Recovery: true, SerialRecovery: sim.SerialRecovery{Align: 32}}, nil,
			[]string{"0 2.0.0 confirmed active"}},
		{"second image", sim.Options{Images: 2, BufSize: 1024, Recovery: true}, args{"image": 1},
			[]string{"0/0 1.0.0 confirmed active", "1/0 2.0.0 confirmed active"}},
		{"old, second image",
			sim.Options{Images: 2, BufSize: 1024, Recovery: true, SerialRecovery: sim.SerialRecovery{Old: true}},
			args{"image": 1},
			[]string{"0/0 1.0.0 confirmed active", "1/0 2.0.0 confirmed active"}},
		{"direct to slot 0", sim.Options{Recovery: true, SerialRecovery: sim.SerialRecovery{DirectUpload: true}},
			args{"image": 1}, []string{"0 2.0.0 confirmed active"}},
		{"direct to slot 1", sim.Options{Recovery: true, SerialRecovery: sim.SerialRecovery{DirectUpload: true}},
			args{"image": 2}, []string{"0 1.0.0 confirmed active", "1 2.0.0"}},
		{"direct to slot 1, swap with offset",
			sim.Options{Mode: sim.SwapOffset, Recovery: true, SerialRecovery: sim.SerialRecovery{DirectUpload: true}},
			args{"image": 2}, []string{"0 1.0.0 confirmed active", "1 2.0.0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, tt.o)
				h := newHost(t, d)
				if tt.after == nil { // the answer comes after the erase
					h.send(h.request(smp.Write, smp.GroupImage, 1,
						args{"off": 0, "len": 100, "data": make([]byte, 64)}))
					if got := h.all(); got != nil {
						t.Errorf("answer %x before the slot is erased", got)
					}
					time.Sleep(64 * time.Millisecond)
					if got := h.all(); len(got) != 1 {
						t.Errorf("answers %x after the slot is erased", got)
					}
					return
				}
				h.put(buildImage("2.0.0"), tt.more)
				h.asks(smp.Write, smp.GroupOS, 5, nil)
				time.Sleep(longEnough)
				h.same("afterwards", tt.after...)
			})
		})
	}
}

// TestRecoveryOld is MCUboot up to 1.10.0.
func TestRecoveryOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t,
			sim.Options{Images: 2, BufSize: 1024, Recovery: true, SerialRecovery: sim.SerialRecovery{Old: true}})
		h := newHost(t, d)
		before := d.SlotBytes(0, 0)[64:76]
		want := []string{"0/0 1.0.0.0", "1/0 1.0.0.0"}
		if diff := cmp.Diff(want, short(h.asks(smp.Write, smp.GroupImage, 0, args{"confirm": true}))); diff != "" {
			t.Errorf("state write (-want +got):\n%s", diff)
		}
		chunk := args{"off": 0, "len": 9000, "data": make([]byte, 64), "image": 1, "sha": make([]byte, 32)}
		with := func(key string, v any) args {
			a := args{key: v}
			for k, v := range chunk {
				a[k] = v
			}
			return a
		}
		for _, tt := range []struct {
			name string
			got  map[string]any
			want map[string]any
		}{
			{"version 2", h.ask(smp.Read, smp.GroupImage, 0, nil), nil},
			{"echo", h.asks(smp.Write, smp.GroupOS, 0, args{"d": "x"}), nil},
			{"parameters", h.asks(smp.Read, smp.GroupOS, 6, nil), map[string]any{"rc": uint64(8)}},
			{"upload", h.asks(smp.Write, smp.GroupImage, 1, chunk), map[string]any{"rc": uint64(0), "off": uint64(64)}},
			{"upload with upgrade", h.asks(smp.Write, smp.GroupImage, 1, with("upgrade", true)),
				map[string]any{"rc": uint64(3)}},
			{"chunk without image", h.asks(smp.Write, smp.GroupImage, 1, args{"off": 64, "data": make([]byte, 12)}),
				map[string]any{"rc": uint64(0), "off": uint64(76)}},
		} {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			}
		}
		if after := d.SlotBytes(0, 0)[64:76]; bytes.Equal(before, after) {
			t.Errorf("the chunk without image number did not go to image 0")
		}
	})
}

// TestRecoveryState is a bootloader with BOOT_SERIAL_IMG_GRP_IMAGE_STATE.
func TestRecoveryState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t,
			sim.Options{Recovery: true, SerialRecovery: sim.SerialRecovery{State: true, DirectUpload: true}})
		h := newHost(t, d)
		list := func() []string { return short(h.asks(smp.Read, smp.GroupImage, 0, nil)) }
		steps := []struct {
			name string
			do   func()
			want []string
		}{
			{"at first", func() {}, []string{"0 1.0.0 confirmed active"}},
			{"upload to slot 1", func() { h.put(buildImage("2.0.0"), args{"image": 2}) },
				[]string{"0 1.0.0 confirmed active", "1 2.0.0"}},
			{"test", func() {
				h.asks(smp.Write, smp.GroupImage, 0, args{"hash": sha256Of(buildImage("2.0.0"))})
			}, []string{"0 1.0.0 confirmed", "1 2.0.0 pending"}},
			{"reset, and into the bootloader again", func() {
				h.asks(smp.Write, smp.GroupOS, 5, nil)
				time.Sleep(longEnough)
				h.asks(smp.Write, smp.GroupOS, 5, args{"boot_mode": 1})
				time.Sleep(longEnough)
			}, []string{"0 1.0.0 confirmed active", "1 2.0.0"}}, // reverted by the second reset
			{"confirm", func() {
				h.asks(smp.Write, smp.GroupImage, 0, args{"hash": sha256Of(buildImage("2.0.0")), "confirm": true})
			}, []string{"0 1.0.0 confirmed", "1 2.0.0 pending permanent"}},
		}
		for _, s := range steps {
			s.do()
			if diff := cmp.Diff(s.want, list()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", s.name, diff)
			}
		}
		for _, tt := range []struct {
			a  args
			rc uint64
		}{{args{"hash": make([]byte, 31)}, 3}, {args{"hash": make([]byte, 32)}, 5}, {args{"confirm": 1}, 3}} {
			if r := h.asks(smp.Write, smp.GroupImage, 0, tt.a); r["rc"] != tt.rc {
				t.Errorf("state write %v: answer %v, want rc %d", tt.a, r, tt.rc)
			}
		}
	})
}

// TestRecoveryDecryptsOnceMore: a last chunk that is repeated destroys an encrypted image.
func TestRecoveryDecryptsOnceMore(t *testing.T) {
	plain := buildImage("2.0.0")
	file := bytes.Clone(plain)
	binary.LittleEndian.PutUint32(file[16:], 4) // image.h: IMAGE_F_ENCRYPTED_AES128
	sim.ToyCipher(file[32 : 32+9000])
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{Blank: true, SerialRecovery: sim.SerialRecovery{DecryptTime: 5 * time.Second}})
		h := newHost(t, d)
		h.put(file, nil)
		h.send(h.request(smp.Read, smp.GroupImage, 0, args{}))
		if got := h.all(); got != nil {
			t.Errorf("answer %x while the image is decrypted", got)
		}
		time.Sleep(6 * time.Second)
		if got := h.all(); len(got) != 1 {
			t.Errorf("answers %x after it is decrypted", got)
		}
		if got := d.SlotBytes(0, 0)[32:9032]; !bytes.Equal(got, plain[32:9032]) {
			t.Error("the image is not in plain text")
		}
		last := len(file) - 100
		if r := h.asks(smp.Write, smp.GroupImage, 1,
			args{"off": last, "data": file[last:]}); r["off"] != uint64(len(file)) {
			t.Errorf("last chunk again: answer %v", r)
		}
		time.Sleep(6 * time.Second)
		if got := d.SlotBytes(0, 0)[32:9032]; bytes.Equal(got, plain[32:9032]) {
			t.Error("the image was not decrypted once more")
		}
	})
}

// TestRecoveryPersists: a flash file remembers that the bootloader runs, and a boot mode that waits for its reset.
func TestRecoveryPersists(t *testing.T) {
	o := sim.Options{Flash: filepath.Join(t.TempDir(), "board.flash")}
	steps := []struct {
		name     string
		do       func(h *host)
		recovery bool // in the next program
	}{
		{"new", func(*host) {}, false},
		{"reset into the bootloader", func(h *host) { h.asks(smp.Write, smp.GroupOS, 5, args{"boot_mode": 1}) }, true},
		{"nothing", func(*host) {}, true},
		{"half an upload", func(h *host) {
			h.asks(smp.Write, smp.GroupImage, 1, args{"off": 0, "len": 9000, "data": make([]byte, 64)})
		}, true},
		{"reset without an application", func(h *host) { h.asks(smp.Write, smp.GroupOS, 5, nil) }, true},
		{"upload and reset", func(h *host) {
			h.put(buildImage("2.0.0"), nil)
			h.asks(smp.Write, smp.GroupOS, 5, nil)
		}, false},
	}
	for _, s := range steps {
		once(t, o, func(h *host, _ *sim.Device) { s.do(h) })
		once(t, o, func(h *host, d *sim.Device) {
			if got := d.InRecovery(); got != s.recovery {
				t.Errorf("after %s: InRecovery = %v, want %v", s.name, got, s.recovery)
			}
		})
	}
}

// TestRecoveryLines: an old bootloader sends one line however long it is.
func TestRecoveryLines(t *testing.T) {
	for _, tt := range []struct {
		old  bool
		want []int // lengths
	}{{false, []int{127, 91}}, {true, []int{223}}} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t,
				sim.Options{Images: 2, BufSize: 1024, Recovery: true, SerialRecovery: sim.SerialRecovery{Old: tt.old}})
			s := d.Stream()
			defer s.Close()
			got := collect(t, s)
			if _, err := s.Write([]byte("\x06\x09AAsAAAABAAECAKDong==\n")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			var lengths []int
			for _, line := range bytes.SplitAfter(got(), []byte("\n")) {
				if len(line) > 0 {
					lengths = append(lengths, len(line))
				}
			}
			if diff := cmp.Diff(tt.want, lengths); diff != "" {
				t.Errorf("old %v: line lengths (-want +got):\n%s", tt.old, diff)
			}
		})
	}
}

func FuzzRecovery(f *testing.F) {
	for _, name := range []string{"recovery-os.txt", "recovery-errors.txt", "recovery-image.txt",
		"recovery-upload.txt"} {
		for _, x := range readRecording(f, name).steps {
			f.Add(x.sent[0], []byte{})
		}
	}
	for _, name := range []string{"recovery-framing.txt", "recovery-raw-framing.txt"} {
		for _, x := range readRecording(f, name).steps {
			f.Add([]byte{}, x.sent[0])
		}
	}
	f.Fuzz(func(t *testing.T, packet, stream []byte) {
		for _, s := range []sim.SerialRecovery{{}, {Old: true}, {Raw: true},
			{State: true, SlotInfo: true, DirectUpload: true, Echo: true}} {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t,
					sim.Options{SlotSize: 4 * sim.Sector, LineSize: 1024, Recovery: true, SerialRecovery: s})
				h := newHost(t, d)
				h.send(packet)
				port := d.Stream()
				defer port.Close()
				if n, err := port.Write(stream); n != len(stream) || err != nil {
					t.Errorf("Write = %d, %v", n, err)
				}
				time.Sleep(time.Second)
				for _, answer := range h.all() {
					if len(answer) < smp.HeaderLen ||
						int(binary.BigEndian.Uint16(answer[2:])) != len(answer)-smp.HeaderLen {
						t.Errorf("request %x: answer %x", packet, answer)
					}
				}
				if d.InRecovery() {
					if r := h.asks(smp.Read, smp.GroupImage, 0, nil); r["images"] == nil {
						t.Errorf("image list afterwards: %v", r)
					}
				}
			})
		}
	})
}
