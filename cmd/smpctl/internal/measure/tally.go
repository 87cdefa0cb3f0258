package measure

import (
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// tally counts the requests of one setting.
type tally struct {
	few   int
	alone bool      // nothing else is in flight, so a refusal is no lack of buffers
	until time.Time // enough were sent then
	end   time.Time // nothing is sent any more

	mu     sync.Mutex // guards what follows while requests fly
	flight flight
	sent   int
	lost   int
	answer int // bytes
	trips  []time.Duration
	heard  []time.Time // of the answers
}

// flight is what went wrong since requests began to fly.
type flight struct {
	lost int
	err  error
}

// more reports whether another request is worth sending.
func (t *tally) more() bool {
	now, few := time.Now(), t.few
	if t.lost > 0 {
		few = max(few, doubtful)
	}
	return t.sent < mostRequests && !t.hopeless() && now.Before(t.end) && (t.sent < few || now.Before(t.until))
}

// hopeless reports whether so much was lost that no more need be sent to know.
func (t *tally) hopeless() bool {
	return t.lost >= judgedLosses && t.lost == t.sent || t.lost >= doubtful/2 && t.lost*100 > toleratedLosses*t.sent
}

// take counts a request that may be sent now.
func (t *tally) take() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.flight.lost > 0 || t.flight.err != nil || !t.more() {
		return false
	}
	t.sent++
	return true
}

// give takes what became of a request.
func (t *tally) give(start time.Time, answer int, err error) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	var refused *refusedError
	switch {
	case err == nil:
		t.answer = answer
		t.trips, t.heard = append(t.trips, now.Sub(start)), append(t.heard, now)
	case errors.Is(err, smp.ErrNoReply):
		t.flight.lost++
	case errors.As(err, &refused) && (!t.alone || len(t.trips) > 0): // no buffer for this answer
		t.lost++
	case t.flight.err == nil:
		t.flight.err = err
	}
}

func (t *tally) row(s setting) Row {
	r := Row{setting: s, Sent: t.sent, Lost: t.lost, answer: t.answer}
	n := len(t.trips)
	if n == 0 {
		return r
	}
	slices.Sort(t.trips)
	r.RoundTrip, r.calm = t.trips[n/2].Seconds(), t.trips[n/4].Seconds()
	r.period = t.period(s.Depth)
	r.Rate = int(math.Round(float64(s.Packet) / r.period))
	return r
}

// period is the time from one answer to the next in seconds: the median of what as many answers take as requests fly,
// so that one pause of a busy host does not count. Pauses after losses do.
func (t *tally) period(depth int) float64 {
	n := len(t.heard)
	if t.lost > 0 && n > 1 {
		return max(t.heard[n-1].Sub(t.heard[0]), 1).Seconds() / float64(n-1)
	}
	var spans []time.Duration
	for i := depth; i < n; i++ {
		spans = append(spans, t.heard[i].Sub(t.heard[i-depth]))
	}
	if len(spans) == 0 {
		return max(t.trips[0], 1).Seconds() / float64(min(depth, n))
	}
	slices.Sort(spans)
	return max(spans[len(spans)/2], 1).Seconds() / float64(depth)
}
