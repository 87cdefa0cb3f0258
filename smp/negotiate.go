package smp

import (
	"context"
	"errors"
	"time"
)

// Params is what a device says of its packet buffers (Zephyr smp_group_0.rst, "MCUmgr Parameters").
type Params struct {
	BufferSize  int  // bytes of one packet buffer, SMP header included
	BufferCount int  // buffers shared by requests and answers
	Known       bool // the device said so; otherwise the values are assumed
}

// Assumed of a device that does not say: every known server takes packets of this size.
const (
	assumedBuffer = 256
	assumedCount  = 1
)

// Limits for what a device may say: less cannot hold an upload's first chunk, more cannot be framed.
const (
	minBuffer = 64
	maxBuffer = 1<<16 - 1
	maxCount  = 255
)

type paramsReply struct {
	Size  uint64 `cbor:"buf_size"`
	Count uint64 `cbor:"buf_count"`
}

func (p paramsReply) params() Params {
	if p.Size < minBuffer {
		return Params{BufferSize: assumedBuffer, BufferCount: assumedCount}
	}
	return Params{
		BufferSize:  int(min(p.Size, maxBuffer)),
		BufferCount: int(min(max(p.Count, 1), maxCount)),
		Known:       true,
	}
}

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

// roundTrip is how long the device took for its first answer.
func (c *Client) roundTrip() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.took
}

func (c *Client) negotiatedParams() (params Params, restarts int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.params, c.restarts, c.negotiated
}

// Restarted tells the client that the device has restarted on a link that outlived it. What was negotiated no longer
// holds, because other firmware may have other buffers and another protocol version: the next request negotiates again.
// It sends nothing and does not block.
func (c *Client) Restarted() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.restarts++
	c.negotiated, c.probed, c.version, c.params = false, false, c.options.Version, Params{}
}

// PacketLimit is the size in bytes of the largest request that the device takes, SMP header included. Before
// [Client.Negotiate] it is what every device takes.
func (c *Client) PacketLimit() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := c.params.BufferSize
	if size == 0 {
		size = assumedBuffer
	}
	return size - c.link.Overhead()
}

// probeInterval is how long the device has for an answer before it is asked again, perhaps in the other version.
const probeInterval = time.Second

// secondThought is how long a device that answered in version 1 has to answer in version 2 after all.
const secondThought = 300 * time.Millisecond

// askParams asks for the parameters, first in version 2 and then in version 1, because MCUboot up to 1.10.0 answers a
// version 2 request with silence. Every probe stays open: a busy server answers late, but the first one first. There
// are only a few, for a busy device queues them all, and Zephyr 4.4.0 crashes when its packet buffers run out.
func (c *Client) askParams(ctx context.Context, limit <-chan time.Time) (Version, Params, error) {
	p := newProber(c)
	defer p.withdraw()
	t := c.timing()
	interval := min(probeInterval, t.timeout*time.Duration(t.tries)/(probes+1)) + c.wire(2*HeaderLen)
	next := time.NewTimer(0)
	defer next.Stop()
	var old *Params // of a device that answered in version 1
	for {
		select {
		case <-next.C:
			if old != nil {
				return V1, *old, nil
			}
			if err := ended(ctx); err != nil {
				return 0, Params{}, err
			}
			if p.stuck() {
				next.Reset(interval)
				continue
			}
			if err := p.ask(); err != nil {
				return 0, Params{}, err
			}
			switch len(p.versions) {
			case 0:
			case 1:
				next.Reset(2 * interval) // as long as the limit allows, for there is none after it
			default:
				next.Reset(interval)
			}
		case cl := <-p.done:
			params, again, err := p.answer(cl)
			if err != nil {
				return 0, Params{}, err
			}
			switch {
			case again:
				next.Reset(interval)
			case c.options.Version != Auto || p.switched != Auto:
				return cl.header.Version, params, nil
			case cl.header.Version == V2: // a server from before version 2 takes it, and answers in version 1
				return min(V2, cl.spoken), params, nil
			case old == nil:
				// It may have been starting while it was asked in version 2.
				old, p.versions = &params, []Version{V2}
				if err := p.ask(); err != nil {
					return 0, Params{}, err
				}
				next.Reset(secondThought + c.wire(2*HeaderLen))
			}
		case <-limit:
			if old != nil {
				return V1, *old, nil
			}
			return 0, Params{}, silence(t)
		case <-ctx.Done():
			return 0, Params{}, ended(ctx)
		}
	}
}

// probes is how many of them go out unanswered: what a Zephyr with its default of packet buffers can hold.
const probes = 4

// prober keeps the probes that may still be answered.
type prober struct {
	c        *Client
	versions []Version // to ask in, next first
	switched Version   // the version that the device demanded, if it did
	calls    []*call
	done     chan *call
}

func newProber(c *Client) *prober {
	p := &prober{c: c, versions: []Version{V2, V2, V1, V1}, done: make(chan *call, 2*probes)}
	if v := c.options.Version; v != Auto {
		p.versions = []Version{v, v, v, v}
	}
	return p
}

// stuck reports whether the link has not taken the last probe yet: another one would come at the same moment.
func (p *prober) stuck() bool {
	n := len(p.calls)
	return n > 0 && p.calls[n-1].queued.Load()
}

// ask sends the next probe, if there is one.
func (p *prober) ask() error {
	if len(p.versions) == 0 {
		return nil
	}
	h := Header{Version: p.versions[0], Op: osParams.op, Length: 1, Group: osParams.group, Command: osParams.id}
	p.versions = p.versions[1:]
	cl := &call{packet: append(h.Append(nil), emptyMap), done: p.done}
	p.calls = append(p.calls, cl)
	return p.c.start(cl, noLimit)
}

// emptyMap is the payload of a request without arguments.
const emptyMap = 0xa0

// answer reads what the device says. Any answer decides the version, also that it has no such command; only a complaint
// about the version makes it ask again, in the version that the device demands.
func (p *prober) answer(cl *call) (params Params, again bool, err error) {
	if cl.err != nil {
		return Params{}, false, cl.err
	}
	reply, err := osParams.decode(cl.body)
	if err == nil {
		return reply.params(), false, nil
	}
	demanded := demandedVersion(err)
	switch {
	case demanded == Auto || p.c.options.Version != Auto:
		return paramsReply{}.params(), false, nil
	case p.switched == Auto:
		p.switched = demanded
		p.versions = []Version{demanded, demanded, demanded}
		return Params{}, true, p.ask()
	case demanded != p.switched:
		return Params{}, false, err // it takes neither
	}
	return Params{}, true, nil
}

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

func (p *prober) withdraw() {
	for _, cl := range p.calls {
		p.c.withdraw(cl)
	}
}
