package smp

// pace finds out how much a device and its driver take, from what becomes of the chunks: how many may be in flight, and how many lines a
// packet may have, and whether they must come with a gap. Three things set the limits, and no device tells them all: its packet buffers, its line buffers (a burst of more lines than
// the two of a stock Zephyr is dropped without a word when nothing paces it), and its flash.
//
// A noisy wire loses chunks too, whatever their size. So a setting counts as too much only when it loses a good part of them,
// and the next larger one is tried again later, ever more rarely.
type pace struct {
	depth, lines setting
	gap, maxGap  int // of lineGaps
}

// setting is one of the two numbers, and how it fared. Depth is judged by the chunks that were sent while others were in flight,
// lines by those that were sent alone.
type setting struct {
	now, max   int
	good, lost int // chunks since the last change; old ones count half
	calm       int // good chunks since the last change
	patience   int // good chunks after which the next larger number is tried
	pinned     bool
}

const (
	enoughLosses = 3  // before a setting is judged
	tolerated    = 30 // percent of the chunks lost
	remembered   = 64 // chunks, after which older ones count half
	tryAgain     = 64 // good chunks before the first retry of a larger number
)

func newPace(maxDepth, maxLines int) *pace {
	return &pace{
		depth: setting{now: maxDepth, max: maxDepth, patience: tryAgain},
		lines: setting{now: maxLines, max: maxLines, patience: tryAgain},
	}
}

// good takes a chunk that arrived; alone says that no other was in flight when it was sent.
func (p *pace) good(alone bool) {
	s := &p.depth
	if alone {
		s = &p.lines
	}
	s.good++
	s.fade()
	p.depth.ripen(p.depth.now + 1)
	p.lines.ripen(moreLines(p.lines.now))
}

// bad takes a chunk that was lost. A gap between lines is the first remedy, for it is the cheapest: less in flight and smaller packets
// cost a part of the rate for as long as the upload lasts.
func (p *pace) bad(alone bool) {
	s := &p.depth
	if alone {
		s = &p.lines
	}
	failed := s.fails()
	switch {
	case p.gap < p.maxGap && p.burst(alone) && (failed || s.good == 0):
		p.gap++
		s.set(s.now)
	case !failed:
	case alone:
		p.gap, p.maxGap = 0, 0 // it was no help
		p.lines.set(fewerLines(p.lines.now))
	default:
		s.set(s.now - 1)
	}
}

// burst reports whether what was lost may have been too many lines at once.
func (p *pace) burst(alone bool) bool { return !alone || p.lines.now > burstLines }

// fails counts a loss and reports whether there have been too many.
func (s *setting) fails() bool {
	s.lost++
	s.fade()
	return s.now > 1 && s.lost >= enoughLosses && s.lost*100 > tolerated*(s.good+s.lost)
}

// ripen tries the next larger number when enough went well for long enough. If that fails, the next try takes twice as long.
func (s *setting) ripen(next int) {
	if s.now == s.max {
		return
	}
	if s.calm++; s.calm >= s.patience {
		s.patience *= 2
		s.set(min(next, s.max))
	}
}

func (s *setting) set(n int) { s.now, s.good, s.lost, s.calm = n, 0, 0, 0 }

// shift moves the limit, and the number with it if it was there.
func (s *setting) shift(by int) {
	if by == 0 || s.pinned {
		return
	}
	atLimit := s.now == s.max
	s.max = max(s.max+by, 1)
	if atLimit || s.now > s.max {
		s.set(s.max)
	}
}

// pin fixes the number for good.
func (s *setting) pin(n int) { s.now, s.max, s.pinned = n, n, true }

func (s *setting) fade() {
	if s.good+s.lost > remembered {
		s.good, s.lost = s.good/2, s.lost/2
	}
}

// fewerLines is the next smaller packet: large steps while it is large.
func fewerLines(n int) int {
	if n > 5 {
		return n / 2
	}
	return max(n*2/3, 1)
}

// moreLines is the way back.
func moreLines(n int) int {
	if n >= 3 {
		return n * 2
	}
	return n + 1
}
