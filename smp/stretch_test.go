package smp

import (
	"testing"
	"time"
)

// TestStretch plays devices that take a fixed time for each request, and wires that are full or not.
func TestStretch(t *testing.T) {
	for _, tt := range []struct {
		name   string
		period func(depth int) time.Duration // from one answer to the next
		want   int
	}{
		{"the wire is full", func(int) time.Duration { return 50 * time.Millisecond }, 0},
		{"each request costs a fixed time", func(depth int) time.Duration { return 120 * time.Millisecond / time.Duration(depth) }, 1},
		{"a little better", func(depth int) time.Duration { return 50*time.Millisecond - time.Duration(depth)*time.Millisecond }, 0},
		{"worse", func(depth int) time.Duration { return time.Duration(depth) * 20 * time.Millisecond }, 0},
		{"no time passes", func(int) time.Duration { return 0 }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStretch(true)
			depth, now, raised := 2, time.Unix(0, 0), 0
			for range 600 {
				now = now.Add(tt.period(depth))
				depth += s.good(300, now)
				if depth == 3 {
					raised++
				}
			}
			if depth != 2+tt.want || tt.want == 0 && raised > 60 {
				t.Errorf("depth %d, want %d; raised for %d chunks", depth, 2+tt.want, raised)
			}
		})
	}
}

func TestStretchGivesUpAtALoss(t *testing.T) {
	s := newStretch(true)
	depth, now := 2, time.Unix(0, 0)
	play := func(chunks int) {
		for range chunks {
			now = now.Add(120 * time.Millisecond / time.Duration(depth))
			depth += s.good(300, now)
		}
	}
	for _, wait := range []int{stretchTry, stretchAgain, 2 * stretchAgain} {
		play(wait + 3*(stretchSettle+stretchSample))
		if depth != 3 {
			t.Fatalf("depth %d after %d good chunks, want 3", depth, wait)
		}
		if depth += s.lost(); depth != 2 {
			t.Fatalf("depth %d after a loss, want 2", depth)
		}
		play(wait / 2)
		if depth += s.lost(); depth != 2 {
			t.Fatalf("depth %d too soon after a loss, want 2", depth)
		}
	}
}

func TestStretchImpossible(t *testing.T) {
	s := newStretch(false)
	for i := range 1000 {
		if s.good(300, time.Unix(int64(i), 0)) != 0 {
			t.Fatal("changed the depth")
		}
	}
}
