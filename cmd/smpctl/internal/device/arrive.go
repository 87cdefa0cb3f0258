package device

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/transport"
)

// arrive opens the port for the first time, and says what it waits for.
func (d *Device) arrive(ctx context.Context) (*transport.Conn, error) {
	address := d.Settings.Address
	a := arrival{
		address: address, wait: d.Wait, open: d.dial, ports: d.bus().Ports,
		announce: func() { d.show(address.awaited(d.portsNow())) },
	}
	conn, err := a.await(ctx)
	d.show("")
	d.Arrived = a.waited && err == nil
	if !isAbsent(err) || !address.arrives() {
		return conn, err
	}
	if a.waited && ctx.Err() == nil {
		err = fmt.Errorf("%w (waited %v)", err, d.Wait)
	}
	if hint := address.absenceHint(d.portsNow()); hint != "" {
		err = failure.WithHint(err, hint)
	}
	return nil, err
}

// dial opens the port where the user says that it is, and waits a moment for one that cannot be opened yet.
func (d *Device) dial(ctx context.Context) (*transport.Conn, error) {
	o := d.Settings.Transport
	var obstacle error
	if o.Retry == nil {
		o.Retry = func(err *transport.OpenError) bool {
			if obstacle == nil && d.Wait > 0 {
				d.show(err.Address + ": " + inTheWay(err))
			}
			obstacle = err
			return d.Wait > 0
		}
	}
	conn, err := d.bus().Open(ctx, d.Settings.Address.Address, o)
	if err == nil && !d.holds(conn.Port()) {
		conn.Close()
		return nil, &transport.OpenError{Address: d.Settings.Address.String(), Err: errPassedOn}
	}
	if isAbsent(err) && errors.Is(obstacle, transport.ErrBusy) {
		return nil, obstacle // who has it has reset the board, and wants the port back
	}
	return conn, err
}

// holds reports whether the port that was opened is still the one that was found for a usb: address: it may have been
// busy for a while, and its name has gone to another board.
func (d *Device) holds(opened transport.Port) bool {
	if d.Settings.Address.Kind != transport.KindUSB {
		return true
	}
	ports, err := own(d.bus()).Ports() // a list of before it was opened says nothing
	return err != nil || !slices.ContainsFunc(ports, func(p transport.Port) bool {
		return p.Name == opened.Name && p != opened
	})
}

// inTheWay says why a port that is there cannot be opened yet.
func inTheWay(err *transport.OpenError) string {
	if errors.Is(err, transport.ErrBusy) {
		return cmp.Or(failure.HolderOf(err), "another program has it open")
	}
	return "it gives no permission yet"
}

// show says what is waited for from now on; empty for nothing.
func (d *Device) show(text string) {
	if d.shown != nil {
		d.shown.Stop()
		d.shown = nil
	}
	if text != "" {
		d.shown = d.App.Wait("%s", text)
	}
}

// portsNow are the ports that are there, to name them; none if they cannot be listed.
func (d *Device) portsNow() []transport.Port {
	ports, _ := d.bus().Ports()
	return ports
}
