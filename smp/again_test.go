package smp_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// TestUploadAgainAfterSilence: on a link that shows no end, a device that had no power for longer than an upload waits
// is found again by the same client, and what it still had to say from before confuses nobody.
func TestUploadAgainAfterSilence(t *testing.T) {
	for _, tt := range []struct {
		name    string
		restart bool // it forgets what it had
		late    bool // it answers what it was asked meanwhile
	}{
		{"restarted", true, false},
		{"only the line was dead", false, false},
		{"asleep, and answers late what it could hold", false, true},
	} {
		for _, window := range []int{1, 0} {
			t.Run(fmt.Sprintf("%s, window %d", tt.name, window), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					testUploadAgain(t, window, tt.restart, tt.late)
				})
			})
		}
	}
}

func testUploadAgain(t *testing.T, window int, restart, late bool) {
	const outage = 25 * time.Second
	s := newServer(t)
	data := file(20_000)
	var c *smp.Client
	var from time.Time
	var held [][]byte
	c, l := connect(t, func(l *link, p []byte) {
		if s.sent() == 20 && from.IsZero() {
			from = time.Now()
			time.AfterFunc(outage, func() {
				for _, p := range held {
					s.receive(l, p)
				}
			})
		}
		switch {
		case from.IsZero() || time.Since(from) > outage:
			s.receive(l, p)
		case late && len(held) < s.bufCount:
			held = append(held, p)
		}
	}, smp.Options{Window: window})
	l.overhead, s.l = 4, l
	_, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash})
	if !errors.Is(err, smp.ErrNoReply) {
		t.Fatalf("the first upload: %v, want silence", err)
	}
	if restart {
		s.mu.Lock()
		s.restart()
		s.mu.Unlock()
	}
	start := time.Now()
	for tries := 1; err != nil; tries++ {
		c.Restarted()
		_, err = c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash})
		if tries > 2 {
			t.Fatalf("upload %d: %v", tries, err)
		}
	}
	s.check(t, data)
	if took := time.Since(start); took > outage {
		t.Errorf("it took %v more", took)
	}
	if firsts := map[bool]int{false: 1, true: 2}[restart]; s.firsts != firsts {
		t.Errorf("the slot was erased %d times, want %d", s.firsts, firsts)
	}
}
