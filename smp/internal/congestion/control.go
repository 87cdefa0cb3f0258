package congestion

import "time"

// Config is what is known before the first chunk.
type Config struct {
	InFlight int  // the most requests that may be in flight, at least 1
	Fixed    bool // the user chose InFlight: no slow start
	Spare    int  // requests in flight that leave a buffer for a probe; when more are all lost, it takes seconds to notice
	Lines    int  // framing lines of the largest packet; 1 if its size cannot be changed
	Gaps     int  // the highest step of the gap between lines that the link can keep; 0 if it can keep none
	Gap      int  // the step in use already
}

// Limits is what the transfer may ask of the device now.
type Limits struct {
	InFlight int // requests in flight, 1 to Config.InFlight
	Lines    int // of a packet, 1 to Config.Lines
	Gap      int // step of the gap between lines, 0 to Config.Gaps
}

// Sent is how a chunk was sent. It is kept with the chunk, and handed back with its fate.
type Sent struct {
	InFlight int           // requests in flight, this one included
	Lines    int           // of the packet
	Gap      int           // step
	Epoch    int           // of the limits: what was sent in an older one says nothing about the present ones
	At       time.Duration // since the start of the transfer
}

// alone says that no other request was in flight.
func (s Sent) alone() bool { return s.InFlight <= 1 }

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
