package smp_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/smpctl/smpctl/smp"
)

// device is the far end of a link: it is called with every request, on the client's writing goroutine, and answers by
// means of the link, now or later.
type device func(l *link, request []byte)

// link is an [smp.Link] in memory.
type link struct {
	far      device
	overhead int
	deaf     bool          // probes get lost, and are not recorded
	stuck    chan struct{} // if not nil, WritePacket blocks until it is closed, as in a driver that takes no data

	mu     sync.Mutex // guards what follows
	queue  [][]byte
	sent   [][]byte // every request
	err    error    // why the link ended
	closes int
	news   chan struct{} // has a token after queue or err changed
	last   []byte        // what ReadPacket returned; overwritten by the next call, as a real link may
}

func newLink(far device) *link { return &link{far: far, news: make(chan struct{}, 1)} }

func (l *link) ReadPacket() ([]byte, error) {
	for {
		l.mu.Lock()
		for i := range l.last {
			l.last[i] = 0xee
		}
		if l.err != nil {
			l.mu.Unlock()
			return nil, l.err
		}
		if len(l.queue) > 0 {
			l.last, l.queue = l.queue[0], l.queue[1:]
			l.mu.Unlock()
			return l.last, nil
		}
		l.mu.Unlock()
		<-l.news
	}
}

func (l *link) WritePacket(p []byte) error {
	if l.stuck != nil {
		<-l.stuck
	}
	l.mu.Lock()
	err := l.err
	if l.deaf && commandOf(p) == params {
		l.mu.Unlock()
		return err
	}
	if err == nil {
		l.sent = append(l.sent, append([]byte(nil), p...))
	}
	l.mu.Unlock()
	if err != nil {
		return err
	}
	if l.far != nil {
		l.far(l, append([]byte(nil), p...))
	}
	return nil
}

func (l *link) Overhead() int { return l.overhead }

func (l *link) Close() error {
	l.mu.Lock()
	l.closes++
	l.mu.Unlock()
	l.fail(errors.New("link closed"))
	return nil
}

// closed is how often the link was closed.
func (l *link) closed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closes
}

// fail ends the link, as unplugging does.
func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
		l.tell()
	}
}

// reply sends a packet to the client.
func (l *link) reply(packet []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, append([]byte(nil), packet...))
	l.tell()
}

// tell wakes the reader. l.mu is held.
func (l *link) tell() {
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// requests returns the packets sent so far.
func (l *link) requests() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([][]byte(nil), l.sent...)
}

// response is the packet that answers the request with this payload: op + 1, the rest of the header copied.
func response(request, payload []byte) []byte {
	p := append([]byte(nil), request[:smp.HeaderLen]...)
	p[0]++
	p[2], p[3] = byte(len(payload)>>8), byte(len(payload))
	return append(p, payload...)
}

// encode gives the CBOR of a reply.
func encode(v any) []byte {
	b, err := cbor.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

type reply = map[string]any

// command tells requests apart: operation, group, id.
type command struct {
	op    smp.Op
	group smp.Group
	id    uint8
}

var (
	echo   = command{smp.Write, smp.GroupOS, 0}
	params = command{smp.Read, smp.GroupOS, 6}
	list   = command{smp.Read, smp.GroupImage, 0}
	upload = command{smp.Write, smp.GroupImage, 1}
)

func commandOf(packet []byte) command {
	h, _, err := smp.ParseHeader(packet)
	if err != nil {
		panic(err)
	}
	return command{h.Op, h.Group, h.Command}
}

// answering is a device that knows the parameters and gives body to every other request; a nil body is silence.
func answering(body []byte) device {
	return func(l *link, p []byte) {
		switch {
		case commandOf(p) == params:
			l.reply(response(p, encode(reply{"buf_size": 1024, "buf_count": 4})))
		case body != nil:
			l.reply(response(p, body))
		}
	}
}

// connect starts a client on a link to the device and closes it at the end of the test.
func connect(t testing.TB, far device, o smp.Options) (*smp.Client, *link) {
	t.Helper()
	l := newLink(far)
	c := smp.NewClient(l, o)
	t.Cleanup(func() { c.Close() })
	return c, l
}

// settled is connect for tests that are not about the negotiation: its requests are forgotten, and those for a sign of
// life get lost.
func settled(t testing.TB, far device, o smp.Options) (*smp.Client, *link) {
	t.Helper()
	return settledWith(t, 4, far, o)
}

// settledWith is settled for a device with this many packet buffers.
func settledWith(t testing.TB, buffers int, far device, o smp.Options) (*smp.Client, *link) {
	t.Helper()
	c, l := connect(t, func(l *link, p []byte) {
		if commandOf(p) == params {
			l.reply(response(p, encode(reply{"buf_size": 1024, "buf_count": buffers})))
			return
		}
		if far != nil {
			far(l, p)
		}
	}, o)
	if _, err := c.Negotiate(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.sent, l.deaf = nil, true
	l.mu.Unlock()
	return c, l
}

// took fails the test unless f takes exactly this long on the fake clock.
func took(t *testing.T, want time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if got := time.Since(start); got != want {
		t.Errorf("took %v, want %v", got, want)
	}
}

// within is took for an upper bound.
func within(t *testing.T, most time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if got := time.Since(start); got > most {
		t.Errorf("took %v, want at most %v", got, most)
	}
}

// async runs f on a goroutine of its own; the function it returns waits for the result.
func async[T any](f func() (T, error)) func() (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	return func() (T, error) { r := <-done; return r.v, r.err }
}
