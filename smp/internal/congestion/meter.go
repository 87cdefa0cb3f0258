package congestion

import "time"

// meter measures what the limits of one epoch are worth: bytes per second, and what became of chunks that were sent
// alone and of others.
type meter struct {
	begun         bool
	last          time.Duration // news
	seconds       float64
	bytes         float64
	alone, others fate
	row           int     // losses since the last acknowledgement
	clean, pairs  float64 // seconds between acknowledgements without a loss between them, and their number
}

// fate is what became of chunks.
type fate struct{ good, lost float64 }

// share is that of the lost ones.
func (f fate) share() float64 { return f.lost / max(f.good+f.lost, 1) }

const (
	remembered = 64 // acknowledgements, after which older news counts half
	longest    = 1  // seconds that one silence counts: a lost probe is bad luck, not the fault of the limits
)

// skip is for news of chunks that were sent in an older epoch.
func (m *meter) skip(now time.Duration) {
	if !m.begun {
		m.last = now
	}
}

func (m *meter) ack(s Sent, bytes int, now time.Duration) {
	took := m.pass(s, now)
	m.of(s).good++
	m.bytes += float64(bytes)
	if m.row == 0 {
		m.clean += took
		m.pairs++
	}
	m.row = 0
	if m.all().good > remembered {
		m.fade()
	}
}

func (m *meter) loss(s Sent, now time.Duration) {
	m.pass(s, now)
	m.of(s).lost++
	m.row++
}

// pass adds the time since the last news, or since the first chunk was sent, and returns it in seconds.
func (m *meter) pass(s Sent, now time.Duration) float64 {
	if !m.begun {
		m.begun, m.last = true, max(m.last, s.At)
	}
	took := min((now - m.last).Seconds(), longest)
	m.seconds += took
	m.last = now
	return took
}

func (m *meter) of(s Sent) *fate {
	if s.alone() {
		return &m.alone
	}
	return &m.others
}

func (m *meter) all() fate { return fate{m.alone.good + m.others.good, m.alone.lost + m.others.lost} }

// resume goes on after a trial of something else.
func (m *meter) resume(now time.Duration) { m.begun, m.row, m.last = false, 0, now }

func (m *meter) fade() {
	m.seconds, m.bytes, m.clean, m.pairs = m.seconds/2, m.bytes/2, m.clean/2, m.pairs/2
	m.alone.good, m.alone.lost = m.alone.good/2, m.alone.lost/2
	m.others.good, m.others.lost = m.others.good/2, m.others.lost/2
}

// rate is bytes per second; 0 if there was no acknowledgement.
func (m *meter) rate() float64 {
	if m.seconds <= 0 {
		return 0
	}
	return m.bytes / m.seconds
}

// chunk is the bytes of one.
func (m *meter) chunk() float64 { return m.bytes / max(m.all().good, 1) }

// wasted is the share of the time that losses took.
func (m *meter) wasted() float64 {
	if all := m.all(); all.lost > 0 && m.pairs > 0 && m.seconds > 0 {
		return 1 - m.clean/m.pairs*all.good/m.seconds
	}
	return 0
}
