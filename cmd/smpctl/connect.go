package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/trace"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// device is the way to one device: it connects, and connects again after a reset.
type device struct {
	app      *app
	settings settings
	board    *sim.Device    // behind a sim: address, from its first use to close
	trace    *trace.File    // nil without --trace
	port     transport.Port // as it was at the first connection; empty for links without one
	name     string         // what the device is called in output: the port it was opened under
	current  transport.Port // as it was at the last connection
	awaits   identity       // that may be talked to at once when the port comes back
	returned time.Time      // since when a port of the same device, but with another identity, has been there
}

// identity is how a USB device shows itself: application and bootloader often differ in product id and text.
type identity int

const (
	firstIdentity identity = iota // that of the first connection
	anyIdentity
	otherIdentity // than that of the present connection
)

// fits reports whether the port of a device that showed itself as before may be talked to at once.
func (f identity) fits(before, now transport.Port) bool {
	same := now.VID == before.VID && now.PID == before.PID && now.Product == before.Product
	return f == anyIdentity || same == (f == firstIdentity)
}

// await says which identity to expect from now on.
func (d *device) await(f identity) {
	if f == otherIdentity {
		d.port = d.current
	}
	d.awaits, d.returned = f, time.Time{}
}

// device prepares the way to the device that the user means. The caller closes it.
func (a *app) device() (*device, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	a.reached = true
	d := &device{app: a, settings: s}
	if a.flags.trace != "" {
		if d.trace, err = trace.Create(a.flags.trace); err != nil {
			return nil, err
		}
		d.settings.transport.Trace = d.trace
	}
	return d, nil
}

// close ends the virtual device and the trace.
func (d *device) close() {
	if d.board != nil {
		d.board.Close()
	}
	if d.trace != nil {
		d.app.untraced = cmp.Or(d.app.untraced, d.trace.Close())
	}
}

// with runs f with a client of the device, and closes both afterwards.
func (a *app) with(ctx context.Context, f func(*smp.Client) (result, error)) (result, error) {
	return a.withDevice(ctx, func(_ *device, c *smp.Client) (result, error) { return f(c) })
}

// withDevice is with for those who connect again, or say what the device is called.
func (a *app) withDevice(ctx context.Context, f func(*device, *smp.Client) (result, error)) (result, error) {
	d, err := a.device()
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.use(ctx, f)
}

// use runs f with a client of the device, and closes it afterwards.
func (d *device) use(ctx context.Context, f func(*device, *smp.Client) (result, error)) (result, error) {
	c, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	r, err := f(d, c)
	return r, explained(ctx, c, err)
}

// connect opens a client. From the second time on it follows the device to the port under which it came back.
func (d *device) connect(ctx context.Context) (*smp.Client, error) {
	link, err := d.link(ctx)
	if err != nil {
		return nil, err
	}
	d.app.heard = func() string { return heard(link) }
	c := smp.NewClient(link, fit(d.settings.smp, link))
	d.app.log.Info("connected", "port", d.name)
	return c, nil
}

// fit keeps requests to what the link can carry, whatever is known of the device's buffer.
func fit(o smp.Options, link *transport.Conn) smp.Options {
	limit := link.MaxPacket() + link.Overhead()
	o.Buffer = min(o.Buffer, limit)
	o.MaxBuffer = min(cmp.Or(o.MaxBuffer, limit), limit)
	return o
}

func (d *device) link(ctx context.Context) (*transport.Conn, error) {
	if d.settings.address.Kind == kindSim {
		return d.virtual(ctx)
	}
	address, err := d.follow()
	if err != nil {
		return nil, err
	}
	conn, err := transport.Dial(ctx, address, d.settings.transport)
	if err != nil {
		return nil, err
	}
	if d.name == "" {
		d.port = conn.Port()
	}
	d.current = conn.Port()
	d.name = d.settings.address.String()
	if name := conn.Port().Name; name != "" {
		d.name = name
	}
	return conn, nil
}

// errOtherIdentity says that the port that came back belongs to the bootloader, as far as one can tell.
var errOtherIdentity = errors.New("the port came back with another identity: perhaps the bootloader's")

// identityWait is how long a port with another identity is left alone: MCUboot takes any packet in its wait window as a
// wish for serial recovery.
const identityWait = 1500 * time.Millisecond

// follow finds the address to dial: what the user said, or the port of the same device after a reset.
func (d *device) follow() (string, error) {
	address := d.settings.address.String()
	if d.name == "" || !d.port.USB {
		return address, nil
	}
	ports, err := transport.Ports()
	if err != nil {
		return "", err
	}
	now, ok := transport.Same(d.port, ports)
	if !ok {
		d.returned = time.Time{}
		return "", &transport.OpenError{Address: d.port.Name, Err: os.ErrNotExist}
	}
	if d.awaits.fits(d.port, now) {
		return now.Name, nil
	}
	if d.returned.IsZero() {
		d.returned = time.Now()
	}
	if time.Since(d.returned) < identityWait {
		return "", errOtherIdentity
	}
	return now.Name, nil
}

// virtual connects to the embedded device, which lives as long as d, or in its file.
func (d *device) virtual(ctx context.Context) (*transport.Conn, error) {
	if d.board == nil {
		v, err := sim.NewDevice(sim.Options{Flash: d.settings.address.Path, Baud: d.settings.transport.Baud,
			Console: true})
		if err != nil {
			return nil, &transport.OpenError{Address: d.settings.address.String(), Err: err}
		}
		d.board = v
	}
	if !d.board.Alive() { // a port that comes and goes with the device
		return nil, &transport.OpenError{Address: d.settings.address.String(), Err: os.ErrNotExist}
	}
	d.name = d.settings.address.String()
	return transport.NewConn(d.board.Stream(), d.settings.transport), nil
}
