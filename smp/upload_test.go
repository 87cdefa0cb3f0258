package smp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/smpctl/smpctl/smp"
)

// file is the same random data for every test.
func file(size int) []byte {
	rng := rand.New(rand.NewPCG(1, uint64(size)))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

var ignoreRest = cmp.Options{
	cmpopts.IgnoreFields(smp.UploadResult{}, "Images"),
	cmpopts.IgnoreFields(smp.Tuning{}, "InFlight", "RoundTrip", "Lost"),
}

var full = smp.Tuning{PacketLimit: 380}

func TestUpload(t *testing.T) {
	tests := []struct {
		name     string
		size     int
		buffer   int
		window   int
		requests int
	}{
		{"less than a header", 17, 384, 0, 1},
		{"a header", 32, 384, 0, 1},
		{"one packet exactly", 313, 384, 0, 1},
		{"one byte more", 314, 384, 0, 2},
		{"smallest buffer", 1000, 68, 0, 31},
		{"default buffer", 100_000, 384, 0, 285},
		{"default buffer, window 3", 100_000, 384, 3, 285},
		{"large buffer", 100_000, 4096, 0, 25},
		{"largest buffer", 200_000, 65535, 3, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.bufSize = tt.buffer
				c := s.connect(t, smp.Options{Window: tt.window})
				data := file(tt.size)
				var got smp.UploadResult
				within(t, time.Duration(tt.requests+2)*time.Millisecond, func() {
					var err error
					got, err = c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash})
					if err != nil {
						t.Error(err)
					}
				})
				if diff := cmp.Diff(smp.UploadResult{Tuning: smp.Tuning{PacketLimit: tt.buffer - 4}}, got,
					ignoreRest); diff != "" {
					t.Errorf("result (-want +got):\n%s", diff)
				}
				if len(got.Images.Images) != 2 {
					t.Errorf("images %v", got.Images)
				}
				s.check(t, data)
				if s.uploads != tt.requests || s.paramsRead != 1 || c.Unmatched() != 0 {
					t.Errorf("%d chunks, want %d; %d parameter requests, want 1; %d unmatched",
						s.uploads, tt.requests, s.paramsRead, c.Unmatched())
				}
			})
		})
	}
}

func TestUploadKeys(t *testing.T) {
	tests := []struct {
		name   string
		upload smp.ImageUpload
		count  int // buffers
		want   []string
	}{
		{"image 0", smp.ImageUpload{}, 4, []string{"off 0 len 700 sha", "off 288", "off 640"}},
		{"image 1, upgrade only", smp.ImageUpload{Image: 1, UpgradeOnly: true}, 4,
			[]string{"off 0 len 700 sha image 1 upgrade", "off 288", "off 640"}},
		{"recovery", smp.ImageUpload{Image: 2}, 1,
			[]string{"off 0 len 700 sha image 2", "off 288 image 2", "off 608 image 2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.bufCount = tt.count
				c := s.connect(t, smp.Options{Window: 3})
				data := file(700)
				if _, err := c.Image.Upload(t.Context(), data, tt.upload); err != nil {
					t.Error(err)
				}
				s.check(t, data)
				var got []string
				for _, u := range s.bodies {
					got = append(got, u.keys(data))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("keys (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func (u uploadBody) keys(data []byte) string {
	s := fmt.Sprint("off ", *u.Off)
	if u.Len != nil {
		s += fmt.Sprint(" len ", *u.Len)
	}
	if bytes.Equal(u.SHA, sum(data)) {
		s += " sha"
	}
	if u.Image != nil {
		s += fmt.Sprint(" image ", *u.Image)
	}
	if u.Upgrade != nil {
		s += " upgrade"
	}
	return s
}

func TestUploadResumes(t *testing.T) {
	data := file(10_000)
	tests := []struct {
		name   string
		server func(*server)
		want   smp.UploadResult
		chunks int
	}{
		{"half of it", func(s *server) { s.active, s.sha, s.length, s.slot = true, sum(data), len(data), data[:5000] },
			smp.UploadResult{ResumedFrom: 5000, Tuning: full}, 16},
		{"less than a chunk",
			func(s *server) { s.active, s.sha, s.length, s.slot = true, sum(data), len(data), data[:100] },
			smp.UploadResult{Resent: 188, Tuning: full}, 30},
		{"another file",
			func(s *server) { s.active, s.sha, s.length, s.slot = true, sum(data[1:]), len(data), data[:5000] },
			smp.UploadResult{Tuning: full}, 29},
		{"all of it", func(s *server) { s.checks, s.complete, s.slot = true, true, data },
			smp.UploadResult{ResumedFrom: 10_000, AlreadyPresent: true, Tuning: full}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				tt.server(s)
				c := s.connect(t, smp.Options{})
				got, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash})
				if diff := cmp.Diff(tt.want, got, ignoreRest); diff != "" || err != nil {
					t.Errorf("Upload: %v (-want +got):\n%s", err, diff)
				}
				s.check(t, data)
				if s.uploads != tt.chunks {
					t.Errorf("%d chunks, want %d", s.uploads, tt.chunks)
				}
			})
		})
	}
}

func TestUploadWaitsForABusyDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		n := 0
		s.refuse = func(uploadBody) []byte {
			if n++; n <= 2 || n > 10 && n <= 12 {
				return rc(10)
			}
			return nil
		}
		c := s.connect(t, smp.Options{Window: 3})
		data := file(10_000)
		within(t, 4100*time.Millisecond, func() {
			if _, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash}); err != nil {
				t.Error(err)
			}
		})
		s.check(t, data)
	})
}

func TestUploadProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.lose = func(n int, _ []byte) (bool, bool) { return n < 60 && n%7 == 3, n < 60 && n%7 == 5 }
		c := s.connect(t, smp.Options{Window: 3})
		data := file(20_000)
		var all []smp.Progress
		caller := goroutine()
		result, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{OnProgress: func(p smp.Progress) {
			if goroutine() != caller {
				t.Error("called on another goroutine")
			}
			all = append(all, p)
		}})
		if err != nil {
			t.Error(err)
		}
		for i, p := range all {
			if p.Total != len(data) || p.InFlight < 0 || p.InFlight > 3 ||
				i > 0 && (p.Done < all[i-1].Done || p.Resent < all[i-1].Resent) {
				t.Errorf("progress %d: %+v after %+v", i, p, all[max(i-1, 0)])
			}
		}
		want := smp.Progress{Done: len(data), Total: len(data), Resent: result.Resent}
		if last := all[len(all)-1]; last != want || result.Resent == 0 {
			t.Errorf("last progress %+v, want %+v", last, want)
		}
	})
}

// goroutine names the running goroutine.
func goroutine() string {
	b := make([]byte, 64)
	b = b[:runtime.Stack(b, false)]
	return string(b[:bytes.IndexByte(b, '[')])
}

func TestUploadEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.cost = 100 * time.Millisecond
		c := s.connect(t, smp.Options{Window: 3})
		ctx, cancel := context.WithTimeout(t.Context(), 2050*time.Millisecond)
		defer cancel()
		took(t, 2050*time.Millisecond, func() {
			_, err := c.Image.Upload(ctx, file(100_000), smp.ImageUpload{Hash: s.hash})
			if !errors.Is(err, context.DeadlineExceeded) ||
				err.Error() != "image upload at 6976 of 100000 bytes: context deadline exceeded" {
				t.Errorf("Upload: %v", err)
			}
		})
		before := s.sent()
		time.Sleep(time.Minute)
		if after := s.sent(); after != before {
			t.Errorf("%d chunks sent after the end", after-before)
		}
	})
}
