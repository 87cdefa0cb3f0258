package bus

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// Bus is where virtual ports are. Addresses of a network lead where they always do; those of serial ports mean the
// virtual ones alone. Its methods may be called from several goroutines.
type Bus struct {
	list func() ([]offer, error)
}

// offer is a port that can be opened. The error of open matches [fs.ErrNotExist] if the port has gone since, and
// [transport.ErrBusy] if somebody has it.
type offer struct {
	transport.Port
	open func(ctx context.Context) (io.ReadWriteCloser, error)
}

// OfRack is the bus of a rack in this process.
func OfRack(r *sim.Rack) Bus {
	return Bus{func() ([]offer, error) {
		var offers []offer
		for _, p := range r.Ports() {
			offers = append(offers, offer{portOf(p), func(context.Context) (io.ReadWriteCloser, error) {
				stream, err := r.Open(p)
				switch {
				case errors.Is(err, sim.ErrPortInUse):
					err = transport.ErrBusy
				case errors.Is(err, fs.ErrNotExist):
					err = errNoPort
				}
				return stream, err
			}})
		}
		return offers, nil
	}}
}

// portOf is a port of a rack as any other.
func portOf(p sim.Port) transport.Port {
	return transport.Port{
		Name: p.Name, USB: true, VID: transport.USBID(p.VID), PID: transport.USBID(p.PID), Serial: p.Serial,
		Product: p.Product, Manufacturer: p.Manufacturer, Interface: p.Interface, InterfaceName: p.InterfaceName,
		Location: p.Location,
	}
}

// Ports lists the ports present, as [transport.Ports] does.
func (b Bus) Ports() ([]transport.Port, error) {
	offers, err := b.list()
	return portsOf(offers), err
}

func portsOf(offers []offer) []transport.Port {
	ports := make([]transport.Port, len(offers))
	for i, o := range offers {
		ports[i] = o.Port
	}
	return ports
}

// Open opens an address, as [transport.Dial] does, with its errors and limits.
func (b Bus) Open(ctx context.Context, a transport.Address, o transport.Options) (*transport.Conn, error) {
	if a.Kind == transport.KindTCP || a.Kind == transport.KindUDP {
		return transport.Dial(ctx, a.String(), o)
	}
	offers, err := b.list()
	if err != nil {
		return nil, err
	}
	port, err := a.Choose(portsOf(offers))
	if err != nil {
		return nil, &transport.OpenError{Address: a.String(), Err: err}
	}
	conn, err := transport.OpenPort(ctx, port, o, func() (io.ReadWriteCloser, error) { return open(ctx, port, offers) })
	var failed *transport.OpenError
	if errors.As(err, &failed) {
		failed.Address = a.String()
	}
	return conn, err
}

// open opens the port that was chosen of the offers. One that is not among them was named, and is not there.
func open(ctx context.Context, port transport.Port, offers []offer) (io.ReadWriteCloser, error) {
	i := slices.IndexFunc(offers, func(o offer) bool { return o.Port == port })
	if i < 0 {
		return nil, errNoPort
	}
	return offers[i].open(ctx)
}
