package update

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/boards"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/spf13/cobra"
)

type resetOptions struct {
	force      bool
	bootMode   app.Choice
	bootloader bool
	wait       waitFlag
	console    string
	boards     boards.Flags
}

func resetCommand(a *app.App) *cobra.Command {
	o := resetOptions{wait: waitFlag{limit: app.WaitTime(dfu.DefaultWait)}}
	cmd := &cobra.Command{
		Use:        "reset",
		SuggestFor: []string{"reboot", "restart"},
		Short:      "Reboot the device",
		Example:    "  smpctl -p sim: reset --wait\n  smpctl -p usb:2fe3:0004 reset --all",
		Args:       o.wait.takeArgument,
		RunE:       a.Run(func(ctx context.Context, _ []string) (app.Result, error) { return o.run(ctx, a) }),
	}
	f := cmd.Flags()
	f.BoolVar(&o.force, "force", false, "reset even if the application refuses for now")
	o.bootMode = app.NewChoice(f, "boot-mode", "", "boot mode to enter: 0 normal, 1 bootloader", "0", "1")
	f.BoolVar(&o.bootloader, "bootloader", false,
		"enter the bootloader, for serial recovery: boot mode 1")
	f.Var(&o.wait, "wait",
		"wait so long for the port, and until the device answers again; 0: fail at once without a port")
	f.Lookup("wait").NoOptDefVal = bareWait
	consoleFlag(f, &o.console)
	f.Lookup(app.ConsoleFlag).Usage += "; waits like --wait"
	o.boards.Register(f)
	app.Exclude(cmd, "boot-mode", "bootloader")
	return cmd
}

// run resets the boards that the flags mean.
func (o *resetOptions) run(ctx context.Context, a *app.App) (app.Result, error) {
	if err := checkOneConsole(o.console, o.boards); err != nil {
		return nil, err
	}
	a.Flags.Wait = o.wait.limit
	return boards.Run(ctx, a, o.boards, boards.Work{Name: "reset",
		Do: func(ctx context.Context, a *app.App, _ *boards.Turn) (app.Result, error) { return reset(ctx, a, *o) }})
}

// resetResult is the result of reset.
type resetResult struct {
	Reset   bool    `json:"reset"`             // the device was reset; false if it was in its bootloader already
	Back    bool    `json:"back"`              // it answers again; false if nobody waited for it
	Runs    string  `json:"runs,omitempty"`    // what answers, if that was looked at: application or bootloader
	Seconds float64 `json:"seconds,omitempty"` // until it answered; absent if nobody waited
	consoleResult
}

// Verdict is how the first line of the text is meant.
func (resetResult) Verdict() app.Mark { return app.Done }

func (r resetResult) Text(w io.Writer) error {
	took := human.Span(time.Duration(r.Seconds * float64(time.Second)))
	text := "Done"
	switch {
	case r.Back && !r.Reset:
		text = "the device is in its bootloader already"
	case r.Back && r.Runs == view.RunsBootloader:
		text = "the bootloader answers after " + took
	case r.Back:
		text = "the device answers again after " + took
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

func reset(ctx context.Context, a *app.App, o resetOptions) (app.Result, error) {
	d, err := device.New(a)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	d.Wait = time.Duration(o.wait.limit)
	if o.console == "" {
		return resetting(ctx, a, d, o)
	}
	o.wait.back = true
	console, err := listen(ctx, a, d, o.console)
	if err != nil {
		return nil, err
	}
	defer console.close()
	r, err := resetting(ctx, a, d, o)
	heard, err := console.explain(err)
	if done, ok := r.(resetResult); ok {
		done.consoleResult = heard
		r = done
	}
	return r, err
}

// resetting is what reset does with the device.
func resetting(ctx context.Context, a *app.App, d *device.Device, o resetOptions) (app.Result, error) {
	how := smp.ResetOptions{Force: o.force, BootMode: smp.BootMode(o.bootMode.Int())}
	if o.bootloader {
		how.BootMode = smp.BootBootloader
	}
	switch enter := how.BootMode == smp.BootBootloader; {
	case enter:
		return d.Use(ctx,
			func(d *device.Device, c *smp.Client) (app.Result, error) {
				return enterBootloader(ctx, a, d, c, o.wait, how)
			})
	case o.wait.back:
		return reboot(ctx, a, d, o.wait, how)
	}
	return d.Use(ctx,
		func(_ *device.Device, c *smp.Client) (app.Result, error) {
			return resetResult{Reset: true}, c.OS.Reset(ctx, how)
		})
}

// reboot resets the device and waits until its application answers.
func reboot(ctx context.Context, a *app.App, d *device.Device, wait waitFlag, how smp.ResetOptions) (app.Result,
	error) {
	v := (&upgradeView{app: a, device: d, plain: true}).begin()
	defer v.close()
	if err := d.Reach(ctx); err != nil {
		return nil, err
	}
	report, err := dfu.Reboot(ctx, d.Connect, dfu.RebootOptions{
		Reset: how, Wait: time.Duration(wait.limit), Starting: d.Arrived, OnEvent: v.event})
	if err != nil {
		return nil, err
	}
	return resetResult{Reset: true, Back: true, Runs: view.RunsApplication, Seconds: report.Took.Seconds()}, nil
}

// enterBootloader resets the device into its bootloader, which takes any reset for a wish to leave.
func enterBootloader(ctx context.Context, a *app.App, d *device.Device, c *smp.Client, wait waitFlag,
	how smp.ResetOptions) (app.Result, error) {
	firmware, _, err := c.Who(ctx)
	if err != nil {
		return nil, err
	}
	if firmware == smp.SerialRecovery {
		return resetResult{Back: true, Runs: view.RunsBootloader}, nil
	}
	start := time.Now()
	if err := c.OS.Reset(ctx, how); err != nil {
		return nil, err
	}
	if !wait.back {
		return resetResult{Reset: true}, nil
	}
	a.BeginUpdate()
	defer a.Wait("the bootloader").Now().Stop()
	d.Await(device.AnyIdentity)
	back, err := dfu.EnterBootloader(ctx, c, d.Connect, cmp.Or(time.Duration(wait.limit), dfu.DefaultWait))
	if err != nil {
		return nil, err
	}
	defer back.Close()
	return resetResult{Reset: true, Back: true, Runs: view.RunsBootloader, Seconds: time.Since(start).Seconds()}, nil
}
