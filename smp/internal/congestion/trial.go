package congestion

import "time"

// trial is a kind of limits that may be worth more than the usual ones.
type trial int

const (
	moreInFlight   trial = iota // one more request, where that lost too much before
	withGap                     // the same, with a longer gap
	withFewerLines              // the same, with smaller packets
	moreGap
	moreLines
	lessGap
	fewerForGap // smaller packets without a gap, where one request at a time needs either
	kinds
	noTrial trial = -1
)

// trials says which one there is, and when the next may come.
type trials struct {
	present trial
	escaped bool       // no gap helped when nothing got through
	failed  int        // trials of a gap
	wait    [kinds]int // acknowledgements until the next
	pause   [kinds]int // of them after one that does not pay; doubled with each

	lines, gap int // the usual limits, during a trial
	window     window
	meter      meter
}

const (
	enoughAcks = 8    // for a rate
	firstPause = 512  // acknowledgements
	gapPause   = 24   // acknowledgements until the longest gap is tried
	pays       = 1.03 // times the usual rate
	hopeless   = 0.8  // of the usual rate, soon
)

func newTrials() trials {
	t := trials{present: noTrial}
	for i := range t.pause {
		t.pause[i] = firstPause
	}
	return t
}

func (t *trials) ripen() {
	for i := range t.wait {
		t.wait[i] = max(t.wait[i]-1, 0)
	}
}

func (t *trials) postpone(k trial) { t.wait[k] = max(t.pause[k], t.wait[k]) }

// fail ends a trial that does not pay. A gap has another chance, for there are two of them.
func (t *trials) fail() {
	k := t.present
	t.wait[k], t.pause[k] = t.pause[k], 2*t.pause[k]
	if k == withGap || k == moreGap {
		if t.failed++; t.failed == 1 {
			t.wait[k] = gapPause
		}
	}
	t.present = noTrial
}

// try begins the first of the trials whose time has come.
func (c *Control) try(now time.Duration, of ...trial) {
	for _, k := range of {
		if c.trials.wait[k] == 0 && c.start(k, now) {
			return
		}
	}
}

// start begins a trial if it would change anything.
func (c *Control) start(k trial, now time.Duration) bool {
	lines, gap, window := c.lines, c.gap, c.window
	switch k {
	case moreInFlight, withGap, withFewerLines:
		if !window.limited() {
			return false
		}
		window.now++
	}
	switch k {
	case withGap, moreGap:
		gap = min(gap+1, c.most.Gap)
		if c.trials.failed > 0 {
			gap = c.most.Gap
		}
	case withFewerLines:
		lines = fewer(lines, c.most.Lines)
	case fewerForGap:
		if window.now > 1 || gap == 0 {
			return false
		}
		lines, gap = fewer(lines, c.most.Lines), 0
	case moreLines:
		lines = min(lines+max(lines/2, 1), c.most.Lines)
	case lessGap:
		gap = max(gap-1, 0)
	}
	if k != moreInFlight && lines == c.lines && gap == c.gap {
		return false
	}
	t := &c.trials
	t.present, t.lines, t.gap, t.window, t.meter = k, c.lines, c.gap, c.window, c.meter
	c.window = window
	c.use(lines, gap, now)
	return true
}

// judge ends a trial when it is plain whether it pays.
func (c *Control) judge(now time.Duration) {
	t, m := &c.trials, &c.meter
	before, usual, all := t.meter.all().share(), t.meter.rate(), m.all()
	enough := float64(min(max(enoughAcks, c.window.now), remembered/2))
	switch {
	case m.row > 0 && all.lost >= 2 && all.share() >= max(0.8*before, 0.2): // no better
	case m.row > 0 && m.others.good == 0 && c.window.dear(): // the same
	case all.good >= enough:
		if m.rate() > usual*pays {
			c.keep()
			return
		}
	case all.good >= 2 && m.rate() < hopeless*usual && m.seconds > 2*t.window.alone:
	case m.seconds*usual < 1.3*enough*t.meter.chunk():
		return
	}
	t.fail()
	c.use(t.lines, t.gap, now)
	c.window, c.meter = t.window, t.meter
	c.meter.resume(now)
}

// keep makes the limits of a trial the usual ones.
func (c *Control) keep() {
	t := &c.trials
	switch t.present {
	case moreInFlight:
		c.window.ceiling = c.window.now
		t.pause[moreInFlight] = firstPause
	case withGap:
		t.postpone(lessGap)
		c.window.open()
	case moreGap:
		t.postpone(lessGap)
	case withFewerLines:
		t.postpone(moreLines)
		c.window.open()
	case fewerForGap:
		t.postpone(moreLines)
	}
	t.present = noTrial
}

// use makes other packets from now on.
func (c *Control) use(lines, gap int, now time.Duration) {
	if lines != c.lines || gap != c.gap {
		c.window.forget()
	}
	c.lines, c.gap = lines, gap
	c.begin(now)
}

// begin starts an epoch.
func (c *Control) begin(now time.Duration) {
	c.epoch++
	c.meter = meter{last: now}
}
