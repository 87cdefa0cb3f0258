package congestion

import "time"

// window is the congestion window: how many requests may be in flight.
//
// It grows as in RFC 5681: by one with each acknowledgement in slow start, by one in each round trip after a loss
// (congestion avoidance), more slowly when the last step up was followed by a loss at once. It shrinks to what fills
// the pipe, the bandwidth-delay product, and one more: requests beyond that wait in the device and gain nothing, and
// each loss drops them all.
type window struct {
	now, most int
	ceiling   int // above which too much is lost
	spare     int // see Config
	slow      bool
	raised    bool // the last change
	again     bool // nothing was acknowledged since the last loss
	calm      int  // acknowledgements since the last change or loss
	delay     int  // of them that a step up takes at least

	alone   float64 // seconds of the round trip of a chunk that was sent alone
	product float64 // bandwidth-delay product in chunks; 0 as long as the pipe was never full
}

const (
	slowStart    = 3  // initial window, as in RFC 6928 more than one: too much costs a loss, too little a round trip
	fullPipe     = 8  // acknowledgements for a step up in slow start that gains nothing
	fullCalm     = 32 // the same in congestion avoidance
	fewest       = 16 // delay after a step up that failed; doubled with each
	longestDelay = 1024
	distant      = 0.1  // seconds of a round trip: one request less in flight is dearer than a probe that comes late
	remote       = 0.5  // seconds of one on which a gap costs nothing against a request less
	queued       = 1.25 // times the lone round trip: a chunk that took longer had to wait
)

func newWindow(most, spare int, fixed bool) window {
	w := window{now: min(most, slowStart, max(spare, 1)), most: most, ceiling: most, spare: spare, slow: true}
	if fixed {
		w.now = most
	}
	return w
}

// ack measures the round trip, and lets the window grow if it limits the flight.
func (w *window) ack(s Sent, now time.Duration) {
	switch took := (now - s.At).Seconds(); {
	case s.alone():
		w.alone = smooth(w.alone, took, 4)
	case w.alone > 0 && took > w.alone*queued:
		product := float64(s.InFlight) * w.alone / took
		w.product = max(product, smooth(w.product, product, 16)) // a flight sent at once shows less than there is
	case w.product > 0:
		w.product = max(w.product, float64(s.InFlight))
	}
	w.again = false
	w.calm++
	if w.now < w.ceiling && w.calm >= w.step() && (w.now == 1 || !s.alone()) {
		w.now++
		w.calm, w.raised = 0, true
	}
}

// step is how many acknowledgements allow one more in flight.
func (w *window) step() int {
	full := w.product > 0 && float64(w.now) > w.product+1
	switch {
	case w.slow && full:
		return fullPipe
	case w.slow:
		return 1
	case full:
		return max(w.delay, fullCalm)
	}
	return max(w.delay, w.now)
}

// loss ends slow start, and lets go what does not fill the pipe.
func (w *window) loss() {
	if !w.slow && w.raised && w.calm < w.now {
		w.delay = min(max(2*w.delay, fewest), longestDelay)
	}
	w.calm, w.slow, w.raised = 0, false, false
	least := 2 // one at a time would make every loss a silent one
	if w.again {
		least = 1
	}
	if w.alone < distant {
		w.now = min(w.now, max(w.spare, least))
	}
	w.again = true
	if w.product > 0 {
		w.now = min(max(int(w.product+1.4), 2), w.now)
	}
}

// lower is for when more than n in flight lose too much. More are a matter of trials then.
func (w *window) lower(n int) { w.now, w.ceiling = max(n, 1), max(n, 1) }

// limited says that only a trial can raise the window.
func (w *window) limited() bool { return w.ceiling < w.most && w.now >= w.ceiling }

// dear says that a loss of all in flight takes seconds to notice.
func (w *window) dear() bool { return w.now > max(w.spare, 1) }

// open begins slow start anew.
func (w *window) open() { w.ceiling, w.delay, w.slow = w.most, 0, true }

// forget is for packets of another size.
func (w *window) forget() { w.alone, w.product = 0, 0 }

// smooth is a moving average over about n values.
func smooth(mean, v, n float64) float64 {
	if mean == 0 {
		return v
	}
	return mean + (v-mean)/n
}
