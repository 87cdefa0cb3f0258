package dfu_test

import (
	"context"
	"errors"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// crossedSlot is the size of a slot: an image, a sector to swap by, and the trailer.
const crossedSlot = 5 * sim.Sector

// device is the virtual device of a combination, as it leaves the factory.
func (c crossing) device() (*sim.Device, error) { return sim.NewDevice(c.options()) }

func (c crossing) options() sim.Options {
	o := sim.Options{
		Mode: c.boot, SlotSize: crossedSlot, BufSize: 1024, BufCount: 4, ResetDelay: resetDelay,
		RecoveryWindow: c.window, SwapTime: c.swap, BootTime: c.start,
		Images: 2, NetworkCore: c.blind(), Raw: c.raw(),
	}
	o.SerialRecovery.Raw = c.raw()
	if c.images == "one" {
		o.Images = 1
	}
	if c.key != "none" {
		o.Key = signer("right").Public()
	}
	if c.boot == sim.RAMLoad {
		o.Factory = imageOf(stamp{major: 1, key: "none", ram: true}).Bytes()
	}
	switch c.server {
	case "frugal":
		o.Frugal = true
	case "legacy":
		o.Legacy = true
	case "no-bootloader-info":
		o.NoBootloaderInfo = true
	case "no-slot-info":
		o.NoSlotInfo = true
	case "no-params":
		o.NoParams = true
	case "bare":
		o.NoParams, o.NoBootloaderInfo, o.NoSlotInfo, o.Frugal = true, true, true, true
	case "direct-upload":
		o.DirectUpload = true
	case "no-downgrade", "lower-no-downgrade":
		o.NoDowngrade = true
	case "no-recovery":
		o.SerialRecovery.Absent = true
	}
	return o
}

// numbers are the images that the update is for.
func (c crossing) numbers() []int {
	switch c.images {
	case "one":
		return []int{0}
	case "second", "network-core-alone":
		return []int{1}
	}
	return []int{0, 1}
}

// targets are what the update brings.
func (c crossing) targets() []dfu.Target {
	var list []dfu.Target
	for _, n := range c.numbers() {
		list = append(list, dfu.Target{Image: n, File: c.file(n)})
	}
	return list
}

// prepare brings the device to where the update finds it, as far as it can be brought there.
func (c crossing) prepare(ctx context.Context, d *sim.Device) {
	calm(d, c)
	b := bench{ctx, c, d}
	numbers := c.numbers()
	if c.partly {
		numbers = numbers[:1]
	}
	for _, n := range numbers {
		b.stock(n)
	}
	switch c.before {
	case "on-trial", "runs", "runs-other-once", "runs-other-for-good", "other-on-trial":
		b.reset(smp.BootNormal)
	}
	for _, n := range numbers {
		b.settle(n)
	}
	switch c.before {
	case "in-bootloader":
		b.reset(smp.BootBootloader)
	case "just-powered", "just-reset":
		d.PowerCycle()
		if c.usb() {
			d.WaitAlive(ctx) // for the port
		}
	}
}

// bench is the hands of somebody at the device, on a link without faults.
type bench struct {
	ctx context.Context
	c   crossing
	d   *sim.Device
}

// stock puts an image into the free slot, and marks it.
func (b bench) stock(number int) {
	file, other := b.c.file(number), b.c.other(number)
	switch b.c.before {
	case "part":
		b.upload(number, file.Bytes(), 1200)
	case "whole":
		b.upload(number, file.Bytes(), 0)
	case "marked-test", "on-trial", "just-reset":
		b.upload(number, file.Bytes(), 0)
		b.mark(file.Hash(), false)
	case "marked-permanent", "runs", "runs-other-once", "runs-other-for-good":
		b.upload(number, file.Bytes(), 0)
		b.mark(file.Hash(), true)
	case "other-uploaded":
		b.upload(number, other.Bytes(), 0)
	case "other-once", "other-on-trial":
		b.upload(number, other.Bytes(), 0)
		b.mark(other.Hash(), false)
	case "other-for-good":
		b.upload(number, other.Bytes(), 0)
		b.mark(other.Hash(), true)
	}
}

// settle does what comes after the reset.
func (b bench) settle(number int) {
	switch b.c.before {
	case "runs", "runs-other-once", "runs-other-for-good":
		b.mark(nil, true) // if need be
	}
	switch b.c.before {
	case "runs-other-once", "runs-other-for-good":
		b.upload(number, b.c.other(number).Bytes(), 0)
		b.mark(b.c.other(number).Hash(), b.c.before == "runs-other-for-good")
	}
}

// with does something over a link of its own. What the device refuses stays undone.
func (b bench) with(do func(*smp.Client) error) {
	c := smp.NewClient(b.d.Link(), smp.Options{})
	defer c.Close()
	do(c)
}

var errEnough = errors.New("enough")

// upload sends a file, or as much of it as is asked for.
func (b bench) upload(number int, file []byte, part int) {
	ctx, cancel := context.WithCancelCause(b.ctx)
	defer cancel(nil)
	if b.c.server == "direct-upload" {
		number = 2*number + 2
		for _, s := range b.d.Slots() {
			if s.Image == number/2-1 && s.Slot == 1 && s.Active {
				number--
			}
		}
	}
	b.with(func(c *smp.Client) error {
		_, err := c.Image.Upload(ctx, file, smp.ImageUpload{Image: number, OnProgress: func(p smp.Progress) {
			if part > 0 && p.Done >= part {
				cancel(errEnough)
			}
		}})
		return err
	})
}

func (b bench) mark(h smp.Hash, permanent bool) {
	b.with(func(c *smp.Client) error {
		if permanent {
			_, err := c.Image.Confirm(b.ctx, h)
			return err
		}
		_, err := c.Image.Test(b.ctx, h)
		return err
	})
}

// reset restarts the device by SMP and waits until what comes then is there.
func (b bench) reset(mode smp.BootMode) {
	b.with(func(c *smp.Client) error { return c.OS.Reset(b.ctx, smp.ResetOptions{BootMode: mode}) })
	time.Sleep(2 * resetDelay)
	calm(b.d, b.c)
}

// calm waits, in silence, until the application runs, or for as long as a boot can take.
func calm(d *sim.Device, c crossing) {
	time.Sleep(resetDelay + 50*time.Millisecond) // for a reset that was accepted
	for end := time.Now().Add(c.boots()); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if applicationUp(d) {
			return
		}
	}
}

// boots is as long as a reset can take.
func (c crossing) boots() time.Duration { return 2*c.swap + c.window + c.start + 2*time.Second }
