package app

import (
	"context"

	"github.com/smpctl/smpctl/transport"
)

// Bus is where serial ports are: those of this computer, or those of virtual boards. Both methods may be called from
// several goroutines.
type Bus interface {
	// Ports lists the ports present, as [transport.Ports] does.
	Ports() ([]transport.Port, error)
	// Open opens an address, as [transport.Dial] does, with its errors and limits.
	Open(ctx context.Context, address transport.Address, o transport.Options) (*transport.Conn, error)
}
