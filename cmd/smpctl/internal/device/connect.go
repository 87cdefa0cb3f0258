package device

import (
	"cmp"
	"context"
	"os"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trace"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// Device is the way to one device: it connects, and connects again after a reset.
type Device struct {
	App      *app.App
	Settings Settings
	Wait     time.Duration   // for a port that is not there yet, at the first connection; 0: not even for a busy one
	Arrived  bool            // the port was waited for: the device may be starting
	board    *sim.Device     // behind a sim: address, from its first use to close
	trace    *trace.File     // nil without --trace
	Port     transport.Port  // as it was at the first connection; empty for links without one
	Name     string          // what the device is called in output: the port it was opened under
	current  transport.Port  // as it was at the last connection
	trailing sync.Mutex      // guards trail
	trail    trail           // of a device on USB
	shown    *app.Waiting    // what is waited for; nil for nothing
	reached  *smp.Client     // that Reach made, for the next Connect; nil without
	line     *transport.Conn // of the present connection, and its client
	client   *smp.Client
}

// identity is how a USB device shows itself: application and bootloader often differ in product id and text.
type identity int

const (
	firstIdentity identity = iota // that of the first connection
	AnyIdentity
	OtherIdentity // than that of the present connection
)

// fits reports whether the port of a device that showed itself as before may be talked to at once.
func (f identity) fits(before, now transport.Port) bool {
	same := faceOf(now) == faceOf(before)
	return f == AnyIdentity || same == (f == firstIdentity)
}

// Await says which identity to expect from now on.
func (d *Device) Await(f identity) {
	d.trailing.Lock()
	defer d.trailing.Unlock()
	if d.trail.awaits = f; f == OtherIdentity {
		d.trail.rebase(d.current)
	}
	d.trail.returned = time.Time{}
}

// device prepares the way to the device that the user means. The caller closes it.
func New(a *app.App) (*Device, error) {
	s, err := readSettings(a)
	if err != nil {
		return nil, err
	}
	a.Reached = true
	d := &Device{App: a, Settings: s, Wait: time.Duration(a.Flags.Wait)}
	d.tellSettings()
	if a.Flags.Trace != "" {
		if d.trace, err = trace.Create(a.Flags.Trace); err != nil {
			return nil, err
		}
		d.Settings.Transport.Trace = d.trace
	}
	return d, nil
}

// Called is what the device is called in output before there is a connection too.
func (d *Device) Called() string { return cmp.Or(d.Name, d.Settings.Address.String(), "the device") }

// Close ends the virtual device and the trace.
func (d *Device) Close() {
	if d.reached != nil {
		d.reached.Close()
	}
	d.tellClosed()
	if d.board != nil {
		d.board.Close()
	}
	if d.trace != nil {
		d.App.Untraced = cmp.Or(d.App.Untraced, d.trace.Close())
	}
}

// With runs f with a client of the device, and closes both afterwards.
func With(ctx context.Context, a *app.App, f func(*smp.Client) (app.Result, error)) (app.Result, error) {
	return WithDevice(ctx, a, func(_ *Device, c *smp.Client) (app.Result, error) { return f(c) })
}

// WithDevice is with for those who connect again, or say what the device is called.
func WithDevice(ctx context.Context, a *app.App, f func(*Device, *smp.Client) (app.Result, error)) (app.Result, error) {
	d, err := New(a)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Use(ctx, f)
}

// Use runs f with a client of the device, and closes it afterwards.
func (d *Device) Use(ctx context.Context, f func(*Device, *smp.Client) (app.Result, error)) (app.Result, error) {
	w := d.App.WaitAnswer(d.Called())
	defer w.Stop()
	c, err := d.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	r, err := f(d, c)
	return r, explained(ctx, c, err)
}

// Reach opens the client that the next Connect returns. It is for those who connect again by themselves, and wait for
// the port in their own way then.
func (d *Device) Reach(ctx context.Context) (err error) {
	d.reached, err = d.Connect(ctx)
	return err
}

// Connect opens a client. The first time it waits for a port that is not there yet; from the second time on it follows
// the device to the port under which it came back, and waits no more.
func (d *Device) Connect(ctx context.Context) (*smp.Client, error) {
	if c := d.reached; c != nil {
		d.reached = nil
		return c, nil
	}
	again := d.Name != ""
	link, err := d.link(ctx)
	if err != nil {
		return nil, err
	}
	d.App.Heard = func() failure.Heard {
		o := d.Settings.Transport
		return failure.Heard{Heard: link.Heard(), Link: d.Settings.Address.Kind, Baud: o.Baud, Raw: o.Raw}
	}
	c := smp.NewClient(link, fit(d.Settings.SMP, link))
	if again {
		d.watch(link, c.Done())
	}
	d.tellOpened(link, c)
	return c, nil
}

// fit keeps requests to what the link can carry, whatever is known of the device's buffer.
func fit(o smp.Options, link *transport.Conn) smp.Options {
	limit := link.MaxPacket() + link.Overhead()
	o.Buffer = min(o.Buffer, limit)
	o.MaxBuffer = min(cmp.Or(o.MaxBuffer, limit), limit)
	return o
}

func (d *Device) link(ctx context.Context) (*transport.Conn, error) {
	if d.Settings.Address.Kind == KindSim {
		return d.virtual(ctx)
	}
	open := d.arrive
	if d.Name != "" {
		open = d.again
	}
	conn, err := open(ctx)
	if err != nil {
		return nil, err
	}
	if d.Name == "" {
		d.Port = conn.Port()
		d.beginTrail()
	}
	d.current = conn.Port()
	d.Name = d.Settings.Address.String()
	if name := conn.Port().Name; name != "" {
		d.Name = name
	}
	return conn, nil
}

// virtual connects to the embedded device, which lives as long as d, or in its file.
func (d *Device) virtual(ctx context.Context) (*transport.Conn, error) {
	if d.board == nil {
		o := d.Settings.Transport
		v, err := sim.NewDevice(sim.Options{Flash: d.Settings.Address.Path, Baud: o.Baud, Console: true,
			Raw: o.Raw, SerialRecovery: sim.SerialRecovery{Raw: o.Raw}})
		if err != nil {
			return nil, &transport.OpenError{Address: d.Settings.Address.String(), Err: err}
		}
		d.board = v
	}
	if !d.board.Alive() { // a port that comes and goes with the device
		return nil, &transport.OpenError{Address: d.Settings.Address.String(), Err: os.ErrNotExist}
	}
	d.Name = d.Settings.Address.String()
	return transport.NewConn(d.board.Stream(), d.Settings.Transport), nil
}
