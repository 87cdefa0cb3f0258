package smp_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// One request or one answer is lost, wherever in the upload: it is found out in about a second, and the upload
// completes.
func TestUploadSurvivesOneLoss(t *testing.T) {
	const size = 5000 // 15 chunks
	data := file(size)
	for _, window := range []int{1, 3} {
		for _, direction := range []string{"request", "answer"} {
			for n := 1; n <= 15; n++ {
				t.Run(fmt.Sprintf("window %d, %s %d", window, direction, n), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := newServer(t)
						s.lose = func(i int, _ []byte) (bool, bool) {
							return i == n && direction == "request", i == n && direction == "answer"
						}
						c := s.connect(t, smp.Options{Window: window})
						within(t, 1100*time.Millisecond, func() {
							if _, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash}); err != nil {
								t.Error(err)
							}
						})
						s.check(t, data)
						if s.firsts != 1 {
							t.Errorf("the slot was erased %d times", s.firsts)
						}
					})
				})
			}
		}
	}
}

// The last answer is lost and the device has forgotten the upload: without the image's hash nobody knows.
func TestUploadLastAnswerLost(t *testing.T) {
	tests := []struct {
		name   string
		server func(*server)
		upload smp.ImageUpload
		text   string
	}{
		{"without a hash", func(*server) {}, smp.ImageUpload{},
			"image upload at 992 of 1000 bytes: the device forgot the upload at its last chunk, and without the " +
				"image's hash nothing tells whether it is complete"},
		{"without a hash, MCUboot", func(s *server) { s.remembers = true }, smp.ImageUpload{}, ""},
		{"with a hash", func(*server) {}, smp.ImageUpload{Hash: newServer(t).hash}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				tt.server(s)
				data := file(1000)
				s.lose = func(n int, _ []byte) (bool, bool) { return false, n == 4 }
				var last smp.Progress
				tt.upload.OnProgress = func(p smp.Progress) { last = p }
				c := s.connect(t, smp.Options{})
				_, err := c.Image.Upload(t.Context(), data, tt.upload)
				if err == nil && tt.text != "" || err != nil && err.Error() != tt.text {
					t.Errorf("Upload: %v\nwant    %s", err, tt.text)
				}
				s.check(t, data)
				if err == nil && last.Done != len(data) {
					t.Errorf("last progress %+v", last)
				}
			})
		})
	}
}

// A receiver with few line buffers drops large packets without a word; smaller ones get through.
func TestUploadShrinksItsPackets(t *testing.T) {
	tests := []struct {
		name         string
		buffer, most int
		window       int
		limit        int
		took         time.Duration
	}{
		{"two lines", 384, 182, 1, 182, 2100 * time.Millisecond},
		{"two lines, window 3", 384, 182, 3, 182, 2100 * time.Millisecond},
		{"one line", 384, 89, 1, 89, 4200 * time.Millisecond},
		{"one line, large buffer", 4096, 89, 0, 89, 5 * time.Second},
		{"one line, large buffer, no room for a probe", 4096, 89, 3, 89, 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.bufSize, s.largest = tt.buffer, tt.most
				data := file(5000)
				c := s.connect(t, smp.Options{Window: tt.window})
				within(t, tt.took, func() {
					result, err := c.Image.Upload(t.Context(), data,
						smp.ImageUpload{Image: 1, UpgradeOnly: true, Hash: s.hash})
					if err != nil || result.Tuning.PacketLimit != tt.limit {
						t.Errorf("Upload = %+v, %v", result, err)
					}
				})
				s.check(t, data)
			})
		})
	}
}

// What this upload brought to the device itself is no earlier upload that it resumes.
func TestUploadAfterLostFirstAnswersDoesNotResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.lose = func(n int, _ []byte) (bool, bool) { return false, n <= 2 }
		data := file(5000)
		c := s.connect(t, smp.Options{})
		result, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash})
		if err != nil || result.Resent != 2*288 || result.ResumedFrom != 0 {
			t.Errorf("Upload = %+v, %v", result, err)
		}
		s.check(t, data)
	})
}

// A burst of losses makes packets smaller by one step, not by one step for each packet of the burst.
func TestUploadShrinksOnceForABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.bufCount = 16
		s.lose = func(n int, p []byte) (bool, bool) { return n > 20 && len(p) > 182, false }
		data := file(20_000)
		c := s.connect(t, smp.Options{Window: 8})
		result, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash})
		if err != nil || result.Tuning.PacketLimit != 182 {
			t.Errorf("Upload = %+v, %v, want packets of 182", result, err)
		}
		s.check(t, data)
	})
}

func TestUploadToADeviceThatRestarts(t *testing.T) {
	data := file(5000)
	for _, window := range []int{1, 3} {
		for n := 2; n <= 15; n++ {
			t.Run(fmt.Sprintf("window %d, at chunk %d", window, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					s.restartAt = n
					c := s.connect(t, smp.Options{Window: window})
					within(t, 2200*time.Millisecond, func() {
						if _, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash}); err != nil {
							t.Error(err)
						}
					})
					s.check(t, data)
				})
			})
		}
	}
}

func TestUploadToAnAligningDevice(t *testing.T) {
	for _, align := range []int{4, 8, 32} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			s.align, s.bufCount, s.remembers = align, 1, true
			data := file(9_999)
			c := s.connect(t, smp.Options{})
			result, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash})
			if err != nil || result.Resent != 0 {
				t.Errorf("alignment %d: Upload = %+v, %v", align, result, err)
			}
			s.check(t, data)
		})
	}
}

func TestUploadWindow(t *testing.T) {
	tests := []struct {
		name            string
		window, buffers int
		lose            func(n int, p []byte) (bool, bool)
		most            int
	}{
		{"as asked", 3, 4, nil, 3},
		{"no more than the device holds", 8, 4, nil, 3},
		{"large", 8, 16, nil, 8},
		{"by itself", 0, 16, nil, 8},
		{"by itself, with room for an answer", 0, 4, nil, 3},
		{"by itself, with three buffers", 0, 3, nil, 2},
		{"by itself, with two buffers", 0, 2, nil, 1},
		{"one buffer", 3, 1, nil, 1},
		{"with losses", 3, 4, func(n int, _ []byte) (bool, bool) { return n == 40, n == 60 }, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.bufCount, s.lose = tt.buffers, tt.lose
				data := file(50_000)
				c := s.connect(t, smp.Options{Window: tt.window})
				if _, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash}); err != nil {
					t.Error(err)
				}
				s.check(t, data)
				if s.most != tt.most {
					t.Errorf("%d requests in flight at most, want %d", s.most, tt.most)
				}
			})
		})
	}
}

// Random losses both ways: an upload completes with the right data or says why not, in bounded time.
func TestUploadRandomLosses(t *testing.T) {
	failed := map[string]int{}
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			s := newServer(t)
			s.bufCount = 2 + rng.IntN(8)
			s.cost = time.Duration(1+rng.IntN(300)) * time.Millisecond
			s.checks, s.remembers = rng.IntN(2) == 0, rng.IntN(2) == 0
			if rng.IntN(4) == 0 {
				s.restartAt = 2 + rng.IntN(20)
			}
			p := 0.08 * rng.Float64()
			s.lose = func(int, []byte) (bool, bool) { return rng.Float64() < p, rng.Float64() < p }
			data := file(1 + rng.IntN(10_000))
			s.loseOther = func() (bool, bool) { return rng.Float64() < p, rng.Float64() < p }
			c := s.connect(t, smp.Options{Window: 1 + rng.IntN(8)})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			_, err := c.Image.Upload(ctx, data, smp.ImageUpload{Hash: s.hash})
			switch {
			case err == nil:
				s.check(t, data)
			case errors.Is(err, smp.ErrStalled):
				failed["stalled"]++
			case errors.Is(err, smp.ErrNoReply):
				failed["silent"]++
			default:
				t.Errorf("seed %d: %v", seed, err)
			}
		})
	}
	if failed["silent"] > 20 || failed["stalled"] > 5 {
		t.Errorf("uploads given up: %v", failed)
	} else {
		t.Logf("uploads given up: %v", failed)
	}
}
