package smp_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// An erase of 40 seconds is waited for: the first chunk is sent once, and no more than two small requests meanwhile.
func TestUploadWaitsForTheErase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.erase, s.verify = 40*time.Second, 20*time.Second
		data := file(1000)
		c := s.connect(t, smp.Options{Window: 3})
		within(t, 60*time.Second+10*time.Millisecond, func() {
			result, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash})
			if err != nil || result.Resent != 0 {
				t.Errorf("Upload = %+v, %v", result, err)
			}
		})
		s.check(t, data)
		if s.uploads != 4 || s.paramsRead > 5 {
			t.Errorf("%d chunks and %d parameter requests", s.uploads, s.paramsRead)
		}
	})
}

// A device that is slow at everything is not silent, and its queue never overflows (see server.receive).
func TestUploadToASlowDevice(t *testing.T) {
	for _, other := range []time.Duration{time.Millisecond, 2 * time.Second} {
		testSlowDevice(t, other)
	}
}

func testSlowDevice(t *testing.T, other time.Duration) {
	for _, cost := range []time.Duration{900 * time.Millisecond, 2 * time.Second, 3500 * time.Millisecond,
		8 * time.Second} {
		for _, window := range []int{1, 2, 3} {
			t.Run(fmt.Sprintf("%v a chunk, %v other requests, window %d", cost, other, window), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					data := file(5000)
					c := s.connect(t, smp.Options{Window: window})
					if _, err := c.Negotiate(t.Context()); err != nil {
						t.Fatal(err)
					}
					s.cost, s.otherCost = cost, other
					result, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{})
					if err != nil || result.Resent != 0 {
						t.Errorf("Upload = %+v, %v", result, err)
					}
					s.check(t, data)
				})
			})
		}
	}
}

// A user with little patience gets a lost chunk noticed all the same.
func TestUploadSurvivesALossWithLittlePatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.lose = func(n int, _ []byte) (bool, bool) { return n == 5, n == 10 }
		data := file(5000)
		c := s.connect(t, smp.Options{Timeout: 100 * time.Millisecond, Tries: 2})
		within(t, 200*time.Millisecond, func() {
			if _, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash}); err != nil {
				t.Error(err)
			}
		})
		s.check(t, data)
	})
}

func TestUploadSilence(t *testing.T) {
	tests := []struct {
		name    string
		from    int // chunk from which on nothing is heard
		options smp.Options
		took    time.Duration
		text    string
	}{
		{"first chunk", 1, smp.Options{}, 69 * time.Second, "image upload at 0 of 1000 bytes: no reply within 1m9s"},
		{"in the middle", 2, smp.Options{}, 18 * time.Second, "image upload at 288 of 1000 bytes: no reply within 18s"},
		{"in the middle, window 3", 2, smp.Options{Window: 3}, 18 * time.Second,
			"image upload at 288 of 1000 bytes: no reply within 18s"},
		{"in the middle, hurried user", 2, smp.Options{Timeout: 800 * time.Millisecond, Tries: 1},
			3200 * time.Millisecond, "image upload at 288 of 1000 bytes: no reply within 3.2s"},
		{"last chunk", 4, smp.Options{}, 39 * time.Second, "image upload at 992 of 1000 bytes: no reply within 39s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				c, l := connect(t, func(l *link, p []byte) {
					if s.receive(l, p); s.sent() == tt.from-1 {
						s.mu.Lock()
						s.largest = 1
						s.mu.Unlock()
					}
				}, tt.options)
				s.l = l
				l.overhead = 4
				if _, err := c.Negotiate(t.Context()); err != nil {
					t.Fatal(err)
				}
				within(t, tt.took+10*time.Millisecond, func() {
					_, err := c.Image.Upload(t.Context(), file(1000), smp.ImageUpload{})
					if !errors.Is(err, smp.ErrNoReply) || err.Error() != tt.text {
						t.Errorf("Upload: %v\nwant    %s", err, tt.text)
					}
				})
			})
		})
	}
}
