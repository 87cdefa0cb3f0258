package smp

import (
	"testing"
	"time"
)

func TestRTT(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name  string
		took  []time.Duration
		least time.Duration
		most  time.Duration
	}{
		{"nothing measured", nil, maxProbeTimeout, maxProbeTimeout},
		{"fast", []time.Duration{ms, ms, ms, ms}, minProbeTimeout, minProbeTimeout},
		{"steady", []time.Duration{100 * ms, 100 * ms, 100 * ms, 100 * ms, 100 * ms, 100 * ms, 100 * ms, 100 * ms},
			125 * ms, 160 * ms},
		{"one long pause", []time.Duration{20 * ms, 20 * ms, 20 * ms, 20 * ms, 20 * ms, 500 * ms}, 200 * ms, 700 * ms},
		{"slow", []time.Duration{5 * time.Second}, maxProbeTimeout, maxProbeTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r rtt
			for _, took := range tt.took {
				r.measure(took)
			}
			if got := r.probeTimeout(); got < tt.least || got > tt.most {
				t.Errorf("probe time-out after %v, want %v to %v", got, tt.least, tt.most)
			}
		})
	}
}
