package dfu_test

import (
	"context"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// gremlin is the fault of one update. It strikes once, over all links.
type gremlin struct {
	c crossing
	d *sim.Device

	mu     sync.Mutex
	seen   int  // requests or answers of its kind
	asked  bool // a reset request was on its way
	struck bool // or over
	victim look // the device just before it was struck
	killed time.Time
	timer  *time.Timer // of what strikes by itself
}

// dials gives clients on links of the crossing's kind. Without a gremlin nothing goes wrong.
func (c crossing) dials(d *sim.Device, g *gremlin) func(context.Context) (*smp.Client, error) {
	opened := 0
	return func(context.Context) (*smp.Client, error) {
		link, err := c.open(d)
		if err != nil {
			return nil, err
		}
		if opened++; c.link == "usb-console-first" && opened%2 == 0 {
			link.Close()
			return smp.NewClient(newDeaf(), smp.Options{}), nil
		}
		if g != nil {
			link = &cursed{link, g}
		}
		return smp.NewClient(link, smp.Options{}), nil
	}
}

// open opens a port. One that ends with each reset is not there while the device is dark.
func (c crossing) open(d *sim.Device) (smp.Link, error) {
	switch {
	case c.usb() && !d.Alive():
		return nil, fmt.Errorf("open: %w", fs.ErrNotExist)
	case c.usb():
		return transport.NewConn(d.Stream(), transport.Options{Raw: c.raw()}), nil
	case c.link == "uart-buffers":
		return newBuffered(d), nil
	}
	return d.Link(), nil
}

// deaf is a port of the device behind which nobody is. Whoever chooses the ports leaves it after a while, for another.
type deaf struct {
	gone  chan struct{}
	once  *sync.Once
	timer *time.Timer
}

// deafTime is how long that takes.
const deafTime = 5 * time.Second

func newDeaf() *deaf {
	l := &deaf{gone: make(chan struct{}), once: new(sync.Once)}
	l.timer = time.AfterFunc(deafTime, l.end)
	return l
}

func (l *deaf) end() { l.once.Do(func() { close(l.gone) }) }

func (l *deaf) ReadPacket() ([]byte, error) {
	<-l.gone
	return nil, transport.ErrClosed
}

func (l *deaf) WritePacket([]byte) error { return nil }

func (l *deaf) Overhead() int { return 0 }

func (l *deaf) Close() error {
	l.timer.Stop()
	l.end()
	return nil
}

// buffered is a UART whose driver keeps what arrives while the bootloader works, for whoever reads first.
type buffered struct {
	*sim.Link
	d      *sim.Device
	ctx    context.Context // of the link
	cancel context.CancelFunc
	kept   chan struct{} // holds a token while a packet is kept
	work   sync.WaitGroup
}

func newBuffered(d *sim.Device) *buffered {
	ctx, cancel := context.WithCancel(context.Background())
	return &buffered{Link: d.Link(), d: d, ctx: ctx, cancel: cancel, kept: make(chan struct{}, 1)}
}

// WritePacket keeps the first packet that finds nobody awake.
func (l *buffered) WritePacket(p []byte) error {
	if l.d.Alive() {
		return l.Link.WritePacket(p)
	}
	select {
	case l.kept <- struct{}{}:
	default:
		return nil
	}
	p = append([]byte(nil), p...)
	l.work.Go(func() {
		if l.d.WaitAlive(l.ctx) == nil {
			l.Link.WritePacket(p)
		}
		<-l.kept
	})
	return nil
}

func (l *buffered) Close() error {
	l.cancel()
	l.work.Wait()
	return l.Link.Close()
}

// cursed is a link with a gremlin on it.
type cursed struct {
	smp.Link
	g *gremlin
}

func (l *cursed) WritePacket(p []byte) error {
	if h, _, err := smp.ParseHeader(p); err == nil && l.g.request(h) {
		return nil
	}
	return l.Link.WritePacket(p)
}

func (l *cursed) ReadPacket() ([]byte, error) {
	for {
		p, err := l.Link.ReadPacket()
		if err != nil {
			return nil, err
		}
		if h, _, err := smp.ParseHeader(p); err != nil || !l.g.answer(h) {
			return p, nil
		}
	}
}

// request reports whether a request is lost, and does what the fault does to it.
func (g *gremlin) request(h smp.Header) (lost bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if isReset(h) && !g.asked {
		g.asked = true
		g.later()
	}
	return !g.c.after && g.strike(h)
}

// answer is request for what comes back.
func (g *gremlin) answer(h smp.Header) (lost bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.c.after && g.strike(h)
}

// strike counts what the fault is about. The lock is held.
func (g *gremlin) strike(h smp.Header) bool {
	if g.struck || !g.about(h) {
		return false
	}
	if g.seen++; g.seen < g.c.nth {
		return false
	}
	g.struck = true
	switch g.c.fault {
	case "lost-reset", "lost-mark", "lost-confirm", "lost-any":
	default:
		g.kill()
	}
	return true
}

// kill switches the device off and on. The lock is held.
func (g *gremlin) kill() {
	g.victim, g.killed = g.c.look(g.d), time.Now()
	g.d.PowerCycle()
}

// about reports whether the fault waits for such a request or its answer. The lock is held.
func (g *gremlin) about(h smp.Header) bool {
	state := h.Group == smp.GroupImage && h.Command == 0 && (h.Op == smp.Write || h.Op == smp.WriteResponse)
	switch g.c.fault {
	case "lost-reset", "dies-reset":
		return isReset(h)
	case "lost-mark", "dies-mark":
		return state && !g.asked
	case "lost-confirm", "dies-confirm":
		return state && g.asked
	case "dies-upload":
		return h.Group == smp.GroupImage && h.Command == 1
	case "lost-any", "dies-any":
		return true
	}
	return false
}

// resetDelay is that of the crossed devices, from the answer to the reset.
const resetDelay = 250 * time.Millisecond

// later makes the device die at a moment after the reset. The lock is held.
func (g *gremlin) later() {
	moved := time.Duration(0)
	if g.c.boot != sim.DirectXIP && g.c.boot != sim.DirectXIPRevert && g.c.boot != sim.RAMLoad {
		moved = time.Duration(len(g.c.numbers())) * g.c.swap
	}
	part := func(d time.Duration) time.Duration { return time.Duration(g.c.moment * float64(d)) }
	// A link without delays does everything at once, and nothing must happen just then.
	const odd = 1234 * time.Microsecond
	switch g.c.fault {
	case "dies-swapping":
		g.at(resetDelay + part(moved) + odd)
	case "dies-window":
		g.at(resetDelay + moved + part(g.c.window) + odd)
	case "dies-trial":
		g.at(resetDelay + moved + g.c.window + g.c.start + part(3*time.Second) + odd)
	}
}

func (g *gremlin) at(d time.Duration) {
	g.timer = time.AfterFunc(d, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.struck {
			g.struck = true
			g.kill()
		}
	})
}

// leave takes the gremlin off, and says whether it struck, what, and when.
func (g *gremlin) leave() (struck bool, victim look, killed time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer != nil {
		g.timer.Stop()
	}
	struck, g.struck = g.struck, true
	return struck, g.victim, g.killed
}
