package smp_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// bare is an application that says as little as a build can.
var bare = sim.Options{NoParams: true, NoInfo: true, NoBootloaderInfo: true, NoSlotInfo: true, NoEcho: true,
	NoTaskStat: true, Frugal: true}

func TestWho(t *testing.T) {
	recovery := func(s sim.SerialRecovery) sim.Options { return sim.Options{Recovery: true, SerialRecovery: s} }
	with := func(o sim.Options, change func(*sim.Options)) sim.Options { change(&o); return o }
	for _, tt := range []struct {
		name   string
		o      sim.Options
		want   smp.Firmware
		images int
	}{
		{"application", sim.Options{}, smp.Application, 1},
		{"frugal application", sim.Options{Frugal: true}, smp.Application, 1},
		{"frugal application with one buffer", sim.Options{Frugal: true, BufCount: 2, NoParams: true}, smp.Application,
			1},
		{"bare application", bare, smp.Application, 1},
		{"bare application from before version 2", with(bare, func(o *sim.Options) { o.Legacy = true }),
			smp.Application, 1},
		{"bare application, RAM load", with(bare, func(o *sim.Options) { o.Mode = sim.RAMLoad }), smp.Application, 1},
		{"application without image commands", sim.Options{NoGroups: []smp.Group{smp.GroupImage}}, smp.Application, -1},
		{"bootloader", recovery(sim.SerialRecovery{}), smp.SerialRecovery, 1},
		{"bootloader without parameters", recovery(sim.SerialRecovery{NoParams: true}), smp.SerialRecovery, 1},
		{"bootloader that marks the image it would start", recovery(sim.SerialRecovery{State: true}),
			smp.SerialRecovery, 1},
		{"bootloader with flags and echo", recovery(sim.SerialRecovery{State: true, Echo: true, SlotInfo: true}),
			smp.SerialRecovery, 1},
		{"bootloader without hashes", recovery(sim.SerialRecovery{NoHash: true}), smp.SerialRecovery, 1},
		{"MCUboot 1.10", recovery(sim.SerialRecovery{Old: true}), smp.SerialRecovery, 1},
		{"blank", sim.Options{Blank: true}, smp.SerialRecovery, 0},
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
				if _, err := c.Negotiate(t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // the only buffer of one device is free again a moment after its answer
				before := d.Stats().Requests
				got, l, err := c.Who(t.Context())
				if got != tt.want || err != nil {
					t.Errorf("Who = %v, %v, want %v", got, err, tt.want)
				}
				images := len(l.Images)
				if l.Images == nil {
					images = -1
				}
				if images != tt.images {
					t.Errorf("it lists %d images, want %d", images, tt.images)
				}
				want := 2
				if l.SplitStatus != nil || l.Images == nil {
					want = 1
				}
				if asked := d.Stats().Requests - before; asked != want {
					t.Errorf("it took %d requests, want %d", asked, want)
				}
			})
		})
	}
}

// TestWhoSilence: a server that is silent about the console echo is told apart by its flags, and soon.
func TestWhoSilence(t *testing.T) {
	active := []reply{{"slot": 0, "version": "1.0.0", "active": true}}
	for _, tt := range []struct {
		name    string
		images  []reply
		buffers int
		want    smp.Firmware
	}{
		{"an image runs", active, 4, smp.Application},
		{"an image runs, and the device has no buffer to spare", active, 2, smp.Application},
		{"no image runs", []reply{{"slot": 0, "version": "1.0.0", "confirmed": true}}, 4, smp.SerialRecovery},
		{"no image", []reply{}, 4, smp.SerialRecovery},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := connect(t, func(l *link, p []byte) {
					switch commandOf(p) {
					case params:
						l.reply(response(p, encode(reply{"buf_size": 1024, "buf_count": tt.buffers})))
					case list:
						l.reply(response(p, encode(reply{"images": tt.images})))
					}
				}, smp.Options{})
				start := time.Now()
				got, l, err := c.Who(t.Context())
				if took := time.Since(start); got != tt.want || err != nil || took > 2*time.Second {
					t.Errorf("Who = %v, %v after %v, want %v within 2s", got, err, took, tt.want)
				}
				if len(l.Images) != len(tt.images) {
					t.Errorf("Who lists %v, want %d images", l, len(tt.images))
				}
			})
		})
	}
}

// TestWhoOnALossyLine: one lost answer does not make the bootloader an application. It happened to one that marks the
// image that it would start, because the request was sent once.
func TestWhoOnALossyLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c, _ := connect(t, func(l *link, p []byte) {
			switch commandOf(p) {
			case params:
				l.reply(response(p, encode(reply{"buf_size": 1024, "buf_count": 1})))
			case list:
				l.reply(response(p, encode(reply{"images": []reply{{"slot": 0, "version": "1.0.0", "active": true}}})))
			default:
				if asked++; asked > 1 {
					l.reply(response(p, encode(reply{"rc": 0})))
				}
			}
		}, smp.Options{})
		if got, _, err := c.Who(t.Context()); got != smp.SerialRecovery || err != nil {
			t.Errorf("Who = %v, %v, want %v", got, err, smp.SerialRecovery)
		}
	})
}

// TestWhoRefusals: what a refused list means, and what a refused console echo.
func TestWhoRefusals(t *testing.T) {
	listed := reply{"images": []reply{{"slot": 0, "version": "1.0.0"}}}
	for _, tt := range []struct {
		name       string
		list, echo []byte
		want       smp.Firmware
		err        bool
	}{
		{"no list command", encode(reply{"rc": 8}), nil, smp.Application, false},
		{"the list fails", encode(reply{"rc": 1}), nil, smp.UnknownFirmware, true},
		{"the list is busy", encode(reply{"rc": 10}), nil, smp.UnknownFirmware, true},
		{"the list is nonsense", []byte("nonsense"), nil, smp.UnknownFirmware, true},
		{"echo control is unknown", encode(listed), encode(reply{"rc": 8}), smp.Application, false},
		{"echo control is forbidden", encode(listed), encode(reply{"rc": 11}), smp.Application, false},
		{"echo control of group errors", encode(listed), encode(reply{"err": reply{"group": 0, "rc": 1}}),
			smp.Application, false},
		{"echo control with an empty answer", encode(listed), encode(reply{}), smp.SerialRecovery, false},
		{"echo control is nonsense", encode(listed), []byte("nonsense"), smp.UnknownFirmware, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := connect(t, func(l *link, p []byte) {
					switch commandOf(p) {
					case params:
						l.reply(response(p, encode(reply{"rc": 8})))
					case list:
						l.reply(response(p, tt.list))
					default:
						l.reply(response(p, tt.echo))
					}
				}, smp.Options{})
				got, _, err := c.Who(t.Context())
				if got != tt.want || (err != nil) != tt.err {
					t.Errorf("Who = %v, %v, want %v, an error: %v", got, err, tt.want, tt.err)
				}
			})
		})
	}
}

func TestCatchBootloader(t *testing.T) {
	const interval = 80 * time.Millisecond
	for _, tt := range []struct {
		name     string
		deaf     int // requests without an answer
		answer   []byte
		requests int
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
				got, err := c.CatchBootloader(t.Context(), interval)
				if diff := cmp.Diff(tt.answer, got); diff != "" || err != nil {
					t.Errorf("CatchBootloader: %v (-want +got):\n%s", err, diff)
				}
				if took, want := time.Since(start), time.Duration(tt.deaf)*interval; took != want {
					t.Errorf("CatchBootloader took %v, want %v", took, want)
				}
				requests := l.requests()
				if len(requests) != tt.requests {
					t.Errorf("%d requests, want %d", len(requests), tt.requests)
				}
				for _, p := range requests {
					if p[0] != 0 || commandOf(p) != params {
						t.Errorf("%x is no version 1 request for the parameters", p)
					}
				}
			})
		})
	}
}

func TestCatchBootloaderEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := connect(t, func(*link, []byte) {}, smp.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := c.CatchBootloader(ctx, 80*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("CatchBootloader = %v, want the end of the context", err)
		}
		time.AfterFunc(time.Second, func() { l.fail(errors.New("unplugged")) })
		if _, err := c.CatchBootloader(t.Context(), 80*time.Millisecond); !errors.Is(err, smp.ErrClosed) {
			t.Errorf("CatchBootloader = %v, want %v", err, smp.ErrClosed)
		}
	})
}

// TestApplicationProbesDoNotPileUp has a link that takes nothing for ten seconds: eight probes at once would find no
// buffer afterwards.
func TestApplicationProbesDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(func(*link, []byte) {})
		l.stuck = make(chan struct{})
		c := smp.NewClient(l, smp.Options{})
		defer c.Close()
		const interval = 80 * time.Millisecond
		time.AfterFunc(10*time.Second+interval/4, func() { close(l.stuck) }) // between two probes
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+interval/2)
		defer cancel()
		if err := c.AwaitApplication(ctx, interval); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("AwaitApplication = %v, want the end of the context", err)
		}
		if n := len(l.requests()); n != 1 {
			t.Errorf("%d probes came at once, want 1", n)
		}
	})
}

// TestUploadInRecovery looks at every request: two at a time, with raw framing one, of at most 512 bytes with the
// framing of a serial port, with the image number in each, and without the keys that an old bootloader refuses.
func TestUploadInRecovery(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options smp.Options
		params  reply
		framing int // bytes in the device's buffer
		largest int
		most    int
	}{
		{"bootloader without parameters", smp.Options{Window: 4}, reply{"rc": 8}, 4, 508, 2},
		{"bootloader with parameters", smp.Options{Window: 4}, reply{"buf_size": 1024, "buf_count": 1}, 4, 1020, 2},
		{"one at a time, by the user", smp.Options{Window: 1}, reply{"buf_size": 1024, "buf_count": 1}, 4, 1020, 1},
		{"raw framing", smp.Options{}, reply{"buf_size": 1024, "buf_count": 1}, 0, 1024, 1},
		{"the user knows better", smp.Options{Buffer: 300}, reply{"rc": 8}, 4, 296, 2},
		{"the user sets a limit", smp.Options{MaxBuffer: 400}, reply{"rc": 8}, 4, 396, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var free time.Time // when the device is done with all that it has
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
					mu.Lock()
					defer mu.Unlock()
					open++
					most, largest = max(most, open), max(largest, len(p))
					free = later(free, time.Now()).Add(50 * time.Millisecond)
					time.AfterFunc(time.Until(free), func() {
						mu.Lock()
						open--
						mu.Unlock()
						l.reply(response(p,
							encode(reply{"rc": 0, "off": int(q["off"].(uint64)) + len(q["data"].([]byte))})))
					})
				})
				l.overhead = tt.framing
				c := smp.NewClient(l, tt.options)
				defer c.Close()
				r, err := c.Image.Upload(t.Context(), make([]byte, 5000), smp.ImageUpload{Image: 1, Recovery: true})
				if err != nil {
					t.Fatalf("Upload = %+v, %v", r, err)
				}
				if most != tt.most {
					t.Errorf("%d requests in flight, want %d", most, tt.most)
				}
				if largest > tt.largest || largest < tt.largest-32 {
					t.Errorf("largest request of %d bytes, want about %d", largest, tt.largest)
				}
			})
		})
	}
}

// TestUploadEncryptedEndsOnce: in the bootloader the last chunk of an encrypted image is not sent again, whatever gets
// lost.
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
				r, err := c.Image.Upload(t.Context(), make([]byte, size),
					smp.ImageUpload{Hash: hash, Recovery: true, Encrypted: tt.encrypted})
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
