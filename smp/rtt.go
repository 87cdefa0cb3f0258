package smp

import "time"

// rtt estimates how long an answer takes, from those that came (RFC 6298, section 2).
type rtt struct {
	smoothed, variation time.Duration // smoothed 0: nothing measured yet
}

// Bounds of the probe time-out.
const (
	minProbeTimeout = 40 * time.Millisecond // a host's scheduler and a USB stack take that now and then
	maxProbeTimeout = time.Second
)

// measure takes the time that one answer took.
func (r *rtt) measure(took time.Duration) {
	if r.smoothed == 0 {
		r.smoothed, r.variation = took, took/2
		return
	}
	r.variation += ((took - r.smoothed).Abs() - r.variation) / 4
	r.smoothed += (took - r.smoothed) / 8
}

// probeTimeout is how long an answer may take before it is worth asking what became of the request (RFC 9002, section
// 6.2.1).
func (r *rtt) probeTimeout() time.Duration {
	if r.smoothed == 0 {
		return maxProbeTimeout
	}
	return min(max(r.smoothed+4*r.variation, r.smoothed*5/4, minProbeTimeout), maxProbeTimeout)
}
