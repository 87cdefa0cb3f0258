package station

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/demo"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// demoWait is how long a board may be away: nobody wants to look at a demonstration of patience.
const demoWait = 8 * time.Second

// show runs a station with virtual boards. Its folder stays, so that its records can be looked at.
func (o stationOptions) show(ctx context.Context, a *app.App, upgrade Upgrader) (_ app.Result, err error) {
	dir, err := os.MkdirTemp("", "smpctl-station-")
	if err != nil {
		return nil, err
	}
	d, err := demo.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	a.Bus = d.Bus()
	c, err := readConfig(d.File())
	if err != nil {
		return nil, err
	}
	c.wait = demoWait
	s, err := open(ctx, a, c, upgrade, o.noWeb)
	if errors.Is(err, errNoPage) {
		c.Page.Listen = net.JoinHostPort("127.0.0.1", "0")
		s, err = open(ctx, a, c, upgrade, o.noWeb)
	}
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.watch = func(v page.View) { tell(d, v) }
	a.Say("eight virtual boards; all that a station needs is in %s", dir)
	playing := make(chan error, 1)
	a.Spawn(func() { playing <- d.Run(ctx) })
	r, err := s.run(ctx)
	return r, errors.Join(err, <-playing)
}

// tell has the hands of the demonstration see what the page shows.
func tell(d *demo.Demo, v page.View) {
	for _, t := range v.Tiles {
		percent := -1
		if t.Percent != nil {
			percent = *t.Percent
		}
		d.See(t.Slot, demo.Sight{State: string(t.State), Percent: percent})
	}
}
