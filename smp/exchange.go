package smp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Silence of a single request before the first probe, at least.
const (
	minDoubt  = 250 * time.Millisecond // most answers take a tenth of that
	slowDoubt = time.Second            // for what makes the device work
)

// maxLostTries is how many tries may be lost although the device answers probes, after which the time of one try is
// enough.
const maxLostTries = 5

// timing says how long a request may wait.
type timing struct {
	timeout time.Duration // of one try
	tries   int
	sent    chan<- error // for [call]; nil unless somebody must know
}

func (c *Client) timing() timing { return timing{timeout: c.options.Timeout, tries: c.options.Tries} }

// exchange sends a single request until an answer comes and returns its payload, which belongs to the caller. It takes
// tries × timeout at most, and one timeout more if the device shows now and then that it lives.
//
// Each try has a sequence number of its own, and an answer to any of them counts: a device that is merely slow then
// costs no second wait. A try that is lost for certain is repeated at once.
func (c *Client) exchange(ctx context.Context, packet []byte, t timing) ([]byte, error) {
	slow := t.timeout > c.options.Timeout
	t.timeout += c.wire(len(packet))
	d := newLossDetection(c, (t.tries+1)*(maxProbes+1)+2*maxProbes)
	defer d.stop()
	d.probes, d.least = t.tries > 1, minDoubt
	if slow {
		d.least = slowDoubt
	}
	q := &question{c, d, packet, t, 0}
	start := time.Now()
	for unanswered, lost := 0, 0; unanswered < t.tries; {
		answer, alive, err := q.try(ctx)
		took := time.Since(start)
		switch {
		case err != nil:
			return nil, err
		case answer != nil:
			return answer.body, nil
		case !alive:
			unanswered++
		case lost >= maxLostTries && took >= t.timeout, took >= time.Duration(t.tries)*t.timeout:
			return nil, fmt.Errorf("%w to any of %d tries, although the device answers other requests",
				ErrNoReply, q.sent)
		default:
			lost++
		}
		c.widenGap(packet)
	}
	return nil, silence(t)
}

// question is a single request and the answer it waits for.
type question struct {
	c      *Client
	loss   *lossDetection
	packet []byte
	timing timing
	sent   int // tries
}

// try sends the request once more. Without an answer, alive says that the try is lost for certain.
func (q *question) try(ctx context.Context) (answer *sent, alive bool, err error) {
	if err := ended(ctx); err != nil {
		return nil, false, err
	}
	deadline := time.Now().Add(q.timing.timeout)
	if err := q.send(ctx, deadline); err != nil {
		return nil, false, err
	}
	if q.sent == 1 { // the wait for the first turn is not the device's
		deadline = time.Now().Add(q.timing.timeout)
	}
	for {
		news, err := q.loss.wait(ctx, deadline)
		switch {
		case err != nil:
			return nil, false, err
		case news.answered != nil:
			return news.answered, true, nil
		case news.silence:
			return nil, false, nil
		case q.loss.requests() == 0:
			return nil, true, nil
		}
	}
}

// send sends a try. The first one waits for its turn. The others have room, unless the device is gone; but beside
// requests of others they wait too, until the deadline. One that the link has not taken yet needs no second behind it:
// both would come at once when it does.
func (q *question) send(ctx context.Context, deadline time.Time) error {
	if n := len(q.loss.inFlight); n > 0 && q.c.unsent(&q.loss.inFlight[n-1].call) {
		return nil
	}
	s := &sent{call: call{packet: slices.Clone(q.packet), done: q.loss.done, sent: q.timing.sent}}
	s.gap = q.c.gapFor(q.packet, q.timing.tries == 1)
	if err := q.start(ctx, &s.call, deadline); err != nil {
		if errors.Is(err, errNoRoom) {
			return nil
		}
		return err
	}
	q.sent++
	q.loss.sending(s)
	q.loss.reserve = q.timing.tries - q.sent
	return nil
}

func (q *question) start(ctx context.Context, cl *call, deadline time.Time) error {
	switch {
	case q.sent == 0:
		return q.c.startInTurn(ctx, cl)
	case q.c.outstanding() <= len(q.loss.inFlight):
		return q.c.start(cl, noLimit)
	}
	turn, cancel := context.WithDeadlineCause(ctx, deadline, errNoRoom)
	defer cancel()
	return q.c.startInTurn(turn, cl)
}

// silence is the error after the last try went unanswered.
func silence(t timing) error {
	if t.tries == 1 {
		return fmt.Errorf("%w within %v", ErrNoReply, t.timeout.Round(time.Millisecond))
	}
	return fmt.Errorf("%w within %v (%d tries)", ErrNoReply, t.timeout.Round(time.Millisecond), t.tries)
}
