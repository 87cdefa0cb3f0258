package smp

import (
	"context"
	"time"
)

// A transfer that moves goes on, however often something hinders it. What ends it is the time in which nothing moved.
const (
	hinderedTime   = 20 * time.Second // for a device that says that it is busy, or out of memory
	stallTime      = 30 * time.Second // for chunks that get lost although the device answers, beyond maxLosses
	hindrancePause = time.Second
	firstPause     = 50 * time.Millisecond // doubled with every refusal for want of memory
)

// standstill measures how long a transfer has not moved.
type standstill struct {
	best  int       // furthest offset so far
	since time.Time // when it was reached
	first time.Time // refusal since then; zero if there was none
	n     int       // refusals for want of memory since then
}

// moved takes the furthest offset that the device ever wanted.
func (s *standstill) moved(best int, now time.Time) {
	if best > s.best || s.since.IsZero() {
		*s = standstill{best: best, since: now}
	}
}

// hindered takes a refusal for now, and reports whether it has been too long since the first.
func (s *standstill) hindered(now time.Time) bool {
	if s.first.IsZero() {
		s.first = now
	}
	return now.Sub(s.first) >= hinderedTime
}

// pause is how long to wait after a refusal for want of memory.
func (s *standstill) pause() time.Duration {
	s.n++
	return min(firstPause<<min(s.n-1, 10), hindrancePause)
}

// hold is for after a loss. Many in a row are bad luck as long as time is left, but slow the transfer down.
func (u *upload) hold(ctx context.Context) error {
	if u.w.losses < maxLosses || u.w.failed != nil || time.Since(u.still.since) >= stallTime {
		return nil
	}
	u.w.allowed = u.w.losses + 1
	return sleep(ctx, hindrancePause)
}
