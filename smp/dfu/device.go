package dfu

import (
	"context"
	"errors"

	"github.com/smpctl/smpctl/smp"
)

// device is what an update needs to know of a device before it starts.
type device struct {
	Firmware   smp.Firmware // what answers
	Images     smp.ImageList
	Slots      []smp.ImageSlots   // nil if the device does not say
	Bootloader smp.BootloaderInfo // Mode is ModeUnknown if the device does not say

	// StateWrite says whether the application has the command that selects and confirms images, as it turned out when
	// it was asked to; nil if it was not. Without the command the bootloader decides by version.
	StateWrite *bool
}

// hasStateWrite notes whether the application has the command that selects and confirms images.
func (d *device) hasStateWrite(yes bool) { d.StateWrite = &yes }

// inspect reads a device. Commands that it does not have are no error, except the image list.
func inspect(ctx context.Context, c *smp.Client) (device, error) {
	d := device{Bootloader: smp.BootloaderInfo{Mode: smp.ModeUnknown}}
	var err error
	if d.Slots, err = c.Image.Slots(ctx); optional(err) != nil {
		return d, err
	}
	if d.Bootloader, err = c.OS.Bootloader(ctx); optional(err) != nil {
		return d, err
	}
	// Last, so that nothing stands between knowing who answers and the first chunk of an upload.
	if d.Images, err = c.Image.List(ctx); err != nil {
		return d, err
	}
	d.Firmware, err = c.Identify(ctx, d.Images)
	return d, err
}

// optional drops the refusal of a command that a device need not have.
func optional(err error) error {
	var refused *smp.DeviceError
	if errors.As(err, &refused) {
		return nil
	}
	return err
}

// slots returns what the device says of the slots of an image; false if it does not.
func (d device) slots(number int) (smp.ImageSlots, bool) {
	for _, m := range d.Slots {
		if m.Image == number {
			return m, true
		}
	}
	return smp.ImageSlots{}, false
}

// unseen reports whether the device does not list what runs of an image beside the first. The network core of an
// nRF5340 is such: its primary slot is a piece of RAM, from which the bootloader hands an update over.
func (d device) unseen(number int) bool {
	return number > 0 && d.running(number) == nil && d.running(0) != nil
}

// running returns the image of this number that runs; nil if the device does not say.
func (d device) running(number int) *smp.ImageState {
	for _, s := range d.Images.Images {
		if s.Image == number && d.runs(s) {
			return &s
		}
	}
	return nil
}

// runs reports whether s is the image that runs. Older servers set the flag only for the application's own image; of
// the others the primary slot is in use.
func (d device) runs(s smp.ImageState) bool {
	if s.Active {
		return true
	}
	_, known := d.Images.Active(s.Image)
	return s.Image > 0 && !known && s.Slot == 0
}

// choosesNewest is bootsNewest for a device, which may not tell its mode but be without the command that selects.
func choosesNewest(d device) bool {
	return bootsNewest(d.Bootloader.Mode) ||
		d.Bootloader.Mode == smp.ModeUnknown && d.StateWrite != nil && !*d.StateWrite
}

// canRevertForSure reports whether the bootloader is known to return to the old image of an unconfirmed one.
func canRevertForSure(d device) bool { return d.Bootloader.Mode != smp.ModeUnknown && canRevert(d) }

// canRevert reports whether the bootloader may return to the old image, so that confirming means something. A device
// that does not tell its mode is taken to.
func canRevert(d device) bool {
	return d.Bootloader.Mode != smp.ModeOverwrite && !bootsNewest(d.Bootloader.Mode)
}

// bootsNewest reports whether the bootloader chooses by version alone.
func bootsNewest(m smp.SwapMode) bool {
	switch m {
	case smp.ModeDirectXIP, smp.ModeRAMLoad, smp.ModeSingleSlotRAMLoad:
		return true
	}
	return false
}

// swaps reports whether the bootloader is known to run images from the primary slot only.
func swaps(m smp.SwapMode) bool {
	switch m {
	case smp.ModeSwapScratch, smp.ModeOverwrite, smp.ModeSwapMove, smp.ModeSwapOffset:
		return true
	}
	return false
}
