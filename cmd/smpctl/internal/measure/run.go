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

// measurement sends what the plan says, and keeps what came of it.
type measurement struct {
	c      *smp.Client
	plan   plan
	began  time.Time
	limit  time.Duration // of the whole measuring
	rows   []Row
	floor  time.Duration // shortest wait for an answer; grows when answers turn out to be late
	noEcho string        // why the device does not echo; empty if it does
}

func newMeasurement(c *smp.Client, l Link, limit time.Duration) *measurement {
	return &measurement{c: c, plan: newPlan(l), limit: limit, began: time.Now(), floor: shortestWait}
}

// Limits of the waiting. An answer is due after a few times what smaller ones took.
const (
	shortestWait = 100 * time.Millisecond // a host's scheduler, a USB stack and a busy device take that now and then
	longestWait  = 2 * time.Second        // also for the very first answer
	waitFactor   = 4                      // times the expected time
	probeWait    = time.Second            // for the answer to a probe, before another one is sent
	silence      = 3 * time.Second        // after which a device counts as silent
)

const (
	mostRequests = 60 // requests of one setting
	mostSteps    = 8  // bytes less, for a device whose answer is longer than the request
	hurry        = 70 // percent of the time, after which only uploads are measured
	fewAlone     = 3  // requests at least, and two for every further one in flight
	doubtful     = 10 // requests at least once one was lost
)

// run measures until all is known or the time is up. After an error the rows so far are good.
func (m *measurement) run(ctx context.Context) error {
	for {
		used := time.Since(m.began)
		s, ok := m.plan.next(m.rows, used*100 > m.limit*hurry)
		if !ok || used >= m.limit {
			return nil
		}
		if m.expect(s)*time.Duration(fewest(s))/time.Duration(s.Depth) > m.limit-used {
			m.rows = append(m.rows, Row{setting: s, asked: s.Packet})
			continue
		}
		left := max(m.plan.most()-len(m.rows), 1)
		if err := m.measureFitting(ctx, s, (m.limit-used)/time.Duration(left)); err != nil {
			return err
		}
	}
}

// measured are the rows of settings that were not skipped.
func (m *measurement) measured() []Row {
	return slices.DeleteFunc(slices.Clone(m.rows), func(r Row) bool { return r.Sent == 0 })
}

// measureFitting measures a setting. Where an echo does not fit the device's buffer for an answer, a slightly smaller
// one may; a device that does not echo at all is asked for its parameters from then on.
func (m *measurement) measureFitting(ctx context.Context, s setting, slice time.Duration) error {
	asked := s.Packet
	for {
		row, err := m.measure(ctx, s, slice)
		var refused *refusedError
		if !errors.As(err, &refused) {
			row.asked = asked
			if err == nil {
				m.rows = append(m.rows, row)
			}
			return err
		}
		if !refused.tooLarge() || asked-s.Packet >= mostSteps {
			m.plan.shape, m.noEcho = shapeParams, refused.Error()
			return nil
		}
		s.Packet--
		s.Lines = m.plan.link.lines(s.Packet)
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
func fewest(s setting) int { return fewAlone + 2*(s.Depth-1) }

// measure keeps a setting's number of requests in flight until its time is up. A lost one ends the flight: nothing is
// sent before the device has shown that it holds none of them any more.
func (m *measurement) measure(ctx context.Context, s setting, slice time.Duration) (Row, error) {
	t := &tally{few: fewest(s), alone: s.Depth == 1, until: time.Now().Add(slice), end: m.began.Add(m.limit)}
	wait := m.wait(s)
	for t.more() {
		before := m.c.Unmatched()
		lost, err := m.fly(ctx, s, wait, t)
		if err != nil {
			return Row{}, err
		}
		if lost == 0 {
			continue
		}
		late, err := m.drain(ctx, lost, before)
		t.lost += lost - late
		if err != nil {
			return Row{}, err
		}
		if late > 0 {
			m.floor = min(2*m.floor, longestWait)
			wait = max(wait, m.floor)
		}
	}
	return t.row(s), nil
}

// fly sends requests, as many at a time as the setting says, until enough were sent or one was lost.
func (m *measurement) fly(ctx context.Context, s setting, wait time.Duration, t *tally) (lost int, err error) {
	var wg sync.WaitGroup
	t.flight = flight{}
	for range s.Depth {
		wg.Go(func() {
			for t.take() {
				start := time.Now()
				var n int
				err := failure.Guard(func() (err error) {
					n, err = m.ask(ctx, s, wait)
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
func (m *measurement) ask(ctx context.Context, s setting, wait time.Duration) (answer int, err error) {
	limited, cancel := context.WithTimeoutCause(ctx, wait, smp.ErrNoReply)
	defer cancel()
	if s.Request == shapeParams {
		body, err := m.c.Raw(limited, smp.Read, smp.GroupOS, paramsID, textPayload(s.Packet-smp.HeaderLen))
		return smp.HeaderLen + len(body), err
	}
	text := echoText(s.Packet - smp.HeaderLen)
	back, err := m.c.OS.Echo(limited, text)
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

// paramsID is the parameters command (Zephyr smp_group_0.rst).
const paramsID = 6

// textPayload is a CBOR map (RFC 8949, section 3) of exactly n bytes, with a single text under the key "d".
func textPayload(n int) []byte {
	text := echoText(n)
	b := append(cborhead.Append(nil, cborhead.Map, 1), "\x61d"...)
	return append(cborhead.Append(b, cborhead.Text, uint64(len(text))), text...)
}

// echoText is the text that makes the payload n bytes long; where no text does, the payload is a byte shorter.
func echoText(n int) string {
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
func (m *measurement) drain(ctx context.Context, lost, unmatchedBefore int) (late int, err error) {
	tries := min(max(max(m.plan.link.Params.BufferCount, fewAlone)-lost, 1), fewAlone)
	for i := range tries {
		wait := probeWait
		if i == tries-1 {
			wait = silence
		}
		_, err = m.ask(ctx, setting{Request: shapeParams, Packet: tinyPacket}, wait)
		switch {
		case err == nil:
			// not only late answers: the device echoes what it hears
			if late = m.c.Unmatched() - unmatchedBefore; late > lost+i {
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
func (m *measurement) expect(s setting) time.Duration {
	best := Row{}
	for _, r := range m.rows {
		if r.Depth == 1 && r.usable() && r.asked <= s.Packet && r.asked >= best.asked {
			best = r
		}
	}
	if best.asked == 0 {
		return 0
	}
	l := m.plan.link
	grown := max(float64(l.frame(s.Packet))/float64(l.frame(best.Packet)), 1)
	return time.Duration(best.RoundTrip * grown * float64(s.Depth) * float64(time.Second))
}

// wait is how long silence lasts before a request counts as lost.
func (m *measurement) wait(s setting) time.Duration {
	expected := m.expect(s)
	if expected == 0 {
		return longestWait
	}
	return min(max(waitFactor*expected, m.floor), max(longestWait, 2*expected))
}
