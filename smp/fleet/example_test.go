package fleet_test

import (
	"context"
	"fmt"
	"os"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/fleet"
	"github.com/smpctl/smpctl/smp/sim"
)

// socket is a virtual board that is quick to restart, and a way to it. For a real one dial opens its port with
// transport.Dial: an update connects again after the reset.
func socket(o sim.Options) (*sim.Device, dfu.Dial, error) {
	o.ResetDelay, o.BootTime, o.SwapTime = -1, -1, -1
	board, err := sim.NewDevice(o)
	if err != nil {
		return nil, nil, err
	}
	return board, func(ctx context.Context) (*smp.Client, error) {
		if err := board.WaitAlive(ctx); err != nil {
			return nil, err
		}
		return smp.NewClient(board.Link(), smp.Options{}), nil
	}, nil
}

// Four boards at once, one of which has an image of its own already.
func ExampleUpgrade() {
	file, err := os.ReadFile("../../testdata/app-2.0.0.bin")
	if err != nil {
		fmt.Println(err)
		return
	}
	app, err := image.Load(file)
	if err != nil {
		fmt.Println(err)
		return
	}

	var found []fleet.Candidate // for real ones: of transport.Ports, those that fit
	dials := map[string]dfu.Dial{}
	for i, serial := range []string{"E66C01", "E66C02", "E66C03", "E66C04"} {
		port := fmt.Sprintf("/dev/ttyACM%d", i)
		o := sim.Options{}
		if i == 2 {
			o.Factory = file
		}
		board, dial, err := socket(o)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer board.Close()
		dials[port] = dial
		found = append(found, fleet.Candidate{Port: port, VID: 0x2fe3, PID: 4, Serial: serial,
			Location: fmt.Sprintf("1-1.%d", i+1)})
	}

	plan, err := fleet.NewPlan(found, fleet.PlanOptions{Expect: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	var boards []fleet.Target
	for _, b := range plan.Boards {
		boards = append(boards, fleet.Target{Board: b, Dial: dials[b.Port]})
	}
	images := []dfu.Target{{File: app}}
	for _, r := range fleet.Upgrade(context.Background(), boards, images, dfu.Options{}, fleet.Options{Retry: 1}) {
		fmt.Println(r.Board.Name, r.Value.Result, r.Err)
	}
	// Output:
	// E66C01 confirmed <nil>
	// E66C02 confirmed <nil>
	// E66C03 already-running <nil>
	// E66C04 confirmed <nil>
}

// What a plan makes of ports: two boards with one serial number are refused, and others go on.
func ExampleNewPlan() {
	plan, err := fleet.NewPlan([]fleet.Candidate{
		{Port: "/dev/ttyACM0", VID: 0x0483, PID: 0x5740, Serial: "2066366D", Location: "1-1.1"},
		{Port: "/dev/ttyACM1", VID: 0x0483, PID: 0x5740, Serial: "2066366D", Location: "1-1.2"},
		{Port: "/dev/ttyACM2", VID: 0x0483, PID: 0x5740, Serial: "3178395F", Location: "1-1.3"},
	}, fleet.PlanOptions{Expect: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range plan.Boards {
		fmt.Println(b.Name, b.Refused != nil)
	}
	// Output:
	// 1-1.1 true
	// 1-1.2 true
	// 3178395F false
}
