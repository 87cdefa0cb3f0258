package device

import (
	"context"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/bus"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// BusVariable is the environment variable with the folder of virtual boards that smpctl sim serves.
const BusVariable = "SMPCTL_BUS"

// BusOf is where the ports are that a command may use.
func BusOf(a *app.App) app.Bus {
	if a.Bus != nil {
		return a.Bus
	}
	if a.Env != nil {
		if dir, _ := a.Env(BusVariable); dir != "" {
			return bus.OfFolder(dir)
		}
	}
	return computer{}
}

// NewRack is the bus of the virtual boards of a rack in this process.
func NewRack(r *sim.Rack) app.Bus { return bus.OfRack(r) }

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
