package smp

import "time"

// stretch finds out whether one request more in flight pays, the one that takes the buffer which the device would need to answer a request
// for a sign of life while it works. On a wire that is full anyway it does not, and each loss then costs half a second; where
// every request costs the device a fixed time it is worth a third of the rate. So it is tried once an upload runs well, measured, and
// given up at the first loss.
type stretch struct {
	possible bool
	at       int // extra requests in flight: 0 or 1
	wait     int // chunks until the next try
	patience int // chunks to wait after a try that did not pay

	usual   float64   // bytes per second without
	began   time.Time // of the present measurement
	bytes   int
	chunks  int
	decided bool // it pays
}

const (
	stretchSettle = 4    // chunks until a change shows
	stretchSample = 16   // chunks of a measurement
	stretchPays   = 1.05 // times the usual rate
	stretchTry    = 16   // chunks before the first try: as soon as the usual rate is known
	stretchAgain  = 256  // chunks before the second
)

func newStretch(possible bool) *stretch {
	return &stretch{possible: possible, wait: stretchTry, patience: stretchAgain}
}

// good takes a chunk of n bytes that was answered at the given time, and returns by how much the depth is to change.
func (s *stretch) good(n int, now time.Time) (change int) {
	if !s.possible || s.decided {
		return 0
	}
	if s.wait > 0 {
		s.wait--
	}
	if s.chunks++; s.chunks <= stretchSettle {
		s.began, s.bytes = now, 0
		return 0
	}
	s.bytes += n
	took := now.Sub(s.began).Seconds()
	if s.chunks < stretchSettle+stretchSample || took <= 0 {
		return 0
	}
	rate := float64(s.bytes) / took
	switch {
	case s.at == 0 && s.wait > 0:
		s.began, s.bytes, s.chunks = now, 0, stretchSettle
		return 0
	case s.at == 0:
		s.usual = rate
		return s.to(1)
	case rate > s.usual*stretchPays:
		s.decided = true
		return 0
	}
	return s.giveUp()
}

// lost takes a loss, and returns by how much the depth is to change.
func (s *stretch) lost() (change int) {
	s.chunks = 0
	if s.at == 0 {
		return 0
	}
	return s.giveUp()
}

func (s *stretch) giveUp() int {
	s.decided = false
	s.wait, s.patience = s.patience, 2*s.patience
	return s.to(0)
}

func (s *stretch) to(at int) (change int) {
	change = at - s.at
	s.at, s.chunks = at, 0
	return change
}
