package sim_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// longEnough is fake time for a reset with a swap.
const longEnough = 10 * time.Second

func (h *host) choose(version string, confirm bool) []string {
	h.t.Helper()
	return short(h.ask(smp.Write, smp.GroupImage, 0, args{"hash": sha256Of(buildImage(version)), "confirm": confirm}))
}

func (h *host) confirm() []string {
	h.t.Helper()
	return short(h.ask(smp.Write, smp.GroupImage, 0, args{"confirm": true}))
}

func (h *host) reset() {
	h.t.Helper()
	if r := h.ask(smp.Write, smp.GroupOS, 5, nil); r == nil || len(r) != 0 {
		h.t.Fatalf("reset: answer %v, want an empty map", r)
	}
	time.Sleep(longEnough)
}

// same compares the image list with what is expected.
func (h *host) same(when string, want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.list()); diff != "" {
		h.t.Errorf("image list %s differs (-want +got):\n%s", when, diff)
	}
}

func TestUpdates(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    sim.Options
		run  func(h *host)
	}{
		{"swap, reverted", sim.Options{}, func(h *host) {
			h.same("at first", "0 1.0.0 confirmed active")
			h.uploadImage("2.0.0", false)
			h.same("after the upload", "0 1.0.0 confirmed active", "1 2.0.0")
			h.choose("2.0.0", false)
			h.same("after test", "0 1.0.0 confirmed active", "1 2.0.0 pending")
			h.reset()
			h.same("on trial", "0 2.0.0 active", "1 1.0.0 confirmed")
			h.reset()
			h.same("after the revert", "0 1.0.0 confirmed active", "1 2.0.0")
		}},
		{"swap, confirmed", sim.Options{}, func(h *host) {
			h.uploadImage("2.0.0", false)
			h.choose("2.0.0", false)
			h.reset()
			h.confirm()
			h.same("after confirm", "0 2.0.0 confirmed active", "1 1.0.0")
			h.reset()
			h.same("after another reset", "0 2.0.0 confirmed active", "1 1.0.0")
		}},
		{"swap, permanent", sim.Options{}, func(h *host) {
			h.uploadImage("2.0.0", false)
			h.choose("2.0.0", true)
			h.same("after confirm with hash", "0 1.0.0 confirmed active", "1 2.0.0 pending permanent")
			h.reset()
			h.same("after the reset", "0 2.0.0 confirmed active", "1 1.0.0")
		}},
		{"swap, damaged image", sim.Options{}, func(h *host) {
			h.uploadImage("2.0.0", true)
			h.choose("2.0.0", false)
			h.reset()
			h.same("after the reset", "0 1.0.0 confirmed active")
		}},
		{"overwrite", sim.Options{Mode: sim.Overwrite}, func(h *host) {
			h.uploadImage("2.0.0", false)
			h.choose("2.0.0", false)
			h.reset()
			h.same("after the reset", "0 2.0.0 confirmed active")
			h.reset()
			h.same("after another reset", "0 2.0.0 confirmed active")
		}},
		{"direct-XIP", sim.Options{Mode: sim.DirectXIP}, func(h *host) {
			h.uploadImage("2.0.0", false)
			h.same("after the upload", "0 1.0.0 confirmed active", "1 2.0.0 pending permanent")
			if r := h.ask(smp.Write, smp.GroupImage, 0, args{"confirm": true}); r["rc"] != uint64(8) {
				h.t.Errorf("state write: answer %v, want rc 8", r)
			}
			h.reset()
			h.same("after the reset", "0 1.0.0", "1 2.0.0 confirmed active")
			h.uploadImage("3.0.0", false)
			h.reset()
			h.same("after the next update", "0 3.0.0 confirmed active", "1 2.0.0")
		}},
		{"direct-XIP, older image", sim.Options{Mode: sim.DirectXIP}, func(h *host) {
			h.uploadImage("0.9.0", false)
			h.reset()
			h.same("after the reset", "0 1.0.0 confirmed active", "1 0.9.0")
		}},
		{"direct-XIP with revert, not confirmed", sim.Options{Mode: sim.DirectXIPRevert}, func(h *host) {
			h.uploadImage("2.0.0", false)
			h.choose("2.0.0", false)
			h.same("after test", "0 1.0.0 confirmed active", "1 2.0.0 pending")
			h.reset()
			h.same("on trial", "0 1.0.0 confirmed", "1 2.0.0 active")
			h.reset()
			h.same("after the revert", "0 1.0.0 confirmed active")
		}},
		{"direct-XIP with revert, confirmed", sim.Options{Mode: sim.DirectXIPRevert}, func(h *host) {
			h.uploadImage("2.0.0", false)
			h.choose("2.0.0", false)
			h.reset()
			h.confirm()
			h.same("after confirm", "0 1.0.0", "1 2.0.0 confirmed active")
			h.reset()
			h.same("after another reset", "0 1.0.0", "1 2.0.0 confirmed active")
		}},
		{"RAM load", sim.Options{Mode: sim.RAMLoad}, func(h *host) {
			h.kind = forRAM
			h.uploadImage("2.0.0", false)
			h.reset()
			h.same("after the reset", "0 1.0.0", "1 2.0.0 confirmed active")
		}},
		{"RAM load, image without a load address", sim.Options{Mode: sim.RAMLoad}, func(h *host) {
			h.uploadImage("2.0.0", false)
			h.reset()
			h.same("after the reset", "0 1.0.0 confirmed active")
		}},
		{"RAM load, load address in flash", sim.Options{Mode: sim.RAMLoad}, func(h *host) {
			h.kind = image.Header{Flags: image.FlagRAMLoad, LoadAddr: 0x1000}
			h.uploadImage("2.0.0", false)
			h.reset()
			h.same("after the reset", "0 1.0.0 confirmed active")
		}},
		{"downgrade prevention", sim.Options{NoDowngrade: true}, func(h *host) {
			h.uploadImage("0.9.0", false)
			h.choose("0.9.0", false)
			h.reset()
			h.same("after the reset", "0 1.0.0 confirmed active")
		}},
		{"downgrade prevention, reverted", sim.Options{NoDowngrade: true}, func(h *host) {
			h.uploadImage("2.0.0", false)
			h.choose("2.0.0", false)
			h.reset()
			h.same("on trial", "0 2.0.0 active", "1 1.0.0 confirmed")
			h.reset()
			h.same("after the revert", "0 1.0.0 confirmed active", "1 2.0.0")
		}},
		{"direct-XIP with revert, confirmed by its hash", sim.Options{Mode: sim.DirectXIPRevert}, func(h *host) {
			h.uploadImage("2.0.0", false)
			h.choose("2.0.0", false)
			h.choose("2.0.0", true)
			h.reset()
			h.same("after the reset", "0 1.0.0", "1 2.0.0 confirmed active")
			h.reset()
			h.same("after another reset", "0 1.0.0", "1 2.0.0 confirmed active")
		}},
		{"overwrite, image up to the trailer's fields", sim.Options{Mode: sim.Overwrite, SlotSize: 32 << 10},
			func(h *host) {
				file := buildWith("2.0.0", 32<<10-40-72, image.Header{})
				h.upload(file, nil)
				h.ask(smp.Write, smp.GroupImage, 0, args{"hash": sha256Of(file)})
				h.reset()
				h.same("after the reset", "0 2.0.0 confirmed active")
				h.reset()
				h.same("after another reset", "0 2.0.0 confirmed active")
			}},
		{"two images, one on trial while the other is marked", sim.Options{Images: 2}, func(h *host) {
			h.uploadImage("2.0.0", false)
			h.choose("2.0.0", false)
			h.reset()
			h.upload(buildImage("3.0.0"), args{"image": 1})
			h.choose("3.0.0", false)
			h.reset()
			h.same("after the reset", "0/0 2.0.0 active", "0/1 1.0.0 confirmed",
				"1/0 3.0.0 active", "1/1 1.0.0 confirmed")
		}},
		{"two images", sim.Options{Images: 2}, func(h *host) {
			h.upload(buildImage("3.0.0"), args{"image": 1})
			h.same("after the upload", "0/0 1.0.0 confirmed active", "1/0 1.0.0 confirmed active", "1/1 3.0.0")
			h.choose("3.0.0", false)
			h.reset()
			h.same("on trial", "0/0 1.0.0 confirmed active", "1/0 3.0.0 active", "1/1 1.0.0 confirmed")
			if r := h.ask(smp.Write, smp.GroupImage, 0,
				args{"hash": sha256Of(buildImage("3.0.0")), "confirm": true}); code(r) != 32 {
				h.t.Errorf("confirm of another image's running slot: answer %v, want error 32", r)
			}
			h.reset()
			h.same("after the revert", "0/0 1.0.0 confirmed active", "1/0 1.0.0 confirmed active", "1/1 3.0.0")
		}},
		{"frugal list", sim.Options{Frugal: true}, func(h *host) {
			r := h.ask(smp.Read, smp.GroupImage, 0, nil)
			m := r["images"].([]any)[0].(map[any]any)
			if _, ok := m["pending"]; ok || m["active"] != true || r["splitStatus"] != nil {
				h.t.Errorf("frugal list = %v, want only flags that are true", r)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.run(newHost(t, newDevice(t, tt.o)))
			})
		})
	}
}

// code is the number of a group's error in an answer, 0 if there is none.
func code(r map[string]any) int {
	e, _ := r["err"].(map[any]any)
	n, _ := e["rc"].(uint64)
	return int(n)
}

// sign makes an image with an ECDSA signature.
func sign(t *testing.T, version string, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	b := buildImage(version)
	b = b[:len(b)-40] // without the TLVs
	sum := sha256.Sum256(b)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	keyHash := sha256.Sum256(der)
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	var tlvs []byte
	for _, e := range []struct {
		kind  image.TLVType
		value []byte
	}{{image.TLVSHA256, sum[:]}, {image.TLVKeyHash, keyHash[:]}, {image.TLVECDSASig, signature}} {
		tlvs = binary.LittleEndian.AppendUint16(tlvs, uint16(e.kind))
		tlvs = binary.LittleEndian.AppendUint16(tlvs, uint16(len(e.value)))
		tlvs = append(tlvs, e.value...)
	}
	b = binary.LittleEndian.AppendUint16(b, 0x6907)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(tlvs)+4))
	return append(b, tlvs...)
}

func TestSignedUpdates(t *testing.T) {
	newKey := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	key, other := newKey(), newKey()
	for _, tt := range []struct {
		name string
		file []byte
		want string // version that runs after the reset
	}{
		{"right key", sign(t, "2.0.0", key), "2.0.0+0"},
		{"wrong key", sign(t, "2.0.0", other), "1.0.0+0"},
		{"unsigned", buildImage("2.0.0"), "1.0.0+0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, sim.Options{Key: &key.PublicKey})
				h := newHost(t, d)
				h.upload(tt.file, nil)
				m, err := image.Parse(tt.file)
				if err != nil {
					t.Fatal(err)
				}
				h.ask(smp.Write, smp.GroupImage, 0, args{"hash": m.Hash()})
				h.reset()
				if got, _, _ := d.Running(0); got.String() != tt.want {
					t.Errorf("runs %v after the reset, want %v", got, tt.want)
				}
				// The factory image has no signature, but a revert must bring it back.
				h.reset()
				if got, _, _ := d.Running(0); got.String() != "1.0.0+0" {
					t.Errorf("runs %v after the second reset, want the factory image", got)
				}
			})
		})
	}
}

// TestSeveralKeys has a bootloader that takes what either of two keys signed.
func TestSeveralKeys(t *testing.T) {
	keys := make([]*ecdsa.PrivateKey, 3)
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"2.0.0+0", "2.0.0+0", "1.0.0+0"} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t, sim.Options{Key: &keys[0].PublicKey, MoreKeys: []crypto.PublicKey{&keys[1].PublicKey}})
			h := newHost(t, d)
			file := sign(t, "2.0.0", keys[i])
			h.upload(file, nil)
			m, err := image.Parse(file)
			if err != nil {
				t.Fatal(err)
			}
			h.ask(smp.Write, smp.GroupImage, 0, args{"hash": m.Hash()})
			h.reset()
			if got, _, _ := d.Running(0); got.String() != want {
				t.Errorf("signed with key %d: runs %v after the reset, want %v", i, got, want)
			}
		})
	}
	for name, o := range map[string]sim.Options{
		"no first": {MoreKeys: []crypto.PublicKey{&keys[0].PublicKey}},
		"nine":     {Key: &keys[0].PublicKey, MoreKeys: slices.Repeat([]crypto.PublicKey{&keys[0].PublicKey}, 8)},
		"types":    {Key: &keys[0].PublicKey, MoreKeys: []crypto.PublicKey{ed25519.PublicKey(make([]byte, 32))}},
	} {
		if d, err := sim.NewDevice(o); err == nil {
			d.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

// TestPaddedImage uploads what imgtool makes with --pad and --confirm: the trailer in the file decides.
func TestPaddedImage(t *testing.T) {
	for _, tt := range []struct {
		name    string
		confirm bool
		want    []string // versions that run after each reset
	}{
		{"pad", false, []string{"2.0.0+0", "1.0.0+0"}},
		{"confirm", true, []string{"2.0.0+0", "2.0.0+0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size = 64 << 10
				d := newDevice(t, sim.Options{SlotSize: size})
				file := make([]byte, size)
				for i := range file {
					file[i] = 0xff
				}
				copy(file, buildImage("2.0.0"))
				copy(file[size-16:], mustHex("77c295f360d2ef7f3552500f2cb67980"))
				if tt.confirm {
					file[size-24] = 1
				}
				h := newHost(t, d)
				h.upload(file, nil)
				var got []string
				for range tt.want {
					h.reset()
					v, _, _ := d.Running(0)
					got = append(got, v.String())
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("versions after resets differ (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestResetTimes follows a reset by asking all the time.
func TestResetTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{BootTime: 700 * time.Millisecond})
		h := newHost(t, d)
		start := time.Now()
		h.ask(smp.Write, smp.GroupOS, 5, nil)
		type span struct{ from, to time.Duration }
		var silent span
		time.Sleep(time.Millisecond / 2) // never at the very moment of a change
		for time.Since(start) < 2*time.Second {
			answers := h.ask(smp.Read, smp.GroupOS, 6, nil) != nil
			switch {
			case !answers && silent.from == 0:
				silent.from = time.Since(start)
			case answers && silent.from != 0 && silent.to == 0:
				silent.to = time.Since(start)
			}
			time.Sleep(time.Millisecond)
		}
		want := span{250*time.Millisecond + time.Millisecond/2, 950*time.Millisecond + time.Millisecond/2}
		if silent != want {
			t.Errorf("device was silent from %v to %v, want from %v to %v", silent.from, silent.to, want.from, want.to)
		}
		if d.Boots() != 2 {
			t.Errorf("device booted %d times, want 2", d.Boots())
		}
	})
}

// TestTooLarge wants the bootloader to refuse an image that leaves no room for its trailer, although the upload works.
func TestTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 32 << 10
		d := newDevice(t, sim.Options{SlotSize: size})
		h := newHost(t, d)
		file := buildWith("2.0.0", size-2*sim.Sector-72+1, image.Header{})
		h.upload(file, nil)
		h.ask(smp.Write, smp.GroupImage, 0, args{"hash": sha256Of(file)})
		h.reset()
		h.same("after the reset", "0 1.0.0 confirmed active")

		file = buildWith("2.0.0", size-2*sim.Sector-72, image.Header{})
		h.upload(file, nil)
		h.ask(smp.Write, smp.GroupImage, 0, args{"hash": sha256Of(file)})
		h.reset()
		h.same("after the reset with one byte less", "0 2.0.0 active", "1 1.0.0 confirmed")
	})
}

func TestFixedAddress(t *testing.T) {
	fixed := func(address uint32) []byte {
		return buildWith("2.0.0", 3000, image.Header{Flags: image.FlagROMFixed, LoadAddr: address})
	}
	first := func(file []byte) args { return args{"off": 0, "len": len(file), "data": file[:64]} }
	for _, tt := range []struct {
		name string
		mode sim.Mode
		slot int // whose address the image is linked for
		want int // error code
	}{
		{"direct-XIP, right slot", sim.DirectXIP, 1, 0},
		{"direct-XIP, wrong slot", sim.DirectXIP, 0, 25},
		{"swap does not care", sim.Swap, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, sim.Options{Mode: tt.mode})
				h := newHost(t, d)
				r := h.ask(smp.Write, smp.GroupImage, 1, first(fixed(d.Slots()[tt.slot].Address)))
				if code(r) != tt.want {
					t.Errorf("first chunk: answer %v, want error %d", r, tt.want)
				}
			})
		})
	}
}
