package device

import (
	"context"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/smp/fleet"
)

// Only finds the board that a command for one device means, without opening it. It waits like [All], and what means
// several boards is an error, as it is for [Device.Connect].
func Only(ctx context.Context, a *app.App) (fleet.Board, error) {
	s, err := readSettings(a)
	if err != nil {
		return fleet.Board{}, err
	}
	a.Reached = true
	g := &gathering{bus: BusOf(a), addresses: []address{s.Address}, wait: time.Duration(a.Flags.Wait)}
	plan, err := g.await(ctx, a)
	if err != nil {
		return fleet.Board{}, err
	}
	if len(plan.Boards) != 1 {
		ports, err := g.bus.Ports()
		if err != nil {
			return fleet.Board{}, err
		}
		return fleet.Board{}, s.Address.absence(ports)
	}
	return plan.Boards[0], plan.Boards[0].Refused
}

// PortNow is the name of the port that a board has now, for programs of the user; the one at which it was found if it
// is not there.
func PortNow(a *app.App, b fleet.Board) string {
	address, err := ParseAddress(b.Address)
	if err != nil || b.VID == 0 {
		return b.Port
	}
	ports, err := BusOf(a).Ports()
	if err != nil {
		return b.Port
	}
	p, err := address.Choose(ports)
	if err != nil {
		return b.Port
	}
	return p.Name
}
