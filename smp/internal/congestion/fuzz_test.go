package congestion_test

import (
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp/internal/congestion"
)

// FuzzControl calls in any order: the limits stay within what is allowed, and nothing panics.
func FuzzControl(f *testing.F) {
	f.Add(3, 2, 5, 2, 0, []byte{0, 1, 2, 3, 1, 1, 2})
	f.Add(15, 14, 22, 0, 0, []byte{9, 9, 9, 9, 9, 9, 200, 200, 200})
	f.Add(-1, -7, 0, -2, 9, []byte{4})
	f.Fuzz(func(t *testing.T, inFlight, spare, lines, gaps, gap int, script []byte) {
		inFlight, lines, gaps = inFlight%64, lines%64, gaps%8
		c := congestion.New(congestion.Config{InFlight: inFlight, Spare: spare, Lines: lines, Gaps: gaps, Gap: gap})
		var flight [256]congestion.Sent
		now := time.Duration(0)
		for i, b := range script {
			now += time.Duration(b) * time.Millisecond
			l := c.Limits()
			if l.InFlight < 1 || l.InFlight > max(inFlight, 1) || l.Lines < 1 || l.Lines > max(lines, 1) ||
				l.Gap < 0 || l.Gap > max(gaps, 0) {
				t.Fatalf("call %d: limits %+v", i, l)
			}
			flight[b] = c.OnSent(1+int(b)%l.InFlight, l.Lines, now)
			switch s := flight[script[(i*7+int(b))%len(script)]]; b % 4 {
			case 0, 1:
				c.OnAck(s, int(b)*8, now)
			case 2:
				c.OnLoss(s, now)
			case 3:
				if b > 250 {
					c.Single()
					inFlight = 1
				}
			}
		}
	})
}
