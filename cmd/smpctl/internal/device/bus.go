package device

import (
	"context"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/transport"
)

// BusOf is where the ports are that a command may use.
func BusOf(a *app.App) app.Bus {
	if a.Bus != nil {
		return a.Bus
	}
	return computer{}
}

// bus is where the ports are among which the device is.
func (d *Device) bus() app.Bus { return BusOf(d.App) }

// ByName is the address of a port that has this name.
func ByName(name string) transport.Address {
	return transport.Address{Kind: transport.KindPath, Path: name, Interface: transport.AnyInterface}
}

// computer is the bus of this computer.
type computer struct{}

func (computer) Ports() ([]transport.Port, error) { return transport.Ports() }

func (computer) Open(ctx context.Context, a transport.Address, o transport.Options) (*transport.Conn, error) {
	return transport.Dial(ctx, a.String(), o)
}
