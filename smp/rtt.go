package smp

import "time"

// rtt estimates how long an answer takes, from those that came (Jacobson and Karels, as in RFC 6298).
type rtt struct {
	mean, deviation time.Duration // mean 0: nothing measured yet
}

// Bounds of the time after which silence means something.
const (
	minSilence = 40 * time.Millisecond // a host's scheduler and a USB stack take that now and then
	maxSilence = time.Second
)

// measure takes the time that one answer took.
func (r *rtt) measure(took time.Duration) {
	if r.mean == 0 {
		r.mean, r.deviation = took, took/2
		return
	}
	r.deviation += ((took - r.mean).Abs() - r.deviation) / 4
	r.mean += (took - r.mean) / 8
}

// silence is how long an answer may take before it is worth asking what became of the request.
func (r *rtt) silence() time.Duration {
	if r.mean == 0 {
		return maxSilence
	}
	return min(max(r.mean+4*r.deviation, r.mean*5/4, minSilence), maxSilence)
}
