package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/spf13/cobra"
)

type resetOptions struct {
	force      bool
	bootMode   int
	bootloader bool
	wait       bool
}

func resetCommand(a *app) *cobra.Command {
	var o resetOptions
	cmd := &cobra.Command{
		Use:     "reset",
		Short:   "Reboot the device",
		Example: "  smpctl -p sim: reset --wait",
		Args:    cobra.NoArgs,
		RunE:    a.run(func(ctx context.Context, _ []string) (result, error) { return a.reset(ctx, o) }),
	}
	f := cmd.Flags()
	f.BoolVar(&o.force, "force", false, "reset even if the application refuses for now")
	f.IntVar(&o.bootMode, "boot-mode", 0, "boot `mode` to enter: 0 normal, 1 bootloader")
	f.BoolVar(&o.bootloader, "bootloader", false, "enter the bootloader (boot mode 1)")
	f.BoolVar(&o.wait, "wait", false, "wait until the device answers again")
	cmd.MarkFlagsMutuallyExclusive("boot-mode", "bootloader")
	return cmd
}

type resetResult struct {
	Reset   bool    `json:"reset"`
	Back    bool    `json:"back"`
	Seconds float64 `json:"seconds"`
}

func (r resetResult) Text(w io.Writer) error {
	text := "Done"
	if r.Back {
		text = fmt.Sprintf("the device answers again after %s", span(time.Duration(r.Seconds*float64(time.Second))))
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

func (a *app) reset(ctx context.Context, o resetOptions) (result, error) {
	if o.bootMode < 0 || o.bootMode > 255 {
		return nil, usage("--boot-mode %d: want 0 to 255", o.bootMode)
	}
	if o.bootloader {
		o.bootMode = int(smp.BootBootloader)
	}
	return a.withDevice(ctx, func(d *device, c *smp.Client) (result, error) {
		start := time.Now()
		if err := c.OS.Reset(ctx, smp.ResetOptions{Force: o.force, BootMode: smp.BootMode(o.bootMode)}); err != nil {
			return nil, err
		}
		if !o.wait {
			return resetResult{Reset: true}, nil
		}
		a.say("waiting for the device")
		back, err := dfu.WaitBack(ctx, c, d.connect, dfu.DefaultWait)
		if err != nil {
			return nil, err
		}
		defer back.Close()
		return resetResult{Reset: true, Back: true, Seconds: time.Since(start).Seconds()}, nil
	})
}
