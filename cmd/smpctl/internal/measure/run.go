package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/internal/cborhead"
	"github.com/smpctl/smpctl/smp"
)

// bench measures one device. Its client must send every request once only: whether one was lost is what the bench finds
// out.
type bench struct {
	c      *smp.Client
	plan   plan
	Began  time.Time
	limit  time.Duration // of the whole measuring
	rows   []Row
	floor  time.Duration // shortest wait for an answer; grows when answers turn out to be late
	Refuse string        // why the device does not echo; empty if it does
}

func New(c *smp.Client, l Link, limit time.Duration) *bench {
	return &bench{c: c, plan: newPlan(l), limit: limit, Began: time.Now(), floor: benchWait}
}

// Limits of the waiting. An answer is due after a few times what smaller ones took.
const (
	benchWait       = 100 * time.Millisecond // a host's scheduler, a USB stack and a busy device take that now and then
	benchMaxWait    = 2 * time.Second        // also for the very first answer
	benchWaitFactor = 4                      // times the expected time
	benchProbeWait  = time.Second            // for the answer to a probe, before another one is sent
	benchSilence    = 3 * time.Second        // after which a device counts as silent
)

const (
	benchMost     = 60 // requests of one setting
	benchSteps    = 8  // bytes less, for a device whose answer is longer than the request
	benchHurry    = 70 // percent of the time, after which only uploads are measured
	benchFewAlone = 3  // requests at least, and two for every further one in flight
	benchDoubtful = 10 // requests at least once one was lost
)

// Run measures until all is known or the time is up. After an error the rows so far are good.
func (b *bench) Run(ctx context.Context) error {
	for {
		used := time.Since(b.Began)
		s, ok := b.plan.next(b.rows, used*100 > b.limit*benchHurry)
		if !ok || used >= b.limit {
			return nil
		}
		if b.expect(s)*time.Duration(fewest(s))/time.Duration(s.Depth) > b.limit-used {
			b.rows = append(b.rows, Row{setting: s, asked: s.Packet})
			continue
		}
		left := max(b.plan.most()-len(b.rows), 1)
		if err := b.measureFitting(ctx, s, (b.limit-used)/time.Duration(left)); err != nil {
			return err
		}
	}
}

// Measured are the rows of settings that were not skipped.
func (b *bench) Measured() []Row {
	return slices.DeleteFunc(slices.Clone(b.rows), func(r Row) bool { return r.Sent == 0 })
}

// measureFitting measures a setting. Where an echo does not fit the device's buffer for an answer, a slightly smaller
// one may; a device that does not echo at all is asked for its parameters from then on.
func (b *bench) measureFitting(ctx context.Context, s setting, slice time.Duration) error {
	asked := s.Packet
	for {
		row, err := b.measure(ctx, s, slice)
		var refused *refusedError
		if !errors.As(err, &refused) {
			row.asked = asked
			if err == nil {
				b.rows = append(b.rows, row)
			}
			return err
		}
		if !refused.tooLarge() || asked-s.Packet >= benchSteps {
			b.plan.shape, b.Refuse = shapeParams, refused.Error()
			return nil
		}
		s.Packet--
		s.Lines = b.plan.link.lines(s.Packet)
	}
}

// refusedError is an echo that the device does not send back.
type refusedError struct{ error }

func (e *refusedError) Unwrap() error { return e.error }

func (e *refusedError) tooLarge() bool {
	var refused *smp.DeviceError
	return errors.As(e.error, &refused) && refused.Name() == "EMSGSIZE"
}

// fewest is how many requests a setting gets even when time is short.
func fewest(s setting) int { return benchFewAlone + 2*(s.Depth-1) }

// measure keeps a setting's number of requests in flight until its time is up. A lost one ends the flight: nothing is
// sent before the device has shown that it holds none of them any more.
func (b *bench) measure(ctx context.Context, s setting, slice time.Duration) (Row, error) {
	t := &tally{few: fewest(s), alone: s.Depth == 1, until: time.Now().Add(slice), end: b.Began.Add(b.limit)}
	wait := b.wait(s)
	for t.more() {
		before := b.c.Unmatched()
		lost, err := b.fly(ctx, s, wait, t)
		if err != nil {
			return Row{}, err
		}
		if lost == 0 {
			continue
		}
		late, err := b.drain(ctx, lost, before)
		t.lost += lost - late
		if err != nil {
			return Row{}, err
		}
		if late > 0 {
			b.floor = min(2*b.floor, benchMaxWait)
			wait = max(wait, b.floor)
		}
	}
	return t.row(s), nil
}

// fly sends requests, as many at a time as the setting says, until enough were sent or one was lost.
func (b *bench) fly(ctx context.Context, s setting, wait time.Duration, t *tally) (lost int, err error) {
	var wg sync.WaitGroup
	t.flight = flight{}
	for range s.Depth {
		wg.Go(func() {
			for t.take() {
				start := time.Now()
				var n int
				err := failure.Guard(func() (err error) {
					n, err = b.ask(ctx, s, wait)
					return err
				})
				t.give(start, n, err)
			}
		})
	}
	wg.Wait()
	return t.flight.lost, t.flight.err
}

// ask sends one request and returns the size of the answer's packet. Silence is an [smp.ErrNoReply].
func (b *bench) ask(ctx context.Context, s setting, wait time.Duration) (answer int, err error) {
	limited, cancel := context.WithTimeoutCause(ctx, wait, smp.ErrNoReply)
	defer cancel()
	if s.Request == shapeParams {
		body, err := b.c.Raw(limited, smp.Read, smp.GroupOS, ParamsID, textPayload(s.Packet-smp.HeaderLen))
		return smp.HeaderLen + len(body), err
	}
	text := benchText(s.Packet - smp.HeaderLen)
	back, err := b.c.OS.Echo(limited, text)
	var refused *smp.DeviceError
	var nonsense *smp.ProtocolError
	switch {
	case errors.As(err, &refused), errors.As(err, &nonsense):
		return 0, &refusedError{err}
	case err == nil && back != text:
		return 0, &refusedError{fmt.Errorf("echo: %d bytes came back as other text", len(text))}
	}
	return s.Packet + 1, err // Zephyr ends its map with a byte of its own
}

// ParamsID is the parameters command (Zephyr smp_group_0.rst).
const ParamsID = 6

// textPayload is a CBOR map (RFC 8949, section 3) of exactly n bytes, with a single text under the key "d".
func textPayload(n int) []byte {
	text := benchText(n)
	b := append(cborhead.Append(nil, cborhead.Map, 1), "\x61d"...)
	return append(cborhead.Append(b, cborhead.Text, uint64(len(text))), text...)
}

// benchText is the text that makes the payload n bytes long; where no text does, the payload is a byte shorter.
func benchText(n int) string {
	k := n - 4 // map, key and its head, head of the text
	switch {
	case k >= 1<<8+2:
		k -= 2
	case k > 24:
		k = min(k-1, 1<<8-1)
	case k == 24:
		k = 23
	}
	return strings.Repeat("0123456789abcdef", k/16+1)[:max(k, 0)]
}

// drain waits until the device has shown that it holds no request any more: answers come in the order of requests, so
// one to a probe comes last. It returns how many of the lost requests were answered meanwhile, only late.
func (b *bench) drain(ctx context.Context, lost, unmatchedBefore int) (late int, err error) {
	tries := min(max(max(b.plan.link.Params.BufferCount, benchFewAlone)-lost, 1), benchFewAlone)
	for i := range tries {
		wait := benchProbeWait
		if i == tries-1 {
			wait = benchSilence
		}
		_, err = b.ask(ctx, setting{Request: shapeParams, Packet: tinyPacket}, wait)
		switch {
		case err == nil:
			// not only late answers: the device echoes what it hears
			if late = b.c.Unmatched() - unmatchedBefore; late > lost+i {
				late = 0
			}
			return min(late, lost), nil
		case !errors.Is(err, smp.ErrNoReply) || ctx.Err() != nil:
			return 0, err
		}
	}
	return 0, fmt.Errorf("bench: the device fell silent: %w", err)
}

// expect is how long an answer takes, judging by those that came; 0 if nothing is known.
func (b *bench) expect(s setting) time.Duration {
	best := Row{}
	for _, r := range b.rows {
		if r.Depth == 1 && r.Usable() && r.asked <= s.Packet && r.asked >= best.asked {
			best = r
		}
	}
	if best.asked == 0 {
		return 0
	}
	l := b.plan.link
	grown := max(float64(l.frame(s.Packet))/float64(l.frame(best.Packet)), 1)
	return time.Duration(best.RoundTrip * grown * float64(s.Depth) * float64(time.Second))
}

// wait is how long silence lasts before a request counts as lost.
func (b *bench) wait(s setting) time.Duration {
	expected := b.expect(s)
	if expected == 0 {
		return benchMaxWait
	}
	return min(max(benchWaitFactor*expected, b.floor), max(benchMaxWait, 2*expected))
}
