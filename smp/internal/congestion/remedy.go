package congestion

import "time"

// Shares of chunks lost that noise hardly reaches: 10 % each way lose 19 %.
const (
	badAlone  = 0.25
	badAll    = 0.30
	badOthers = 0.35
	costly    = 0.30 // share of the time that losses took
)

// remedy lowers a limit if what was lost shows that it is too high.
func (c *Control) remedy(now time.Duration) {
	alone, others, all := c.meter.alone, c.meter.others, c.meter.all()
	crowded := alone.share() < others.share()/2
	switch {
	case alone.good == 0 && (alone.lost >= 3 || alone.lost >= 2 && c.gap < c.most.Gap):
		c.escape(now)
	case c.lines > 1 && all.lost >= 5 && alone.lost >= 2 && all.share() > badAll && alone.share() > badAlone:
		c.shorten(fewer(c.lines, c.most.Lines), now)
		c.trials.wait[lessGap] = 0 // it was no help
	case c.runt() && all.lost >= 3 && all.share() > 0.1 && c.trials.wait[moreLines] == 0:
		c.shorten(c.lines-1, now)
	case crowded && others.lost >= 3 && others.share() > badOthers,
		c.window.dear() && others.lost >= 2 && others.good == 0:
		c.narrow(now)
	case crowded && others.lost >= 6 && alone.good >= 6 && c.meter.wasted() > costly:
		c.try(now, moreGap)
	}
}

// escape is for when nothing gets through, not even alone: a gap first, for it is the cheapest, then packets of fewer
// lines.
func (c *Control) escape(now time.Duration) {
	c.window.open()
	c.trials.postpone(lessGap)
	switch {
	case !c.trials.escaped && c.gap < c.most.Gap:
		c.use(c.lines, c.gap+1, now)
	case c.lines > 1:
		c.trials.escaped = true
		c.trials.postpone(moreLines)
		c.use(fewer(c.lines, c.most.Lines), 0, now)
	}
}

func (c *Control) shorten(lines int, now time.Duration) {
	c.trials.postpone(moreLines)
	c.use(lines, c.gap, now)
}

// runt reports whether the last line of a packet is nearly empty, as with buffers of 96 and 384 bytes: it carries a
// few percent of the data, and takes a buffer like any other. In larger packets it does not matter.
func (c *Control) runt() bool { return c.lines == c.most.Lines && c.lines > 1 && c.lines <= 5 }

// narrow is for when only chunks that were not alone are lost. On a very long way one request at a time is the last
// resort, and takes long even as a trial.
func (c *Control) narrow(now time.Duration) {
	if c.window.alone > remote && c.gap < c.most.Gap {
		c.trials.postpone(lessGap)
		c.window.open()
		c.use(c.lines, c.gap+1, now)
		return
	}
	n := c.window.now / 2
	if w := &c.window; w.alone > 0 && c.meter.chunk()/w.alone*(1-c.meter.alone.share()) > c.meter.rate() {
		n = 1 // faster, for certain
	}
	c.window.lower(n)
	c.trials.wait[moreInFlight] = c.trials.pause[moreInFlight] / 4
	c.begin(now)
}
