package dfu_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// rescue is what a recovery came to.
type rescue struct {
	Result dfu.Result
	Steps  []dfu.Action
	Reason dfu.Reason
	Error  string
	Runs   string // version of image 0 that the device runs afterwards; empty if none
}

var (
	recoverAll = []dfu.Action{dfu.Enter, dfu.Upload, dfu.Reset, dfu.Verify}
	recovered  = rescue{Result: dfu.Recovered, Steps: recoverAll, Runs: "2.0.0"}
)

// ways are the kinds of links to a device: one that goes away with it, as USB does, and one that stays, as a UART does.
var ways = map[string]func(*sim.Device) smp.Link{
	"usb":  func(d *sim.Device) smp.Link { return transport.NewConn(d.Stream(), transport.Options{}) },
	"uart": func(d *sim.Device) smp.Link { return d.Link() },
}

func TestRecover(t *testing.T) {
	old := sim.SerialRecovery{Old: true}
	for _, tt := range []struct {
		name   string
		device sim.Options
		file   *image.Image // app-2.0.0 if nil
		image  int
		o      dfu.RecoverOptions
		within time.Duration // 4 minutes if 0
		want   rescue
	}{
		{name: "blank device", device: sim.Options{Blank: true}, want: recovered},
		{name: "blank device, MCUboot 1.10", device: sim.Options{Blank: true, SerialRecovery: old}, want: recovered},
		{name: "blank device, MCUboot 2.4",
			device: sim.Options{Blank: true, SerialRecovery: sim.SerialRecovery{NoParams: true}}, want: recovered},
		{name: "over an application", device: sim.Options{Recovery: true}, want: recovered},
		{name: "from the application", o: dfu.RecoverOptions{Enter: true}, want: recovered},
		{name: "from the application, MCUboot 1.10", device: sim.Options{SerialRecovery: old},
			o: dfu.RecoverOptions{Enter: true}, want: recovered},
		{name: "from an application of two lines", device: sim.Options{RXLines: 2, NoParams: true},
			o: dfu.RecoverOptions{Enter: true}, want: recovered},
		{name: "in the bootloader already", device: sim.Options{Recovery: true}, o: dfu.RecoverOptions{Enter: true},
			want: recovered},
		{name: "through the wait window of a reset without boot mode",
			device: sim.Options{NoBootMode: true, RecoveryWindow: 500 * time.Millisecond},
			o:      dfu.RecoverOptions{Enter: true}, want: recovered},
		{name: "boot mode without effect", device: sim.Options{NoBootMode: true}, o: dfu.RecoverOptions{Enter: true},
			within: 6 * time.Second,
			want: rescue{Error: "the application runs again instead of the bootloader: boot mode 1 has no effect " +
				"on this device", Runs: "1.0.0"}},
		{name: "not asked to", o: dfu.RecoverOptions{Wait: 20 * time.Second},
			want: rescue{Error: "the application answers, not the bootloader", Runs: "1.0.0"}},

		{name: "flags in the list",
			device: sim.Options{Recovery: true, SerialRecovery: sim.SerialRecovery{State: true, SlotInfo: true}},
			want:   recovered},
		{name: "no hashes in the list",
			device: sim.Options{Blank: true, SerialRecovery: sim.SerialRecovery{NoHash: true}}, want: recovered},
		{name: "flash written in units of 32",
			device: sim.Options{Blank: true, SerialRecovery: sim.SerialRecovery{Align: 32}}, want: recovered},
		{name: "odd packets",
			device: sim.Options{Blank: true, SerialRecovery: sim.SerialRecovery{BufSize: 301, Align: 16}},
			want:   recovered},
		{name: "erasing takes half a minute", device: sim.Options{Blank: true, EraseTime: 450 * time.Millisecond},
			want: recovered},
		{name: "erasing sector by sector",
			device: sim.Options{Blank: true, EraseTime: 450 * time.Millisecond, Progressive: true}, want: recovered},
		{name: "chatter on the line", device: sim.Options{Blank: true, Noise: true}, want: recovered},
		{name: "RAM load", device: sim.Options{Mode: sim.RAMLoad, Recovery: true}, file: build(t, image.FlagRAMLoad),
			want: recovered},
		{name: "blank device, RAM load", device: sim.Options{Mode: sim.RAMLoad, Blank: true},
			file: build(t, image.FlagRAMLoad), want: recovered},
		{name: "blank device, RAM load, left in the bootloader", device: sim.Options{Mode: sim.RAMLoad, Blank: true},
			file: build(t, image.FlagRAMLoad), o: dfu.RecoverOptions{NoReset: true},
			want: rescue{Result: dfu.Uploaded, Steps: recoverAll[:2]}},
		{name: "blank device, RAM load, bootloader with a key",
			device: sim.Options{Mode: sim.RAMLoad, Blank: true, Key: publicKey(t)},
			file:   build(t, image.FlagRAMLoad),
			want:   rescue{Result: dfu.NotRunning, Steps: recoverAll[:2], Reason: dfu.NotListed}},
		{name: "swap with offset", device: sim.Options{Mode: sim.SwapOffset, Recovery: true}, want: recovered},

		{name: "the first primary slot by its number",
			device: sim.Options{Recovery: true, SerialRecovery: sim.SerialRecovery{DirectUpload: true}},
			image:  1, want: recovered},
		{name: "the secondary slot by its number",
			device: sim.Options{Recovery: true, SerialRecovery: sim.SerialRecovery{DirectUpload: true}},
			image:  2, want: rescue{Result: dfu.Uploaded, Steps: recoverAll, Runs: "1.0.0"}},
		{name: "the same with slot info",
			device: sim.Options{Recovery: true, SerialRecovery: sim.SerialRecovery{DirectUpload: true, SlotInfo: true}},
			image:  2, want: rescue{Result: dfu.Uploaded, Steps: recoverAll, Runs: "1.0.0"}},
		{name: "the second image", device: sim.Options{Images: 2, BufSize: 1024, Recovery: true}, image: 1,
			want: rescue{Result: dfu.Recovered, Steps: recoverAll, Runs: "1.0.0"}},
		{name: "the second image, MCUboot 1.10",
			device: sim.Options{Images: 2, BufSize: 1024, Recovery: true, SerialRecovery: old}, image: 1,
			want: rescue{Result: dfu.Recovered, Steps: recoverAll, Runs: "1.0.0"}},
		{name: "no such image", device: sim.Options{Recovery: true}, image: 5,
			want: rescue{Steps: recoverAll[:1],
				Error: "image upload: device refused: bad or missing argument (rc 3 EINVAL)"}},

		{name: "there already", device: sim.Options{Recovery: true}, file: load(t, "app-1.0.0.bin"),
			want: rescue{Result: dfu.Recovered, Steps: []dfu.Action{dfu.Enter, dfu.Reset, dfu.Verify}, Runs: "1.0.0"}},
		{name: "there already, but again", device: sim.Options{Recovery: true}, file: load(t, "app-1.0.0.bin"),
			o: dfu.RecoverOptions{Force: true}, want: rescue{Result: dfu.Recovered, Steps: recoverAll, Runs: "1.0.0"}},
		{name: "the right key", device: sim.Options{Recovery: true, Key: publicKey(t)}, want: recovered},
		{name: "another key", device: sim.Options{Recovery: true, Key: publicKey(t)},
			file: load(t, "app-2.0.0-otherkey.bin"), want: rescue{Steps: recoverAll[:1], Reason: dfu.NotListed}},
		{name: "another key, RAM load", device: sim.Options{Mode: sim.RAMLoad, Recovery: true, Key: publicKey(t)},
			file: load(t, "app-2.0.0-otherkey.bin"),
			want: rescue{Result: dfu.NotRunning, Steps: recoverAll[:2], Reason: dfu.NotListed}},
		{name: "too large",
			device: sim.Options{Recovery: true, Blank: true, SlotSize: 6 * sim.Sector,
				SerialRecovery: sim.SerialRecovery{SlotInfo: true}},
			want: rescue{Steps: recoverAll[:1],
				Error: "image 0: the file of 25238 bytes is larger than the slot of 24576 bytes"}},

		{name: "last answer lost", device: sim.Options{Blank: true, Faults: sim.Faults{LoseLastAnswer: true}},
			want: recovered},
		{name: "lossy line",
			device: sim.Options{Blank: true, Faults: sim.Faults{Seed: 3, DropRequest: 0.03, DropReply: 0.03}},
			want:   recovered},
		{name: "the answer to the reset is lost", device: sim.Options{Blank: true, Faults: sim.Faults{LoseReset: true}},
			want: recovered},
		{name: "a wait window that catches the first look",
			device: sim.Options{Blank: true, RecoveryWindow: 3 * time.Second}, want: recovered},
		{name: "a slow start", device: sim.Options{Blank: true, BootTime: 40 * time.Second}, want: recovered},

		{name: "an application without SMP", device: sim.Options{Blank: true, NoSMP: true},
			want: rescue{Result: dfu.Unverified, Steps: recoverAll[:2], Error: dfu.ErrNotBack.Error(), Runs: "2.0.0"}},
		{name: "an application without SMP, as the caller knows", device: sim.Options{Blank: true, NoSMP: true},
			o:    dfu.RecoverOptions{NoVerify: true},
			want: rescue{Result: dfu.Unverified, Steps: recoverAll[:3], Runs: "2.0.0"}},
		{name: "an application without the image group",
			device: sim.Options{Blank: true, NoGroups: []smp.Group{smp.GroupImage}},
			want:   rescue{Result: dfu.Unverified, Steps: recoverAll[:3], Reason: dfu.NotShown, Runs: "2.0.0"}},
		{name: "left in the bootloader", device: sim.Options{Blank: true}, o: dfu.RecoverOptions{NoReset: true},
			want: rescue{Result: dfu.Uploaded, Steps: recoverAll[:2]}},

		{name: "encrypted",
			device: sim.Options{Blank: true, SerialRecovery: sim.SerialRecovery{DecryptTime: 50 * time.Second}},
			file:   encrypted(t), want: recovered},
		{name: "encrypted, last answer lost",
			device: sim.Options{Blank: true, SerialRecovery: sim.SerialRecovery{DecryptTime: 20 * time.Second},
				Faults: sim.Faults{LoseLastAnswer: true}}, file: encrypted(t), want: recovered},
	} {
		for way, link := range ways {
			t.Run(tt.name+", "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, _ := board(t, tt.device)
					defer d.Close()
					file := tt.file
					if file == nil {
						file = load(t, "app-2.0.0.bin")
					}
					dial := func(context.Context) (*smp.Client, error) {
						return smp.NewClient(link(d), smp.Options{}), nil
					}
					start := time.Now()
					report, err := dfu.Recover(t.Context(), dial, []dfu.Target{{Image: tt.image, File: file}}, tt.o)
					limit := tt.within
					if limit == 0 {
						limit = 4 * time.Minute
					}
					if took := time.Since(start); took > limit {
						t.Errorf("it took %v, more than %v", took, limit)
					}
					time.Sleep(time.Minute) // fake: a reset that is on its way
					if got := rescueOf(d, report, err); !cmp.Equal(tt.want, got) {
						t.Errorf("(-want +got):\n%serror: %v", cmp.Diff(tt.want, got), err)
					}
				})
			})
		}
	}
}

func rescueOf(d *sim.Device, r dfu.Report, err error) rescue {
	got := rescue{Result: r.Result}
	for _, s := range r.Steps {
		got.Steps = append(got.Steps, s.Action)
	}
	var running *dfu.NotRunningError
	switch {
	case errors.As(err, &running):
		got.Reason = running.Reason
	case errors.Is(err, dfu.ErrNotBack):
		got.Error = dfu.ErrNotBack.Error()
	case err != nil:
		got.Error = err.Error()
	}
	if v, _, ok := d.Running(0); ok && !d.InRecovery() {
		got.Runs = v.String()
		got.Runs = got.Runs[:len(got.Runs)-len("+0")]
	}
	return got
}

// encrypted is an image with the toy encryption of the virtual device.
func encrypted(t *testing.T) *image.Image {
	t.Helper()
	return build(t, image.FlagEncryptedAES128)
}

// build makes an unsigned image of version 2.0.0, encrypted if a flag says so.
func build(t *testing.T, flags image.Flags) *image.Image {
	t.Helper()
	const body, wrappedKey = 9000, 24
	h := image.Header{HeaderSize: 32, ImageSize: body, Version: image.Version{Major: 2}, Flags: flags}
	if flags&image.FlagRAMLoad != 0 {
		h.LoadAddr = 0x2000_0000
	}
	b := h.Append(nil)
	for i := range body {
		b = append(b, byte(i))
	}
	sum := sha256.Sum256(b) // of the plaintext
	tlvs := entry(image.TLVSHA256, sum[:])
	if flags&image.FlagEncryptedAES128 != 0 {
		sim.ToyCipher(b[32:])
		tlvs = append(tlvs, entry(0x31, make([]byte, wrappedKey))...) // image.h: IMAGE_TLV_ENC_KW
	}
	b = binary.LittleEndian.AppendUint16(b, 0x6907)
	b = binary.LittleEndian.AppendUint16(b, uint16(4+len(tlvs)))
	m, err := image.Parse(append(b, tlvs...))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func entry(kind image.TLVType, value []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, uint16(kind))
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(value))), value...)
}

// TestRecoverAtPowerUp: the user starts the command and then resets or powers up the board, whose bootloader listens
// for half a second.
func TestRecoverAtPowerUp(t *testing.T) {
	for _, tt := range []struct {
		name   string
		device sim.Options
		note   string
	}{
		{"application answers", sim.Options{},
			"the application answers: reset or power up the board now, or ask it to reboot into the bootloader"},
		{"application without parameters", sim.Options{NoParams: true, NoInfo: true},
			"the application answers: reset or power up the board now, or ask it to reboot into the bootloader"},
		{"nobody knows the parameters", sim.Options{NoParams: true, SerialRecovery: sim.SerialRecovery{NoParams: true}},
			"the application answers: reset or power up the board now, or ask it to reboot into the bootloader"},
		{"application is silent", sim.Options{NoSMP: true}, "nothing answers: reset or power up the board now"},
		{"MCUboot 1.10", sim.Options{SerialRecovery: sim.SerialRecovery{Old: true}},
			"the application answers: reset or power up the board now, or ask it to reboot into the bootloader"},
	} {
		for way, link := range ways {
			t.Run(tt.name+", "+way, func(t *testing.T) {
				for after := range 10 { // the moment must not matter
					synctest.Test(t, func(t *testing.T) {
						tt.device.RecoveryWindow = 500 * time.Millisecond
						d, _ := board(t, tt.device)
						defer d.Close()
						time.Sleep(10 * time.Second) // fake: the window is over
						time.AfterFunc(7*time.Second+time.Duration(after)*23*time.Millisecond, d.Reset)
						dial := func(context.Context) (*smp.Client, error) {
							return smp.NewClient(link(d), smp.Options{}), nil
						}
						var notes []string
						report, err := dfu.Recover(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}},
							dfu.RecoverOptions{
								NoVerify: true, OnEvent: func(e dfu.Event) {
									if e.Phase == dfu.Note && e.Step.Action == dfu.Enter {
										notes = append(notes, e.Text)
									}
								}})
						if err != nil || report.Result != dfu.Unverified {
							t.Errorf("reset after %v: Recover = %s, %v", after, report.Result, err)
						}
						if len(notes) == 0 || notes[0] != tt.note {
							t.Errorf("reset after %v: the user was told %q, want %q first", after, notes, tt.note)
						}
					})
				}
			})
		}
	}
}

// TestRecoverNothingThere: every wait is bounded, and an error that will not pass ends it at once.
func TestRecoverNothingThere(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "port", Err: fs.ErrPermission}
	missing := &fs.PathError{Op: "open", Path: "port", Err: fs.ErrNotExist}
	for _, tt := range []struct {
		name string
		dial dfu.Dial
		took time.Duration
		want error
	}{
		{"no port", func(context.Context) (*smp.Client, error) { return nil, missing }, 30 * time.Second,
			fs.ErrNotExist},
		{"port of another user", func(context.Context) (*smp.Client, error) { return nil, denied }, 0,
			fs.ErrPermission},
		{"dark device", func(context.Context) (*smp.Client, error) { return nil, nil }, 30 * time.Second,
			smp.ErrNoReply},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, _ := board(t, sim.Options{NoSMP: true})
				defer d.Close()
				dial := func(ctx context.Context) (*smp.Client, error) {
					if c, err := tt.dial(ctx); c != nil || err != nil {
						return c, err
					}
					return smp.NewClient(d.Link(), smp.Options{}), nil
				}
				start := time.Now()
				_, err := dfu.Recover(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}},
					dfu.RecoverOptions{Wait: 30 * time.Second})
				if took := time.Since(start); !errors.Is(err, tt.want) || took > tt.took || took < tt.took {
					t.Errorf("Recover = %v after %v, want %v after %v", err, took, tt.want, tt.took)
				}
			})
		})
	}
}

// TestRecoverPowerLoss takes the power away somewhere in the upload. The device is without an application then, and the
// upload starts again when it is back.
func TestRecoverPowerLoss(t *testing.T) {
	for _, n := range []int{200, 1000, 4000, 12000, 26000, 36000} {
		for way, link := range ways {
			t.Run(fmt.Sprintf("after %d bytes, %s", n, way), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, _ := board(t,
						sim.Options{Blank: true, Faults: sim.Faults{VanishAfter: n, VanishFor: 3 * time.Second}})
					defer d.Close()
					dial := func(context.Context) (*smp.Client, error) {
						return smp.NewClient(link(d), smp.Options{}), nil
					}
					report, err := dfu.Recover(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}},
						dfu.RecoverOptions{})
					if got := rescueOf(d, report, err); got.Result != dfu.Recovered || got.Runs != "2.0.0" {
						t.Errorf("%+v, %v", got, err)
					}
				})
			})
		}
	}
}

// TestRecoverMeetsApplication: the device restarts before anything was written, and the application that comes up takes
// the upload.
func TestRecoverMeetsApplication(t *testing.T) {
	for way, link := range ways {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, _ := board(t,
					sim.Options{Recovery: true, Faults: sim.Faults{VanishAfter: 300, VanishFor: 3 * time.Second}})
				defer d.Close()
				dial := func(context.Context) (*smp.Client, error) { return smp.NewClient(link(d), smp.Options{}), nil }
				report, err := dfu.Recover(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}},
					dfu.RecoverOptions{Wait: 20 * time.Second})
				var outside *dfu.BootloaderError
				if got := rescueOf(d, report, err); !errors.As(err, &outside) || got.Runs != "1.0.0" {
					t.Errorf("%+v, %v", got, err)
				}
			})
		})
	}
}

// TestRecoverInterrupted stops a recovery after each of its events and starts it again: it must always end with the new
// image running.
func TestRecoverInterrupted(t *testing.T) {
	errStop := errors.New("stopped")
	for stop := 1; stop < 200; stop++ {
		ended := false
		t.Run(fmt.Sprint("after event ", stop), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, dial := board(t, sim.Options{})
				defer d.Close()
				ctx, cancel := context.WithCancelCause(t.Context())
				events := 0
				targets := []dfu.Target{{File: load(t, "app-2.0.0.bin")}}
				_, err := dfu.Recover(ctx, dial, targets, dfu.RecoverOptions{Enter: true, OnEvent: func(dfu.Event) {
					if events++; events == stop {
						cancel(errStop)
					}
				}})
				if ended = err == nil; !ended && !errors.Is(err, errStop) {
					t.Fatalf("first run: %v", err)
				}
				time.Sleep(10 * time.Second) // fake: a device that was resetting is back
				report, err := dfu.Recover(t.Context(), dial, targets, dfu.RecoverOptions{Enter: true})
				if got := rescueOf(d, report, err); got.Result != dfu.Recovered || got.Runs != "2.0.0" {
					t.Errorf("second run: %+v, %v", got, err)
				}
			})
		})
		if ended {
			return
		}
	}
	t.Error("the recovery has more events than the test stops at")
}

// TestRecoverSeveral brings both images of a blank device in one go.
func TestRecoverSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dial := board(t, sim.Options{Images: 2, BufSize: 1024, Blank: true})
		defer d.Close()
		targets := []dfu.Target{{Image: 0, File: load(t, "app-3.0.0.bin")}, {Image: 1, File: load(t, "app-2.0.0.bin")}}
		report, err := dfu.Recover(t.Context(), dial, targets, dfu.RecoverOptions{})
		if err != nil || report.Result != dfu.Recovered {
			t.Fatalf("Recover = %s, %v", report.Result, err)
		}
		for number, want := range []string{"3.0.0", "2.0.0"} {
			if active, _ := report.After.Active(number); active.Version != want {
				t.Errorf("image %d: %+v, want %s", number, active, want)
			}
		}
	})
}
