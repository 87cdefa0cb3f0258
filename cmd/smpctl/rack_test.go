package main

import (
	"context"
	"flag"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/bus"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/smp/sim"
)

// scriptRack is the rack of a script, and its boards by the names that the script gives them.
type scriptRack struct {
	*sim.Rack
	boards map[string]*sim.Board
}

// rackKey finds the rack of a script.
type rackKey struct{}

// rackOf is the rack of a script, which it serves in the folder bus from its first use on.
func rackOf(ts *testscript.TestScript) *scriptRack {
	r := ts.Value(rackKey{}).(*scriptRack)
	if r.Rack != nil {
		return r
	}
	r.Rack, r.boards = sim.NewRack(), map[string]*sim.Board{}
	ts.Defer(func() { r.Close() })
	dir := filepath.Join(ts.Getenv("WORK"), "bus")
	ready := make(chan struct{})
	ts.Defer(serveUntilClosed(ts, func(ctx context.Context) error {
		return bus.Serve(ctx, r.Rack, dir, func() { close(ready) })
	}))
	<-ready
	ts.Setenv("SMPCTL_BUS", dir)
	return r
}

// makeBoard makes a board: board [-serial TEXT] [-pid N] [flags of device] NAME.
func makeBoard(ts *testscript.TestScript, neg bool, args []string) {
	var o sim.Options
	facts := sim.Facts{VID: 0x2fe3}
	var pid uint
	var faults, key string
	f := flag.NewFlagSet("board", flag.ContinueOnError)
	f.StringVar(&facts.Serial, "serial", "", "")
	f.UintVar(&pid, "pid", 4, "")
	f.IntVar(&o.Baud, "baud", 0, "")
	f.StringVar(&faults, "faults", "", "")
	f.StringVar(&key, "key", "", "")
	deviceFlags(f, &o)
	ts.Check(f.Parse(args))
	if neg || f.NArg() != 1 {
		ts.Fatalf("usage: board [flags] NAME")
	}
	var err error
	o.Faults, err = sim.ParseFaults(faults)
	ts.Check(err)
	if key != "" {
		o.Key, err = trust.ReadPublicKey(ts.MkAbs(key))
		ts.Check(err)
	}
	o.ResetDelay, o.BootTime, o.SwapTime = 30*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	facts.PID = uint16(pid)
	boot := facts
	boot.PID, boot.Product = 0x100, "MCUBOOT"
	r := rackOf(ts)
	r.boards[f.Arg(0)], err = r.Add(facts, o, boot)
	ts.Check(err)
}

// plugIn plugs a board in and waits until it is there: plug NAME LOCATION.
func plugIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: plug NAME LOCATION")
	}
	ts.Check(boardOf(ts, args[0]).Plug(args[1]))
	awaitLocation(ts, args[1], true)
}

// unplug pulls a board out: unplug NAME.
func unplug(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: unplug NAME")
	}
	b := boardOf(ts, args[0])
	location := b.Location()
	b.Unplug()
	awaitLocation(ts, location, false)
}

func boardOf(ts *testscript.TestScript, name string) *sim.Board {
	b := rackOf(ts).boards[name]
	if b == nil {
		ts.Fatalf("there is no board %s", name)
	}
	return b
}

// awaitLocation waits until everybody can see that there is a port in a place, or none.
func awaitLocation(ts *testscript.TestScript, location string, there bool) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		ports, err := bus.OfFolder(ts.Getenv("SMPCTL_BUS")).Ports()
		ts.Check(err)
		found := false
		for _, p := range ports {
			found = found || p.Location == location
		}
		if found == there {
			return
		}
		<-tick.C
	}
	ts.Fatalf("the ports in %s do not change", location)
}
