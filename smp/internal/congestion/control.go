package congestion

import "time"

// Control is the state of one transfer.
type Control struct {
	most  Limits
	lines int // now
	gap   int // now
	epoch int
	begun bool // the first chunk was acknowledged

	window window
	meter  meter // of this epoch
	trials trials
}

// New begins a transfer with full packets.
func New(c Config) *Control {
	most := Limits{InFlight: max(c.InFlight, 1), Lines: max(c.Lines, 1), Gap: max(c.Gaps, 0)}
	return &Control{
		most: most, lines: most.Lines, gap: min(max(c.Gap, 0), most.Gap),
		window: newWindow(most.InFlight, c.Spare, c.Fixed), trials: newTrials(),
	}
}

// Limits returns what is allowed now.
func (c *Control) Limits() Limits {
	return Limits{InFlight: c.window.now, Lines: c.lines, Gap: c.gap}
}

// Single ends pipelining for good: the device takes less than a whole chunk, which spoils everything behind it.
func (c *Control) Single() {
	c.most.InFlight = 1
	c.window = newWindow(1, 1, true)
	c.trials.window = c.window
	c.epoch++
}

// OnSent stamps a chunk that is sent now, as one of inFlight requests, itself included, in a packet of so many lines.
func (c *Control) OnSent(inFlight, lines int, now time.Duration) Sent {
	return Sent{InFlight: inFlight, Lines: lines, Gap: c.gap, Epoch: c.epoch, At: now}
}

// OnAck takes an acknowledgement of bytes, the last of which are those of chunk s.
func (c *Control) OnAck(s Sent, bytes int, now time.Duration) {
	if !c.begun || s.Epoch != c.epoch { // the first chunk erases
		c.begun = true
		c.meter.skip(now)
		return
	}
	c.meter.ack(s, bytes, now)
	c.window.ack(s, now)
	if c.trials.present != noTrial {
		c.judge(now)
		return
	}
	c.trials.ripen()
	if c.meter.all().good >= enoughAcks {
		c.try(now, withGap, withFewerLines, moreInFlight, moreLines, lessGap, fewerForGap)
	}
}

// OnLoss takes a loss event (RFC 9002, section 7.3.2): chunk s was lost. What follows it in the same flight, and is
// dropped by the device, is no further one.
func (c *Control) OnLoss(s Sent, now time.Duration) {
	if s.Epoch != c.epoch {
		c.meter.skip(now)
		return
	}
	c.window.loss()
	c.meter.loss(s, now)
	if c.trials.present != noTrial {
		c.judge(now)
		return
	}
	c.remedy(now)
}
