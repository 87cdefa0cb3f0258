package simcmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/bus"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// maxBoards is as many boards as have room in a process: each has its flash in memory.
const maxBoards = 256

// arriveTime bounds the wait for the boards to boot.
const arriveTime = 5 * time.Second

// checkBoards refuses flags that do not go together with --boards, or without it.
func (o simOptions) checkBoards() error {
	switch many := o.boards > 0; {
	case o.boards < 0 || o.boards > maxBoards:
		return failure.Usage("--boards %d: want 1 to %d", o.boards, maxBoards)
	case many && (o.pty != "" || o.tcp != "" || o.udp != ""):
		return failure.Usage("--boards has ports of its own: leave --pty, --tcp and --udp away")
	case !many && (o.bus != "" || len(o.faultsOf) > 0 || o.hands):
		return failure.Usage("--bus, --faults-of and --hands want --boards N")
	}
	return nil
}

// serveBoards serves several boards on a bus.
func serveBoards(ctx context.Context, a *app.App, o simOptions) (_ app.Result, err error) {
	each, err := o.ofEach(a)
	if err != nil {
		return nil, err
	}
	dir := o.bus
	if dir == "" {
		if dir, err = os.MkdirTemp("", "smpctl-bus-"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
	}
	rack := sim.NewRack()
	defer func() { err = errors.Join(err, rack.Close()) }()
	boards, err := plugIn(rack, each)
	if err != nil {
		return nil, err
	}
	awaitBoards(ctx, rack, len(boards))
	err = bus.Serve(ctx, rack, dir, func() {
		busReady(a, len(boards), dir)
		if o.hands {
			a.Spawn(func() { hands{boards}.obey(a, a.In) }) // until the input ends, or the process
		}
	})
	var all sim.Stats
	for _, b := range boards {
		all = sum(all, b.Device().Stats())
	}
	return newSimResult(all), err
}

// ofEach are the options of each board.
func (o simOptions) ofEach(a *app.App) ([]sim.Options, error) {
	one, err := o.options(a)
	if err != nil {
		return nil, err
	}
	folder := one.Flash
	one.Flash = ""
	each := make([]sim.Options, o.boards)
	for i := range each {
		each[i] = one
		each[i].Faults.Seed += uint64(i)
		if folder != "" {
			each[i].Flash = filepath.Join(folder, serialNumber(i)+".flash")
		}
	}
	for _, text := range o.faultsOf {
		number, list, _ := strings.Cut(text, ":")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > len(each) {
			return nil, failure.Usage("--faults-of %s: want the number of a board, 1 to %d, a colon and a list of NAME=VALUE",
				text, len(each))
		}
		if each[n-1].Faults, err = sim.ParseFaults(list); err != nil {
			return nil, failure.AsUsage(err)
		}
	}
	if folder != "" {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return nil, failure.AsUsage(err)
		}
	}
	return each, nil
}

// plugIn makes the boards and plugs them in.
func plugIn(rack *sim.Rack, each []sim.Options) ([]*sim.Board, error) {
	var boards []*sim.Board
	for i, o := range each {
		facts := sim.Facts{VID: 0x2fe3, PID: 0x0004, Serial: serialNumber(i), Product: "virtual board"}
		boot := facts
		boot.PID, boot.Product = 0x0100, "MCUBOOT"
		b, err := rack.Add(facts, o, boot)
		switch {
		case err != nil && o.Flash != "":
			return nil, &transport.OpenError{Address: "sim:" + o.Flash, Err: err}
		case err != nil:
			return nil, failure.AsUsage(err)
		}
		if err := b.Plug(socket(i)); err != nil {
			return nil, err
		}
		boards = append(boards, b)
	}
	return boards, nil
}

// serialNumber is that of a board, counted from 0.
func serialNumber(i int) string { return fmt.Sprintf("SIM%05d", i+1) }

// socket is where a board is plugged in, counted from 0: in hubs of seven sockets, seven of them at a root hub.
func socket(i int) string {
	const sockets = 7
	return fmt.Sprintf("%d-%d.%d", i/sockets/sockets+1, i/sockets%sockets+1, i%sockets+1)
}

// awaitBoards waits until the boards have booted. One that does not is no reason to wait for ever.
func awaitBoards(ctx context.Context, rack *sim.Rack, boards int) {
	limit := time.NewTimer(arriveTime)
	defer limit.Stop()
	for {
		changed := rack.Changed()
		if len(rack.Ports()) >= boards {
			return
		}
		select {
		case <-changed:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// busReady says where the boards are, and how to reach them.
func busReady(a *app.App, boards int, dir string) {
	a.Say("serving %s on the bus %s; stop with Ctrl-C", human.Count(boards, "board"), dir)
	try := "SMPCTL_BUS=" + dir + " smpctl ports"
	if runtime.GOOS == "windows" {
		try = `$env:SMPCTL_BUS="` + dir + `"; smpctl ports`
	}
	a.Say("in another terminal: %s", try)
	a.Event(app.ReadyEvent{Event: "ready", Port: dir})
}

// sum adds the counters of two devices.
func sum(a, b sim.Stats) sim.Stats {
	return sim.Stats{
		Requests: a.Requests + b.Requests, LostPackets: a.LostPackets + b.LostPackets,
		LostLines: a.LostLines + b.LostLines, LongLines: a.LongLines + b.LongLines, Broken: a.Broken + b.Broken,
		NoMemory: a.NoMemory + b.NoMemory, Resets: a.Resets + b.Resets,
	}
}
