package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/bus"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// boardFault is what is wrong with a board.
type boardFault struct {
	kind    string // of the failure of its upgrade; empty: nothing is wrong
	options func(*sim.Options)
	held    bool // somebody else has its port
}

var boardFaults = []boardFault{
	{kind: "no-reply", options: func(o *sim.Options) { o.Faults.VanishAfter = 20000 }},
	{kind: "not-running", options: func(o *sim.Options) { o.Key = make(ed25519.PublicKey, ed25519.PublicKeySize) }},
	{kind: "refused", options: func(o *sim.Options) { o.NoGroups = []smp.Group{smp.GroupImage} }},
	{kind: "port", held: true},
}

// faultOf is what is wrong with the board of this serial number: with every eighth something.
func faultOf(serial string) boardFault {
	var n int
	if _, err := fmt.Sscanf(serial, "SIM%d", &n); err != nil || n%8 != 0 {
		return boardFault{}
	}
	return boardFaults[n/8%len(boardFaults)]
}

// runFaultyBoards serves 64 boards, eight of which have faults: faultyboards FOLDER.
func runFaultyBoards() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serveFaultyBoards(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serveFaultyBoards(ctx context.Context, dir string) (err error) {
	rack := sim.NewRack()
	defer func() { err = errors.Join(err, rack.Close()) }()
	for i := range 64 {
		serial := fmt.Sprintf("SIM%05d", i+1)
		o := sim.Options{Baud: 115200, Console: true}
		if wrong := faultOf(serial); wrong.options != nil {
			wrong.options(&o)
		}
		b, err := rack.Add(sim.Facts{Serial: serial}, o)
		if err == nil {
			err = b.Plug(fmt.Sprintf("1-%d.%d", i/7+1, i%7+1))
		}
		if err != nil {
			return err
		}
	}
	for changed := rack.Changed(); len(rack.Ports()) < 64; changed = rack.Changed() {
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
	for _, p := range rack.Ports() {
		if faultOf(p.Serial).held {
			if _, err := rack.Open(p); err != nil { // for ever
				return err
			}
		}
	}
	return bus.Serve(ctx, rack, dir, func() { fmt.Fprintln(os.Stderr, "ready") })
}
