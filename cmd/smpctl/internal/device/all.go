package device

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/smp/fleet"
	"github.com/smpctl/smpctl/transport"
)

// All finds the boards that addresses mean, without opening any. No addresses are those of the command: each -p, or
// what else says where the device is.
//
// It waits as long as a command waits for its port: until every address means something, and until as many boards are
// there as are expected. Address of a board is for a board's App ([app.App.ForBoard]): under it [New] reaches this
// board, and not one that was put into its place meanwhile, as far as serial number and place tell the two apart. It
// follows the board over resets, and not to another place. From now on all boards share one look at the bus.
//
// The errors: a [*fleet.ExpectError], a [*transport.OpenError] for an address that means nothing, and wrong usage.
func All(ctx context.Context, a *app.App, addresses []string, o fleet.PlanOptions) (fleet.Plan, error) {
	named, err := addressesOf(a, addresses)
	if err != nil {
		return fleet.Plan{}, err
	}
	a.Reached = true
	a.Bus = Shared(BusOf(a))
	g := &gathering{bus: a.Bus, addresses: named, options: o, wait: time.Duration(a.Flags.Wait)}
	return g.await(ctx, a)
}

// Present finds the boards that addresses mean, as they are now. An address that means nothing adds nothing.
func Present(a *app.App, addresses []string) (fleet.Plan, error) {
	named, err := addressesOf(a, addresses)
	if err != nil {
		return fleet.Plan{}, err
	}
	g := &gathering{bus: BusOf(a), addresses: named}
	ports, err := g.bus.Ports()
	if err != nil {
		return fleet.Plan{}, err
	}
	plan, _, err := g.plan(ports)
	return plan, err
}

// addressesOf parses addresses, or those of the command if there are none.
func addressesOf(a *app.App, texts []string) (all []address, err error) {
	switch f := a.Flags; {
	case len(texts) == 0 && len(f.MorePorts) > 0:
		texts = append([]string{f.Port}, f.MorePorts...)
	case len(texts) == 0:
		s, err := readSettings(a)
		if err != nil {
			return nil, err
		}
		texts = []string{s.Address.String()}
	}
	for _, text := range texts {
		at, err := ParseAddress(text)
		switch {
		case err != nil:
			return nil, err
		case at.Kind == transport.KindAny:
			return nil, failure.WithHint(failure.Usage("nothing says which boards are meant"),
				"name them with -p usb:VID:PID or -p 'usb:location=1-1.*'; -p may be given again")
		}
		all = append(all, at)
	}
	return all, nil
}

// gathering is the wait for boards.
type gathering struct {
	bus       app.Bus
	addresses []address
	options   fleet.PlanOptions
	wait      time.Duration // for what is not there yet; 0: not at all
}

// await looks until all is there that is wanted, and nothing has come or gone for a moment: the boards on a hub come
// one after the other, and so do the ports of a board. What is there at the first look is not waited for.
func (g *gathering) await(ctx context.Context, a *app.App) (fleet.Plan, error) {
	ports, plan, err := g.look()
	if err == nil || g.wait == 0 || !mayCome(err) || ctx.Err() != nil {
		return plan, err
	}
	defer a.Wait("%s", g.awaited()).Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for began, changed := time.Now(), time.Now(); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return plan, err
		}
		before := ports
		if ports, plan, err = g.look(); !slices.Equal(ports, before) {
			changed = time.Now()
		}
		if !g.again(err, time.Since(began), time.Since(changed)) {
			return plan, g.waited(err)
		}
	}
}

// again reports whether to look once more, after some time since the first look, and since something came or went.
func (g *gathering) again(err error, since, quiet time.Duration) bool {
	if err != nil {
		return mayCome(err) && since < g.wait
	}
	return quiet < settleTime && since < g.wait+settleTime
}

// waited adds to what is missing how long it was waited for.
func (g *gathering) waited(err error) error {
	if err == nil || !mayCome(err) {
		return err
	}
	return fmt.Errorf("%w (waited %v)", err, g.wait)
}

// mayCome reports whether an error is one of boards that are not there yet.
func mayCome(err error) bool {
	var count *fleet.ExpectError
	if errors.As(err, &count) {
		return len(count.Found) < count.Want
	}
	return isAbsent(err)
}

// awaited says what the user is waiting for.
func (g *gathering) awaited() string {
	var texts []string
	for _, a := range g.addresses {
		texts = append(texts, a.String())
	}
	what := human.And(texts)
	if n := g.options.Expect; n > 0 {
		what = fmt.Sprintf("%s at %s", human.Count(n, "board"), what)
	}
	return what + ": plug them in (Ctrl-C stops)"
}

// look finds the boards that are there now. The error says what is missing.
func (g *gathering) look() ([]transport.Port, fleet.Plan, error) {
	ports, err := g.bus.Ports()
	if err != nil {
		return nil, fleet.Plan{}, err
	}
	plan, missing, err := g.plan(ports)
	if err == nil {
		err = missing
	}
	return ports, plan, err
}

// plan tells which boards there are behind ports, and which address means none of them.
func (g *gathering) plan(ports []transport.Port) (plan fleet.Plan, missing, err error) {
	var found []fleet.Candidate
	for _, a := range g.addresses {
		candidates := a.candidates(ports)
		if found = append(found, candidates...); len(candidates) == 0 && missing == nil {
			missing = a.absence(ports)
		}
	}
	plan, err = fleet.NewPlan(found, g.options)
	return plan, missing, err
}

// absence is the error of an address that means nothing.
func (a address) absence(ports []transport.Port) error {
	cause := fs.ErrNotExist
	if a.Kind == transport.KindUSB || a.Kind == transport.KindAny {
		_, cause = a.Choose(ports)
	}
	err := error(&transport.OpenError{Address: a.String(), Err: cause})
	if hint := a.absenceHint(ports); hint != "" {
		err = failure.WithHint(err, hint)
	}
	return err
}

// candidates are the ports that an address means.
func (a address) candidates(ports []transport.Port) (found []fleet.Candidate) {
	bare := fleet.Candidate{Port: a.String(), Address: a.String(), Interface: transport.AnyInterface}
	switch a.Kind {
	case transport.KindUSB, transport.KindAny:
		for _, p := range a.Match(ports) {
			found = append(found, candidate(p, ports, a.Interface))
		}
		return found
	case transport.KindPath:
		target := a.Path
		if to, err := filepath.EvalSymlinks(target); err == nil {
			target = to
		} else if filepath.IsAbs(target) && errors.Is(err, fs.ErrNotExist) && !isListed(a, ports) {
			return nil
		}
		if p, _ := ByName(target).Choose(ports); p.USB {
			return []fleet.Candidate{candidate(p, ports, transport.AnyInterface)}
		}
		bare.Port = target
	}
	return []fleet.Candidate{bare}
}

// isListed reports whether the name of a port is among them.
func isListed(a address, ports []transport.Port) bool {
	p, err := a.Choose(ports)
	return err == nil && slices.ContainsFunc(ports, named(p.Name))
}

// candidate is a port on USB with an address that means it alone. number is the interface that the user asked for.
func candidate(p transport.Port, ports []transport.Port, number int) fleet.Candidate {
	exact := transport.ExactAddress(p, ports)
	if exact.Kind == transport.KindUSB && number != transport.AnyInterface {
		exact.Interface = number
	}
	c := fleet.Candidate{Port: p.Name, Address: exact.String(), VID: uint16(p.VID), PID: uint16(p.PID),
		Location: p.Location, Interface: p.Interface, Apart: number != transport.AnyInterface}
	if exact.Serial != "" { // else who is at this address by then may be another board
		c.Serial = p.OwnSerial()
	}
	return c
}
