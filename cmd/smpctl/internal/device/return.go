package device

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/smpctl/smpctl/transport"
)

// again opens the port of a device that was reset.
func (d *Device) again(ctx context.Context) (*transport.Conn, error) {
	if !d.Port.USB {
		return d.bus().Open(ctx, d.Settings.Address.Address, d.Settings.Transport)
	}
	port, err := d.follow()
	if err != nil {
		return nil, err
	}
	conn, err := d.bus().Open(ctx, ByName(port.Name), d.Settings.Transport)
	if err == nil && conn.Port() != port {
		conn.Close()
		return nil, errPassedOn
	}
	return conn, err
}

// follow finds the port to dial after a reset.
func (d *Device) follow() (transport.Port, error) {
	present, err := d.bus().Ports()
	if err != nil {
		return transport.Port{}, err
	}
	d.trailing.Lock()
	defer d.trailing.Unlock()
	here := d.inPlace(present)
	port, err := d.trail.next(time.Now(), here)
	if elsewhere := transport.Same(d.trail.first, present); err == errAway && len(elsewhere) > 0 {
		err = &movedError{elsewhere[0], d.Settings.Address.Location}
	}
	if err != nil {
		return transport.Port{}, missing(d.Name, err, present)
	}
	return port, nil
}

// inPlace are the ports where the address says that the device is: all of them if it names no place. Whoever names one
// means the board there, and a board with the same serial number elsewhere is another one.
func (d *Device) inPlace(ports []transport.Port) []transport.Port {
	a := d.Settings.Address
	if a.Kind != transport.KindUSB || a.Location == "" {
		return ports
	}
	return slices.DeleteFunc(slices.Clone(ports), func(p transport.Port) bool { return !a.MeansPlace(p.Location) })
}

// beginTrail follows the device of the first connection from now on.
func (d *Device) beginTrail() {
	if !d.Port.USB {
		return
	}
	present, err := d.bus().Ports()
	if err != nil {
		present = []transport.Port{d.Port}
	}
	d.trailing.Lock()
	defer d.trailing.Unlock()
	a := d.Settings.Address
	d.trail.fixed = a.Kind == transport.KindUSB && a.Interface != transport.AnyInterface
	d.trail.begin(d.Port, present)
}

// watchEvery is the time between two looks around over a connection that nothing has answered over.
const watchEvery = 500 * time.Millisecond

// watch begins to look for a better port of the device than that of its present connection, which is done some time.
func (d *Device) watch(conn *transport.Conn, done <-chan struct{}) {
	if taken := d.current; taken.USB {
		d.App.Spawn(func() { d.lookAround(conn, taken, done) })
	}
}

// lookAround ends the connection once there is a better port, so that the next connection goes there. It ends when the
// port has proved to be the right one, too, and when the connection is done.
func (d *Device) lookAround(conn *transport.Conn, taken transport.Port, done <-chan struct{}) {
	since := time.Now()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		switch d.judge(conn, taken, since) {
		case sure:
			return
		case leave:
			d.App.Log.Info(fmt.Sprintf("nothing answers on %s: its device has another port", taken.Name))
			conn.Close()
			return
		}
	}
}

// judge looks at the port once.
func (d *Device) judge(conn *transport.Conn, taken transport.Port, since time.Time) verdict {
	present, err := d.bus().Ports()
	if err != nil {
		return stay
	}
	d.trailing.Lock()
	defer d.trailing.Unlock()
	if !d.trail.reads && conn.Stats().Packets > 0 {
		d.trail.settle(taken, present)
		return sure
	}
	return d.trail.judge(time.Now(), d.inPlace(present), taken, since)
}
