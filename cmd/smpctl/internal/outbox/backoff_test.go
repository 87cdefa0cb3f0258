package outbox

import (
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	for _, c := range []struct {
		failures int
		asked    time.Duration
		random   float64
		want     time.Duration
	}{
		{1, 0, 0, 500 * time.Millisecond},
		{1, 0, 1, time.Second},
		{4, 0, 0.5, 6 * time.Second},
		{9, 0, 1, 256 * time.Second},
		{10, 0, 1, longestWait},
		{1000000, 0, 1, longestWait},
		{1000000, 0, 0, longestWait / 2},
		{1, time.Minute, 1, time.Minute},
		{10, time.Minute, 1, longestWait},
		{1, 240 * time.Hour, 1, longestAsked},
	} {
		if got := wait(c.failures, c.asked, c.random); got != c.want {
			t.Errorf("wait(%d, %v, %v) = %v, want %v", c.failures, c.asked, c.random, got, c.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "soon": 0, "0": 0, "-1": 0, "90": 90 * time.Second, "99999999999999999999": 0, "1.5": 0,
		"Sat, 21 Nov 2026 09:05:00 GMT": 5 * time.Minute, "Sat, 21 Nov 2026 08:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", text, got, want)
		}
	}
}
