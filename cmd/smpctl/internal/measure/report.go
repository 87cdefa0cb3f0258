package measure

import (
	"context"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// Report is what was found out about a link.
type Report struct {
	Rows    []Row         // in the order of the measurements
	Verdict               // what they mean
	NoWire  bool          // answers come sooner than the link's baud rate allows: nothing is said of it
	NoEcho  string        // why the device does not echo; empty if it does
	Elapsed time.Duration // since the first request
}

// Run measures a link for at most limit, one wait for an answer and one round of probes. The client must send every
// request once only: whether one was lost is what is measured. After an error, such as a device that falls silent, the
// report holds what was measured before.
func Run(ctx context.Context, c *smp.Client, l Link, limit time.Duration) (Report, error) {
	m := newMeasurement(c, l, limit)
	err := m.run(ctx)
	r := Report{Rows: m.measured(), NoEcho: m.noEcho, Elapsed: time.Since(m.began)}
	if l.Baud > 0 && !onWire(l, r.Rows) {
		r.NoWire, l.Baud = true, 0
	}
	r.Verdict = judge(l, r.Rows)
	return r, err
}

// RoundTrip is that of the smallest packet in seconds; 0 if none was answered.
func (r Report) RoundTrip() float64 {
	for _, row := range r.Rows {
		if row.Depth == 1 && row.usable() {
			return row.RoundTrip
		}
	}
	return 0
}
