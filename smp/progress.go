package smp

import (
	"fmt"
	"time"
)

// A transfer that moves goes on, however often something hinders it. What ends it is the time in which nothing moved,
// as TCP's user time-out does (RFC 5482), or steps backwards that lead no further.
const (
	refusedTime  = 20 * time.Second // of a device that says that it is busy, or out of memory
	stallTime    = 30 * time.Second // of losses although the device answers, beyond maxLosses
	maxLosses    = 30               // in a row; more than it takes to find the packet size of the smallest device
	maxSetbacks  = 2                // steps backwards that lead no further
	maxReturns   = 20               // in all
	longestPause = time.Second
	firstPause   = 50 * time.Millisecond // doubled with every refusal for want of memory
)

// progress decides when a transfer gets nowhere. It knows offsets and is told the time.
type progress struct {
	best     int       // furthest offset that the device ever wanted
	since    time.Time // when it was reached
	refused  time.Time // first refusal since then; zero if there was none
	memory   int       // refusals for want of memory since then
	setbacks int       // steps backwards since then
	returns  int       // in all
	losses   int       // in a row, without a byte accepted
	lost     int       // in all
}

// moved takes an offset further on than the one before.
func (p *progress) moved(off int, now time.Time) {
	p.losses = 0
	if off > p.best {
		p.best, p.since, p.refused, p.memory, p.setbacks = off, now, time.Time{}, 0, 0
	}
}

// loss takes a loss at off, and says how long to wait after it: many in a row are bad luck as long as time is left, but
// slow the transfer down.
func (p *progress) loss(off int, now time.Time) (time.Duration, error) {
	p.lost++
	p.losses++
	switch {
	case p.losses <= maxLosses:
		return 0, nil
	case now.Sub(p.since) < stallTime:
		return longestPause, nil
	}
	return 0, fmt.Errorf("%w: offset %d lost %d times in a row", ErrStalled, off, p.losses)
}

// setback takes a step backwards, to off.
func (p *progress) setback(off int) error {
	p.returns++
	if p.setbacks++; p.setbacks > maxSetbacks || p.returns > maxReturns {
		return fmt.Errorf("%w: the device went back %d times, now to offset %d", ErrStalled, p.returns, off)
	}
	return nil
}

// refusal takes a refusal for now and says how long to wait before the next try, or false if that has been going on for
// too long.
func (p *progress) refusal(e *DeviceError, now time.Time) (time.Duration, bool) {
	if p.refused.IsZero() {
		p.refused = now
	}
	if now.Sub(p.refused) >= refusedTime {
		return 0, false
	}
	if e.Busy() {
		return longestPause, true
	}
	p.memory++
	return min(firstPause<<min(p.memory-1, 10), longestPause), true
}
