package boards

import (
	"context"
	"fmt"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/smp/fleet"
)

// identify asks all boards what names them, before any is touched: of two that claim one identity, none may be.
func (r *run) identify(ctx context.Context, boards []fleet.Board) {
	type answer struct {
		id    string
		heard func() failure.Heard
	}
	asked := boards[:0:0]
	for _, b := range boards {
		if r.known[b.Name].refused == nil {
			asked = append(asked, b)
		}
	}
	defer r.inOrder(asked)()
	reports := fleet.Run(ctx, asked, r.options(ctx), func(ctx context.Context, b fleet.Board) (answer, error) {
		a := r.appOf(b)
		defer a.End()
		a.Flags.Port = b.Address
		var id string
		_, err := a.Do(ctx, func(ctx context.Context) (_ app.Result, err error) {
			id, err = r.flags.ID.ask(ctx, a, device.PortNow(a, b))
			return nil, err
		})
		return answer{id, a.Heard}, err
	})
	var claims []claim
	for _, p := range reports {
		k := known{id: p.Value.id, refused: p.Err, heard: p.Value.heard}
		if p.Err != nil {
			k.in = inIdentity
		} else {
			claims = append(claims, claim{p.Board, k.id})
		}
		r.known[p.Board.Name] = k
	}
	for name, err := range clashes(claims) {
		k := r.known[name]
		k.refused, k.in = err, inIdentity
		r.known[name] = k
	}
}

// claim is what a board says of itself.
type claim struct {
	board fleet.Board
	id    string
}

// clashes are the errors of boards that claim the identity of another, by the names of the boards. Case does not
// matter: people who type an identity, and scanners, do not keep to it.
func clashes(claims []claim) map[string]error {
	owners := map[string][]claim{}
	for _, c := range claims {
		key := strings.ToLower(c.id)
		owners[key] = append(owners[key], c)
	}
	wrong := map[string]error{}
	for _, all := range owners {
		if len(all) < 2 {
			continue
		}
		var names []string
		for _, c := range all {
			names = append(names, c.board.Name)
		}
		for _, c := range all {
			wrong[c.board.Name] = fmt.Errorf("%d boards say that they are %s, so none of them is touched: %s",
				len(all), c.id, human.And(names))
		}
	}
	return wrong
}
