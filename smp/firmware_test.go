package smp_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// bare is an application that says as little as a build can.
var bare = sim.Options{NoParams: true, NoInfo: true, NoBootloaderInfo: true, NoSlotInfo: true, NoEcho: true, NoTaskStat: true, Frugal: true}

func TestIdentify(t *testing.T) {
	recovery := func(s sim.SerialRecovery) sim.Options { return sim.Options{Recovery: true, SerialRecovery: s} }
	with := func(o sim.Options, change func(*sim.Options)) sim.Options { change(&o); return o }
	for _, tt := range []struct {
		name string
		o    sim.Options
		want smp.Firmware
	}{
		{"application", sim.Options{}, smp.Application},
		{"frugal application", sim.Options{Frugal: true}, smp.Application},
		{"frugal application with one buffer", sim.Options{Frugal: true, BufCount: 2, NoParams: true}, smp.Application},
		{"bare application", bare, smp.Application},
		{"bare application from before version 2", with(bare, func(o *sim.Options) { o.Legacy = true }), smp.Application},
		{"bare application, RAM load", with(bare, func(o *sim.Options) { o.Mode = sim.RAMLoad }), smp.Application},
		{"bootloader", recovery(sim.SerialRecovery{}), smp.SerialRecovery},
		{"bootloader without parameters", recovery(sim.SerialRecovery{NoParams: true}), smp.SerialRecovery},
		{"bootloader with flags and echo", recovery(sim.SerialRecovery{State: true, Echo: true, SlotInfo: true}), smp.SerialRecovery},
		{"bootloader without hashes", recovery(sim.SerialRecovery{NoHash: true}), smp.SerialRecovery},
		{"MCUboot 1.10", recovery(sim.SerialRecovery{Old: true}), smp.SerialRecovery},
		{"blank", sim.Options{Blank: true}, smp.SerialRecovery},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, err := sim.NewDevice(tt.o)
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				c := smp.NewClient(d.Link(), smp.Options{})
				defer c.Close()
				l, err := c.Image.List(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // the only buffer of one device is free again a moment after its answer
				before := d.Stats().Requests
				got, err := c.Identify(t.Context(), l)
				if got != tt.want || err != nil {
					t.Errorf("Identify = %v, %v, want %v", got, err, tt.want)
				}
				want := 1
				if l.SplitStatus != nil {
					want = 0
				}
				if asked := d.Stats().Requests - before; asked != want {
					t.Errorf("it took %d requests, want %d", asked, want)
				}
			})
		})
	}
}

// A server that is silent about the console echo is told apart by its flags.
func TestIdentifySilence(t *testing.T) {
	for _, tt := range []struct {
		name string
		list smp.ImageList
		want smp.Firmware
	}{
		{"an image runs", smp.ImageList{Images: []smp.ImageState{{Active: true}}}, smp.Application},
		{"no image runs", smp.ImageList{Images: []smp.ImageState{{Confirmed: true}}}, smp.SerialRecovery},
		{"no image", smp.ImageList{}, smp.SerialRecovery},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := connect(t, func(l *link, p []byte) {
					if commandOf(p) == params {
						l.reply(response(p, encode(reply{"rc": 8})))
					}
				}, smp.Options{})
				start := time.Now()
				got, err := c.Identify(t.Context(), tt.list)
				if got != tt.want || err != nil || time.Since(start) > 3*time.Second {
					t.Errorf("Identify = %v, %v after %v, want %v", got, err, time.Since(start), tt.want)
				}
			})
		})
	}
}

func TestKnock(t *testing.T) {
	const interval = 80 * time.Millisecond
	for _, tt := range []struct {
		name   string
		deaf   int // requests without an answer
		answer []byte
		knocks int
	}{
		{"parameters", 0, encode(reply{"buf_size": 1024, "buf_count": 1}), 1},
		{"refusal", 5, encode(reply{"rc": 8}), 6},
		{"after a minute", 750, encode(reply{"rc": 8}), 751},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				c, l := connect(t, func(l *link, p []byte) {
					if n++; n > tt.deaf {
						l.reply(response(p, tt.answer))
					}
				}, smp.Options{})
				start := time.Now()
				got, err := c.Knock(t.Context(), interval)
				if diff := cmp.Diff(tt.answer, got); diff != "" || err != nil {
					t.Errorf("Knock: %v (-want +got):\n%s", err, diff)
				}
				if took, want := time.Since(start), time.Duration(tt.deaf)*interval; took != want {
					t.Errorf("Knock took %v, want %v", took, want)
				}
				requests := l.requests()
				if len(requests) != tt.knocks {
					t.Errorf("%d knocks, want %d", len(requests), tt.knocks)
				}
				for _, p := range requests {
					if p[0] != 0 || commandOf(p) != params {
						t.Errorf("knock %x is no version 1 request for the parameters", p)
					}
				}
			})
		})
	}
}

func TestKnockEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := connect(t, func(*link, []byte) {}, smp.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := c.Knock(ctx, 80*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Knock = %v, want the end of the context", err)
		}
		time.AfterFunc(time.Second, func() { l.fail(errors.New("unplugged")) })
		if _, err := c.Knock(t.Context(), 80*time.Millisecond); !errors.Is(err, smp.ErrClosed) {
			t.Errorf("Knock = %v, want %v", err, smp.ErrClosed)
		}
	})
}

// TestUploadInRecovery looks at every request: one at a time, of at most 512 bytes with the framing of a serial port, with the image number
// in each, and without the keys that an old bootloader refuses.
func TestUploadInRecovery(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options smp.Options
		params  reply
		largest int
	}{
		{"bootloader without parameters", smp.Options{Window: 4}, reply{"rc": 8}, 508},
		{"bootloader with parameters", smp.Options{Window: 4}, reply{"buf_size": 1024, "buf_count": 1}, 1020},
		{"the user knows better", smp.Options{Buffer: 300}, reply{"rc": 8}, 296},
		{"the user sets a limit", smp.Options{MaxBuffer: 400}, reply{"rc": 8}, 396},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				open, most, largest := 0, 0, 0
				l := newLink(func(l *link, p []byte) {
					if commandOf(p) == params {
						l.reply(response(p, encode(tt.params)))
						return
					}
					var q map[string]any
					if err := cbor.Unmarshal(p[smp.HeaderLen:], &q); err != nil {
						t.Error(err)
					}
					if q["image"] != uint64(1) || q["upgrade"] != nil {
						t.Errorf("chunk at %v with image %v and upgrade %v", q["off"], q["image"], q["upgrade"])
					}
					open++
					most, largest = max(most, open), max(largest, len(p))
					time.AfterFunc(50*time.Millisecond, func() {
						open--
						l.reply(response(p, encode(reply{"rc": 0, "off": int(q["off"].(uint64)) + len(q["data"].([]byte))})))
					})
				})
				l.overhead = 4
				c := smp.NewClient(l, tt.options)
				defer c.Close()
				r, err := c.Image.Upload(t.Context(), make([]byte, 5000), smp.ImageUpload{Image: 1, Recovery: true})
				if err != nil {
					t.Fatalf("Upload = %+v, %v", r, err)
				}
				if most != 1 {
					t.Errorf("%d requests in flight", most)
				}
				if largest > tt.largest || largest < tt.largest-32 {
					t.Errorf("largest request of %d bytes, want about %d", largest, tt.largest)
				}
			})
		})
	}
}

// TestUploadEncryptedEndsOnce: in the bootloader the last chunk of an encrypted image is not sent again, whatever gets lost.
func TestUploadEncryptedEndsOnce(t *testing.T) {
	hash := make(smp.Hash, 32)
	hash[0] = 1
	for _, tt := range []struct {
		name      string
		encrypted bool
		lost      string // of the last chunk
		ends      int    // last chunks
		firsts    int    // first chunks
	}{
		{"nothing lost", true, "", 1, 1},
		{"answer lost", true, "answer", 1, 1},
		{"request lost", true, "request", 2, 2},
		{"not encrypted, answer lost", false, "answer", 2, 1},
		{"not encrypted, request lost", false, "request", 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size = 2000
				off, ends, firsts := 0, 0, 0
				c, _ := connect(t, func(l *link, p []byte) {
					switch commandOf(p) {
					case params:
						l.reply(response(p, encode(reply{"buf_size": 512, "buf_count": 1})))
					case list:
						images := []reply{}
						if off == size {
							images = append(images, reply{"slot": 0, "hash": []byte(hash), "version": "1.0.0"})
						}
						l.reply(response(p, encode(reply{"images": images})))
					case upload:
						var q struct {
							Off  int    `cbor:"off"`
							Data []byte `cbor:"data"`
						}
						if err := cbor.Unmarshal(p[smp.HeaderLen:], &q); err != nil {
							t.Error(err)
						}
						last := q.Off+len(q.Data) == size
						if last {
							ends++
						}
						if last && ends == 1 && tt.lost == "request" {
							return
						}
						if q.Off == 0 {
							off = 0
							firsts++
						}
						if q.Off == off {
							off += len(q.Data)
						}
						if !last || ends > 1 || tt.lost != "answer" {
							l.reply(response(p, encode(reply{"rc": 0, "off": off})))
						}
					}
				}, smp.Options{})
				r, err := c.Image.Upload(t.Context(), make([]byte, size), smp.ImageUpload{Hash: hash, Recovery: true, Encrypted: tt.encrypted})
				if err != nil {
					t.Errorf("Upload = %+v, %v", r, err)
				}
				if ends != tt.ends || firsts != tt.firsts {
					t.Errorf("%d last chunks and %d first ones, want %d and %d", ends, firsts, tt.ends, tt.firsts)
				}
			})
		})
	}
}
