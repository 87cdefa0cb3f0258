package smp_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
)

// settling is a device for the negotiation alone: answer gives the payload for the nth request and what its header's
// version bits say; nil is silence.
func settling(answer func(n int, version smp.Version) []byte) device {
	n := 0
	return func(l *link, p []byte) {
		n++
		h, _, _ := smp.ParseHeader(p)
		if body := answer(n, h.Version); body != nil {
			l.reply(response(p, body))
		}
	}
}

var goodParams = encode(reply{"buf_size": 384, "buf_count": 4})

func rc(n int) []byte { return encode(reply{"rc": n}) }

func TestNegotiate(t *testing.T) {
	always := func(body []byte) func(int, smp.Version) []byte {
		return func(int, smp.Version) []byte { return body }
	}
	told := smp.Params{BufferSize: 384, BufferCount: 4, Known: true}
	assumed := smp.Params{BufferSize: 256, BufferCount: 1}
	tests := []struct {
		name    string
		answer  func(n int, version smp.Version) []byte
		options smp.Options
		want    smp.Params
		version smp.Version
		asked   string // the versions of the probes
		took    time.Duration
	}{
		{"version 2", always(goodParams), smp.Options{}, told, smp.V2, "2", 0},
		{"version 1 forced", always(goodParams), smp.Options{Version: smp.V1}, told, smp.V1, "1", 0},
		{"MCUboot 1.10, silent in version 2", func(_ int, v smp.Version) []byte {
			if v == smp.V2 {
				return nil
			}
			return rc(8)
		}, smp.Options{}, assumed, smp.V1, "212", 1300 * time.Millisecond},
		{"starting, and up when it is asked in version 1", func(n int, _ smp.Version) []byte {
			if n < 3 {
				return nil
			}
			return goodParams
		}, smp.Options{}, told, smp.V2, "2112", 4 * time.Second},
		{"first request lost", func(n int, _ smp.Version) []byte {
			if n == 1 {
				return nil
			}
			return goodParams
		}, smp.Options{}, told, smp.V2, "212", time.Second},
		{"version 2 too new", func(_ int, v smp.Version) []byte {
			if v == smp.V2 {
				return rc(13)
			}
			return goodParams
		}, smp.Options{}, told, smp.V1, "21", 0},
		{"version 1 too old", func(n int, v smp.Version) []byte {
			switch {
			case n < 3:
				return nil
			case v == smp.V1:
				return rc(12)
			}
			return goodParams
		}, smp.Options{}, told, smp.V2, "2112", 4 * time.Second},
		{"forced version refused", always(rc(13)), smp.Options{Version: smp.V2}, assumed, smp.V2, "2", 0},
		{"no such command", always(rc(8)), smp.Options{}, assumed, smp.V2, "2", 0},
		{"group error", always(encode(reply{"err": reply{"group": 0, "rc": 1}})), smp.Options{}, assumed, smp.V2, "2",
			0},
		{"nonsense", always([]byte{0xff, 0xff}), smp.Options{}, assumed, smp.V2, "2", 0},
		{"empty answer", always([]byte{}), smp.Options{}, assumed, smp.V2, "2", 0},
		{"short patience", func(_ int, v smp.Version) []byte {
			if v == smp.V2 {
				return nil
			}
			return goodParams
		}, smp.Options{Timeout: 600 * time.Millisecond, Tries: 1}, told, smp.V1, "212", 420 * time.Millisecond},
		{"three requests in a row lost", func(n int, _ smp.Version) []byte {
			if n <= 3 {
				return nil
			}
			return goodParams
		}, smp.Options{}, told, smp.V2, "21112", 8 * time.Second},
		{"user knows the buffer", always(rc(8)), smp.Options{Buffer: 2048},
			smp.Params{BufferSize: 2048, BufferCount: 1}, smp.V2, "2", 0},
		{"user limits the buffer", always(goodParams), smp.Options{MaxBuffer: 300},
			smp.Params{BufferSize: 300, BufferCount: 4, Known: true}, smp.V2, "2", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, l := connect(t, settling(tt.answer), tt.options)
				took(t, tt.took, func() {
					got, err := c.Negotiate(t.Context())
					if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
						t.Errorf("Negotiate (-want +got): %v\n%s", err, diff)
					}
				})
				if c.Version() != tt.version {
					t.Errorf("version %v, want %v", c.Version(), tt.version)
				}
				c.Negotiate(t.Context())
				checkProbes(t, l, tt.asked)
			})
		})
	}
}

// checkProbes fails the test unless the requests so far are parameter requests in these versions.
func checkProbes(t *testing.T, l *link, want string) {
	t.Helper()
	var got strings.Builder
	for _, p := range l.requests() {
		h, payload, _ := smp.ParseHeader(p)
		if commandOf(p) != params || string(payload) != "\xa0" {
			t.Errorf("%x is no parameter request", p)
		}
		fmt.Fprint(&got, h.Version)
	}
	if got.String() != want {
		t.Errorf("asked in versions %s, want %s", &got, want)
	}
}

func TestNegotiateAbsurdParameters(t *testing.T) {
	assumed := smp.Params{BufferSize: 256, BufferCount: 1}
	tests := []struct {
		name string
		body []byte
		want smp.Params
	}{
		{"no buffer", encode(reply{"buf_size": 0, "buf_count": 4}), assumed},
		{"too small for a chunk", encode(reply{"buf_size": 63, "buf_count": 4}), assumed},
		{"smallest", encode(reply{"buf_size": 64, "buf_count": 4}),
			smp.Params{BufferSize: 64, BufferCount: 4, Known: true}},
		{"huge", encode(reply{"buf_size": uint64(math.MaxUint64), "buf_count": uint64(math.MaxUint64)}),
			smp.Params{BufferSize: 65535, BufferCount: 255, Known: true}},
		{"no count", encode(reply{"buf_size": 512}), smp.Params{BufferSize: 512, BufferCount: 1, Known: true}},
		{"count of none", encode(reply{"buf_size": 512, "buf_count": 0}),
			smp.Params{BufferSize: 512, BufferCount: 1, Known: true}},
		{"negative size", encode(reply{"buf_size": -384, "buf_count": 4}), assumed},
		{"negative count", encode(reply{"buf_size": 384, "buf_count": -1}), assumed},
		{"beyond 64 bits", []byte("\xbf\x68buf_size\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00\xff"), assumed},
		{"text", encode(reply{"buf_size": "384"}), assumed},
		{"fraction", encode(reply{"buf_size": 384.5}), assumed},
		{"not a number", encode(reply{"buf_size": math.NaN()}), assumed},
		{"twice", []byte("\xbf\x68buf_size\x19\x01\x80\x68buf_size\x19\x10\x00\xff"), assumed},
		{"empty map", []byte{0xbf, 0xff}, assumed},
		{"a list", encode([]int{384, 4}), assumed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := connect(t, settling(func(int, smp.Version) []byte { return tt.body }), smp.Options{})
				got, err := c.Negotiate(t.Context())
				if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
					t.Errorf("Negotiate (-want +got): %v\n%s", err, diff)
				}
			})
		})
	}
}

func TestPacketLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := connect(t, settling(func(int, smp.Version) []byte { return goodParams }), smp.Options{})
		l.overhead = 4
		before := c.PacketLimit()
		c.Negotiate(t.Context())
		after := c.PacketLimit()
		c.Restarted()
		if got := []int{before, after, c.PacketLimit()}; !cmp.Equal(got, []int{252, 380, 252}) {
			t.Errorf("limits before, after, forgotten: %v, want 252, 380, 252", got)
		}
	})
}

func TestNegotiateWithASilentDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := connect(t, nil, smp.Options{})
		var group sync.WaitGroup
		for range 20 { // nobody waits for the others' turn to ask
			group.Go(func() {
				took(t, 9*time.Second, func() {
					if _, err := c.OS.Echo(t.Context(), "x"); !errors.Is(err, smp.ErrNoReply) ||
						err.Error() != "echo: no reply within 3s (3 tries)" {
						t.Errorf("Echo: %v", err)
					}
				})
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		synctest.Wait()
		took(t, time.Second, func() {
			if _, err := c.Negotiate(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Negotiate with a short context: %v", err)
			}
		})
		group.Wait()
		checkProbes(t, l, "2111") // few: a device that is only busy queues them all
	})
}

func TestNegotiateOnceForManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := connect(t, func(l *link, p []byte) {
			time.AfterFunc(time.Second/2, func() {
				if commandOf(p) == params {
					l.reply(response(p, encode(reply{"buf_size": 1024, "buf_count": 32})))
				} else {
					l.reply(echoed(p))
				}
			})
		}, smp.Options{})
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() { took(t, time.Second, func() { c.OS.Echo(t.Context(), "x") }) })
		}
		group.Wait()
		if n := len(l.requests()); n != 21 {
			t.Errorf("%d requests, want 1 for the parameters and 20", n)
		}
	})
}

// A device that was busy answers all probes at once; the late ones must not change what the first one settled.
func TestNegotiateWithABusyDevice(t *testing.T) {
	tests := []struct {
		name    string
		answer  func(version smp.Version) []byte
		version smp.Version
		asked   string
	}{
		{"version 2", func(smp.Version) []byte { return goodParams }, smp.V2, "21"},
		{"version 1 only", func(v smp.Version) []byte {
			if v == smp.V2 {
				return rc(13)
			}
			return goodParams
		}, smp.V1, "21"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &hindered{answer: func(p []byte, v smp.Version) []byte { return response(p, tt.answer(v)) },
					until: time.Now().Add(1500 * time.Millisecond), busy: true}
				c, l := connect(t, h.receive, smp.Options{})
				took(t, 1500*time.Millisecond, func() {
					if got, err := c.Negotiate(t.Context()); got.BufferSize != 384 || err != nil {
						t.Errorf("Negotiate = %v, %v", got, err)
					}
				})
				if c.Version() != tt.version {
					t.Errorf("version %v, want %v", c.Version(), tt.version)
				}
				checkProbes(t, l, tt.asked)
			})
		})
	}
}

func TestNegotiateNeitherVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := connect(t, settling(func(_ int, v smp.Version) []byte {
			if v == smp.V2 {
				return rc(13)
			}
			return rc(12)
		}), smp.Options{})
		var refused *smp.DeviceError
		if _, err := c.Negotiate(t.Context()); !errors.As(err, &refused) || refused.Code != 12 {
			t.Errorf("Negotiate: %v, want the device's refusal", err)
		}
		checkProbes(t, l, "21")
	})
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		size := 384
		c, _ := connect(t, settling(func(int, smp.Version) []byte { return encode(reply{"buf_size": size}) }),
			smp.Options{})
		c.Negotiate(t.Context())
		size = 1024
		c.Restarted()
		if c.Version() != smp.Auto {
			t.Errorf("version %v after Restarted", c.Version())
		}
		if got, err := c.Negotiate(t.Context()); got.BufferSize != 1024 || err != nil {
			t.Errorf("Negotiate after Restarted = %v, %v", got, err)
		}
	})
}

// What the device said before its restart must not be remembered after it.
func TestForgetWhileNegotiating(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var size atomic.Int64
		size.Store(384)
		c, l := connect(t, func(l *link, p []byte) {
			body := encode(reply{"buf_size": size.Load()})
			time.AfterFunc(time.Second/2, func() { l.reply(response(p, body)) })
		}, smp.Options{})
		wait := async(func() (smp.Params, error) { return c.Negotiate(t.Context()) })
		time.Sleep(time.Second / 4)
		took(t, 0, c.Restarted)
		size.Store(1024)
		wait()
		if got, err := c.Negotiate(t.Context()); got.BufferSize != 1024 || err != nil {
			t.Errorf("Negotiate after Restarted = %v, %v", got, err)
		}
		checkProbes(t, l, "22")
	})
}

func TestNegotiateOnADyingLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := connect(t, nil, smp.Options{})
		time.AfterFunc(1500*time.Millisecond, func() { l.fail(errUnplugged) })
		took(t, 1500*time.Millisecond, func() {
			_, err := c.Negotiate(t.Context())
			checkClosed(t, err, errUnplugged)
		})
		took(t, 0, func() {
			_, err := c.Negotiate(t.Context())
			checkClosed(t, err, errUnplugged)
		})
	})
}

// A server from before version 2 takes its requests, and answers in version 1: what it speaks is version 1.
func TestNegotiateOldAnswers(t *testing.T) {
	for _, tt := range []struct {
		options smp.Options
		want    smp.Version
	}{{smp.Options{}, smp.V1}, {smp.Options{Version: smp.V2}, smp.V2}} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := connect(t, func(l *link, p []byte) {
				answer := response(p, goodParams)
				answer[0] &= 7
				l.reply(answer)
			}, tt.options)
			if p, err := c.Negotiate(t.Context()); err != nil || !p.Known || c.Version() != tt.want {
				t.Errorf("%+v: %+v, %v, version %v, want %v", tt.options, p, err, c.Version(), tt.want)
			}
		})
	}
}
