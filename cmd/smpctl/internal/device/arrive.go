package device

import (
	"context"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/transport"
)

// arrive opens the port for the first time, and says what it waits for.
func (d *Device) arrive(ctx context.Context) (*transport.Conn, error) {
	address := d.Settings.Address
	a := arrival{
		address: address, wait: d.Wait, open: d.dial, ports: transport.Ports,
		announce: func() { d.show(address.awaited(portsNow())) },
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
	if hint := address.absenceHint(portsNow()); hint != "" {
		err = failure.WithHint(err, hint)
	}
	return nil, err
}

// dial opens the port where the user says that it is, and waits a moment for one that cannot be opened yet.
func (d *Device) dial(ctx context.Context) (*transport.Conn, error) {
	address, o := d.Settings.Address.String(), d.Settings.Transport
	told := false
	if o.Retry == nil {
		o.Retry = func(err error) bool {
			if !told && d.Wait > 0 {
				d.show(fmt.Sprintf("%s: %s", d.Settings.Address, obstacle(err)))
			}
			told = true
			return d.Wait > 0
		}
	}
	return transport.Dial(ctx, address, o)
}

// obstacle says why a port that is there cannot be opened yet.
func obstacle(err error) string {
	if errors.Is(err, transport.ErrBusy) {
		return "another program has it open"
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
func portsNow() []transport.Port {
	ports, _ := transport.Ports()
	return ports
}
