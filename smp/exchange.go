package smp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// When a request goes unanswered, a second one asks for a sign of life, as in an upload (see [sign]): where its answer comes first, the
// request was lost, and a new one need not wait for the rest of the time.
const (
	doubtAfter     = 250 * time.Millisecond // of silence; most answers take a tenth of that
	slowDoubtAfter = time.Second            // for what makes the device work
	maxProvenLost  = 5                      // requests lost although the device answers others, after which the time of one try is enough
	maxAsked       = 8                      // requests for a sign of life in one try; each waits twice as long as the one before
)

// question is one request and the answer it waits for. Each try has a sequence number of its own, and an answer to any of
// them counts: a device that is merely slow then costs no second wait.
type question struct {
	c      *Client
	packet []byte
	timing timing
	done   chan *call
	tries  []*call
	signs  []*call
	older  int // of signs, sent before the last try
	timer  *time.Timer
}

// exchange sends the packet until an answer comes and returns its payload, which belongs to the caller. It takes tries × timeout at most,
// and one timeout more if the device shows now and then that it lives.
func (c *Client) exchange(ctx context.Context, packet []byte, t timing) ([]byte, error) {
	t.timeout += c.wire(len(packet))
	q := &question{c: c, packet: packet, timing: t, done: make(chan *call, (t.tries+1)*(maxAsked+1)+2*maxAsked), timer: time.NewTimer(t.timeout)}
	defer q.timer.Stop()
	defer q.withdraw()
	start := time.Now()
	for unanswered, lost := 0, 0; unanswered < t.tries; {
		cl, alive, err := q.try(ctx)
		took := time.Since(start)
		switch {
		case err != nil:
			return nil, err
		case cl != nil:
			return cl.body, cl.err
		case !alive:
			unanswered++
		case lost >= maxProvenLost && took >= t.timeout, took >= time.Duration(t.tries)*t.timeout:
			return nil, fmt.Errorf("%w to any of %d tries, although the device answers other requests", ErrNoReply, len(q.tries))
		default:
			lost++
		}
		c.widenGap(packet)
	}
	return nil, silence(t)
}

// try sends the request once more. It returns the call that was answered, or, in alive, that the request was lost for sure.
func (q *question) try(ctx context.Context) (answered *call, alive bool, err error) {
	if err := ended(ctx); err != nil {
		return nil, false, err
	}
	if err := q.send(ctx); err != nil {
		return nil, false, err
	}
	began := time.Now()
	for doubt := q.doubt(); ; {
		q.timer.Reset(min(doubt, q.timing.timeout) - time.Since(began))
		cl, err := await(ctx, q.done, q.timer.C)
		switch {
		case err != nil:
			return nil, false, err
		case cl != nil && cl.err == nil && slices.Contains(q.signs[:q.older], cl):
			continue // it says nothing of this try
		case cl != nil && cl.err == nil && slices.Contains(q.signs, cl):
			q.withdraw() // the device holds none of them any more
			return nil, true, nil
		case cl != nil:
			return cl, false, nil
		case time.Since(began) >= q.timing.timeout:
			return nil, false, nil
		}
		doubt *= 2
		if err := q.askForSign(); err != nil {
			return nil, false, err
		}
	}
}

// send sends a try. It waits for room with the first one only: the others have it, unless the device is gone. One that the link has not
// taken yet needs no second behind it: both would come at once when it does.
func (q *question) send(ctx context.Context) error {
	if q.stuck() {
		return nil
	}
	cl := &call{packet: slices.Clone(q.packet), done: q.done, sent: q.timing.sent, gentle: q.c.gentle(q.packet), once: q.timing.tries == 1}
	var err error
	if len(q.tries) > 0 {
		err = q.c.start(cl, noLimit)
	} else {
		err = q.c.startInTurn(ctx, cl)
	}
	if err == nil {
		q.tries, q.older = append(q.tries, cl), len(q.signs)
	}
	return err
}

// stuck reports whether the last try still waits for the link to take it.
func (q *question) stuck() bool {
	n := len(q.tries)
	return n > 0 && q.tries[n-1].queued.Load() && q.c.open(q.tries[n-1])
}

// doubt is how long silence may last before it is worth a second request; the whole timeout where none may be sent.
func (q *question) doubt() time.Duration {
	params, _, _ := q.c.learned()
	if q.timing.tries == 1 || params.BufferCount == 2 { // the sign would take the buffer that the answer needs
		return q.timing.timeout
	}
	var r rtt
	r.measure(q.c.roundTrip())
	least := doubtAfter
	if q.timing.timeout > q.c.options.Timeout+q.c.wire(len(q.packet)) {
		least = slowDoubtAfter
	}
	return max(r.silence(), least) + q.c.wire(len(q.packet))
}

// askForSign sends a request for a sign of life, unless the device has no room for it.
func (q *question) askForSign() error {
	if q.stuck() || len(q.signs) >= q.older+maxAsked {
		return nil
	}
	limit := q.c.queue()
	if len(q.signs) > q.older { // the device will need room for the other tries
		params, _, _ := q.c.learned()
		limit = min(limit, params.BufferCount-(q.timing.tries-len(q.tries)))
	}
	cl := &call{packet: q.c.signRequest(), done: q.done}
	err := q.c.start(cl, limit)
	if errors.Is(err, errNoRoom) {
		return nil
	}
	q.signs = append(q.signs, cl)
	return err
}

// signRequest is a request that every server answers, if only by saying that it does not have it. Of an application that answers probes it is one:
// a bootloader into which the device fell meanwhile must not take it for a wish to stay, and its answer would prove nothing.
func (c *Client) signRequest() []byte {
	if c.answersProbes() {
		return applicationProbe.Append(nil)
	}
	h := Header{Version: c.Version(), Op: osParams.op, Length: 1, Group: osParams.group, Command: osParams.id}
	return append(h.Append(nil), emptyMap)
}

func (q *question) withdraw() {
	for _, cl := range slices.Concat(q.tries, q.signs) {
		q.c.withdraw(cl)
	}
}

// await returns the next call that ends, or nil when the timer fires before.
func await(ctx context.Context, done <-chan *call, timer <-chan time.Time) (*call, error) {
	select {
	case cl := <-done:
		return cl, nil
	case <-ctx.Done():
		return nil, ended(ctx)
	case <-timer:
	}
	select { // after the computer slept both are ready, and the answer counts
	case cl := <-done:
		return cl, nil
	default:
		return nil, nil
	}
}

// silence is the error after the last try went unanswered.
func silence(t timing) error {
	if t.tries == 1 {
		return fmt.Errorf("%w within %v", ErrNoReply, t.timeout.Round(time.Millisecond))
	}
	return fmt.Errorf("%w within %v (%d tries)", ErrNoReply, t.timeout.Round(time.Millisecond), t.tries)
}
