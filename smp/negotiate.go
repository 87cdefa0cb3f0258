package smp

import (
	"context"
	"errors"
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

// askInterval is how long the device has for an answer before it is asked again, perhaps in the other version.
const askInterval = time.Second

// secondThought is how long a device that answered in version 1 has to answer in version 2 after all.
const secondThought = 300 * time.Millisecond

// askParams asks for the parameters, first in version 2 and then in version 1, because MCUboot up to 1.10.0 answers a
// version 2 request with silence. Every request stays open: a busy server answers late, but the first one first.
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
	interval time.Duration // from one request to the next
	versions []Version     // to ask in, next first
	switched Version       // the version that the device demanded, if it did
	calls    []*call
	done     chan *call
	next     *time.Timer

	version Version // that the device answered in; Auto: it did not
	params  Params
	decided bool
}

// mostAsked is how many requests go out unanswered: a busy device queues them all, and this is what a Zephyr with its
// default of packet buffers can hold.
const mostAsked = 4

func newNegotiation(c *Client) *negotiation {
	t := c.timing()
	n := &negotiation{
		c: c, versions: []Version{V2, V2, V1, V1}, done: make(chan *call, 2*mostAsked), next: time.NewTimer(0),
		interval: min(askInterval, t.timeout*time.Duration(t.tries)/(mostAsked+1)) + c.wire(2*HeaderLen),
	}
	if v := c.options.Version; v != Auto {
		n.versions = []Version{v, v, v, v}
	}
	return n
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
	if err := n.ask(); err != nil {
		return err
	}
	switch len(n.versions) {
	case 0:
	case 1:
		n.next.Reset(2 * n.interval) // as long as the limit allows, for there is none after it
	default:
		n.next.Reset(n.interval)
	}
	return nil
}

// ask sends the next request, if there is one.
func (n *negotiation) ask() error {
	if len(n.versions) == 0 {
		return nil
	}
	h := Header{Version: n.versions[0], Op: osParams.op, Length: 1, Group: osParams.group, Command: osParams.id}
	n.versions = n.versions[1:]
	cl := &call{packet: append(h.Append(nil), emptyMap), done: n.done, fresh: true}
	n.calls = append(n.calls, cl)
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
		return n.demand(demanded, err)
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
	n.versions = []Version{V2} // it may have been starting while it was asked in version 2
	n.next.Reset(secondThought + n.c.wire(2*HeaderLen))
	return n.ask()
}

// demand asks again, in the version that the device wants.
func (n *negotiation) demand(v Version, refusal error) error {
	n.next.Reset(n.interval)
	switch n.switched {
	case v:
		return nil
	case Auto:
		n.switched = v
		n.versions = []Version{v, v, v}
		return n.ask()
	}
	return refusal // it takes neither
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
