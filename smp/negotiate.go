package smp

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Negotiate finds out, once for the connection, which protocol version the device speaks and how large its packet
// buffers are. Every other command does so by itself when needed. It waits at most Options.Tries × Options.Timeout.
func (c *Client) Negotiate(ctx context.Context) (Params, error) {
	if params, _, ok := c.negotiatedParams(); ok {
		return params, nil
	}
	t := c.timing()
	total := t.timeout * time.Duration(t.tries)
	limit, deadline := time.NewTimer(total), time.Now().Add(total)
	defer limit.Stop()
	select { // one caller asks, the others wait for what it learns
	case c.negotiating <- struct{}{}:
		defer func() { <-c.negotiating }()
	case <-limit.C:
		return Params{}, silence(t)
	case <-ctx.Done():
		return Params{}, ended(ctx)
	}
	params, restarts, ok := c.negotiatedParams()
	if ok {
		return params, nil
	}
	start := time.Now()
	if !start.Before(deadline) { // the one before asked for as long as this one may wait
		return Params{}, silence(t)
	}
	version, params, err := c.askParams(ctx, limit.C)
	if err != nil {
		return Params{}, err
	}
	took := time.Since(start)
	if c.options.MaxBuffer > 0 {
		params.BufferSize = min(params.BufferSize, max(c.options.MaxBuffer, minBuffer))
	}
	if c.options.Buffer > 0 {
		params.BufferSize = min(c.options.Buffer, maxBuffer)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.restarts == restarts { // else the answer may be from before a restart
		c.negotiated, c.version, c.params, c.took = true, version, params, took
	}
	return params, nil
}

// How long the device has for an answer before it is asked again: a moment after the first request, which MCUboot up to
// 1.10.0 does not hear, and then ever longer, but as long as there is time. Another program may have the port for a
// while and take our answers, or the device may be starting. A busy one queues every request: these are three in eight
// seconds, which is what a Zephyr with its default of packet buffers can hold, and four in twelve.
const (
	askInterval  = time.Second
	secondPause  = 3 // askIntervals
	furtherPause = 4 // the same
)

// mostAsked is how many requests stay open. What is older than these was lost, or has its answer before they have.
const mostAsked = 4

// secondThought is how long a device that answered in version 1 has to answer in version 2 after all.
const secondThought = 300 * time.Millisecond

// askParams asks for the parameters, once in version 2 and then in version 1, because MCUboot up to 1.10.0 answers a
// version 2 request with silence, and every other device an answer in version 1 leads back to version 2. Requests stay
// open: a busy server answers late, but the first one first.
func (c *Client) askParams(ctx context.Context, limit <-chan time.Time) (Version, Params, error) {
	n := newNegotiation(c)
	defer n.stop()
	for {
		var err error
		select {
		case <-n.next.C:
			err = n.due(ctx)
		case cl := <-n.done:
			err = n.heard(cl)
		case <-limit:
			n.decided = true
			if n.version == Auto {
				err = silence(c.timing())
			}
		case <-ctx.Done():
			err = ended(ctx)
		}
		if err != nil {
			return 0, Params{}, err
		}
		if n.decided {
			return n.version, n.params, nil
		}
	}
}

// negotiation is what was asked and answered so far.
type negotiation struct {
	c        *Client
	interval time.Duration // as askInterval, for this device and time limit
	asked    int           // requests
	switched Version       // the version that the device demanded, if it did
	calls    []*call       // that may still be answered, in the order in which they were sent
	done     chan *call
	next     *time.Timer

	version Version // that the device answered in; Auto: it did not
	params  Params
	decided bool
}

func newNegotiation(c *Client) *negotiation {
	t := c.timing()
	return &negotiation{
		c: c, done: make(chan *call, 2*mostAsked), next: time.NewTimer(0),
		interval: min(askInterval, t.timeout*time.Duration(t.tries)/(mostAsked+1)) + c.wire(2*HeaderLen),
	}
}

// due is for when it is time for the next request.
func (n *negotiation) due(ctx context.Context) error {
	if n.version != Auto { // and no second answer came
		n.decided = true
		return nil
	}
	if err := ended(ctx); err != nil {
		return err
	}
	if last := len(n.calls) - 1; last >= 0 && n.calls[last].queued.Load() { // the link would take both at one moment
		n.next.Reset(n.interval)
		return nil
	}
	v := V1
	switch {
	case n.c.options.Version != Auto:
		v = n.c.options.Version
	case n.switched != Auto:
		v = n.switched
	case n.asked == 0:
		v = V2
	}
	n.next.Reset(n.pause())
	return n.ask(v)
}

// pause is the time between the request that is about to be sent and the one after it.
func (n *negotiation) pause() time.Duration {
	switch n.asked {
	case 0:
		return n.interval
	case 1:
		return secondPause * n.interval
	}
	return furtherPause * n.interval
}

// ask sends the next request, in place of the oldest if there are too many.
func (n *negotiation) ask(v Version) error {
	if len(n.calls) == mostAsked {
		n.c.withdraw(n.calls[0])
		n.calls = n.calls[1:]
	}
	h := Header{Version: v, Op: osParams.op, Length: 1, Group: osParams.group, Command: osParams.id}
	cl := &call{packet: append(h.Append(nil), emptyMap), done: n.done, fresh: n.asked%2 == 0}
	n.calls = append(n.calls, cl)
	n.asked++
	return n.c.start(cl, noLimit)
}

// heard takes an answer. Any one decides the version, also that there is no such command; only a complaint about the
// version makes it ask again, in the version that the device demands.
func (n *negotiation) heard(cl *call) error {
	if cl.err != nil {
		return cl.err
	}
	reply, err := osParams.decode(cl.body)
	if demanded := demandedVersion(err); demanded != Auto && n.c.options.Version == Auto {
		return n.demand(demanded, cl, err)
	}
	if err != nil {
		reply = paramsReply{}
	}
	first := n.version == Auto
	switch {
	case n.c.options.Version != Auto || n.switched != Auto:
		n.version, n.decided = cl.header.Version, true
	case cl.header.Version == V2: // a server from before version 2 takes it, and answers in version 1
		n.version, n.decided = min(V2, cl.spoken), true
	case first:
		n.version = V1
	default:
		return nil
	}
	n.params = reply.params()
	if n.decided {
		return nil
	}
	n.next.Reset(secondThought + n.c.wire(2*HeaderLen))
	return n.ask(V2) // which it may not have heard
}

// demand asks again, in the version that the device wants, unless it was asked in that already and will answer next.
func (n *negotiation) demand(v Version, refused *call, refusal error) error {
	switch {
	case n.version == v: // as it has answered before
		n.decided = true
		return nil
	case n.switched == v:
		return nil
	case n.switched != Auto:
		return refusal // it takes neither
	}
	n.switched, n.asked = v, 0
	n.next.Reset(n.pause())
	if n.isAsked(v, refused) {
		return nil
	}
	return n.ask(v)
}

// isAsked reports whether it was asked in this version after that call: servers answer in the order of requests.
func (n *negotiation) isAsked(v Version, after *call) bool {
	return slices.ContainsFunc(n.calls, func(cl *call) bool { return cl.header.Version == v && cl.order > after.order })
}

func (n *negotiation) stop() {
	n.next.Stop()
	for _, cl := range n.calls {
		n.c.withdraw(cl)
	}
}

// emptyMap is the payload of a request without arguments.
const emptyMap = 0xa0

// demandedVersion is the version that the device wants instead of the one it was asked in, Auto if the refusal is about
// something else.
func demandedVersion(err error) Version {
	var refused *DeviceError
	if errors.As(err, &refused) && refused.Global {
		switch refused.Code {
		case rcTooOld:
			return V2
		case rcTooNew:
			return V1
		}
	}
	return Auto
}
