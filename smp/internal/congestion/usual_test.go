package congestion_test

import (
	"testing"
	"time"
)

// TestUsualDevices holds the law to more where a device has Zephyr's four buffers and takes whole packets.
func TestUsualDevices(t *testing.T) {
	const least = 0.97
	s := new(sender)
	worst := 1.0
	for n := range 2 * 3 * 3 * 3 {
		m := model{
			buffers: 4, size: []int{384, 2048}[n%2], pool: 32, drain: 100 * time.Microsecond, flash: 200e3,
			fixed:   []time.Duration{0, 5 * time.Millisecond, 30 * time.Millisecond}[n/2%3],
			baud:    []float64{115200, 1e6, 1e7}[n/6%3],
			request: []float64{0, 0.001, 0.01}[n/18],
			latency: time.Millisecond,
			upload:  132_472,
		}
		m.answer = m.request
		r := play(s, m)
		worst = min(worst, r.share)
		if r.share < least {
			t.Errorf("%v; want %.2f at least", r, least)
		}
	}
	t.Logf("worst %.3f", worst)
}
