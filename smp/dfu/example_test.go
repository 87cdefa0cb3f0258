package dfu_test

import (
	"context"
	"fmt"
	"os"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// desk is a virtual device that is quick to restart, and a way to it. For a real one dial opens its port with
// transport.Dial: an update connects again after the reset.
func desk() (*sim.Device, dfu.Dial, error) {
	device, err := sim.NewDevice(sim.Options{ResetDelay: -1, BootTime: -1, SwapTime: -1})
	if err != nil {
		return nil, nil, err
	}
	return device, func(ctx context.Context) (*smp.Client, error) {
		if err := device.WaitAlive(ctx); err != nil {
			return nil, err
		}
		return smp.NewClient(device.Link(), smp.Options{}), nil
	}, nil
}

// A whole update, with progress.
func ExampleRun() {
	device, dial, err := desk()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
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

	report, err := dfu.Run(context.Background(), dial, []dfu.Target{{File: app}}, dfu.Options{
		OnEvent: func(e dfu.Event) {
			switch {
			case e.Phase == dfu.Progress && e.Upload.Done == e.Upload.Total:
				fmt.Println("uploaded", e.Upload.Total, "bytes")
			case e.Phase == dfu.Done:
				fmt.Println(e.Step.Action)
			}
		},
	})
	fmt.Println(report.Result, err)
	// Output:
	// uploaded 25238 bytes
	// upload
	// test
	// reset
	// verify
	// confirm
	// confirmed <nil>
}

// Keep what runs. A device that answers with success and does not do it is an error.
func ExampleRequest_Do() {
	device, dial, err := desk()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	client, err := dial(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	answer, err := dfu.Request{Action: dfu.Confirm}.Do(context.Background(), client)
	fmt.Println(answer.Unchanged, err)
	// Output: true <nil>
}
