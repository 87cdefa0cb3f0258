package dfu

import (
	"context"
	"errors"

	"github.com/smpctl/smpctl/smp"
)

// begin makes the plan. A device that is in its bootloader is started first; one on which only some of the targets run,
// and only on trial, goes back first.
func (r *runner) begin(ctx context.Context) error {
	if err := r.persist(ctx, Step{}, r.opening); err != nil {
		return err
	}
	r.before, r.opened = r.device, true
	if r.o.Mode == UploadOnly {
		return nil
	}
	if _, ok := halfway(r.device, r.targets); ok {
		return r.planTogether(ctx)
	}
	return nil
}

// opening reads the device and plans, as a step that may be repeated.
func (r *runner) opening(ctx context.Context, _ Step) error {
	err := r.prepare(ctx)
	for starts := 0; errors.Is(err, smp.ErrInBootloader) && !r.o.NoStart && starts < maxStarts; starts++ {
		if err := r.start(ctx); err != nil {
			return err
		}
		err = r.prepare(ctx)
	}
	var state *StateError
	if errors.As(err, &state) && state.Problem == onTrial {
		return nil // see begin
	}
	return err
}

// maxStarts is how often a device is started that falls back into its bootloader before the plan is made.
const maxStarts = 2

// prepare reads the device and makes the plan.
func (r *runner) prepare(ctx context.Context) error {
	if err := r.greet(ctx); err != nil {
		return err
	}
	var err error
	if r.device, err = Inspect(ctx, r.client); err != nil {
		return err
	}
	if r.report.Found == smp.UnknownFirmware {
		r.report.Found = r.device.Firmware
	}
	r.report.Before = r.device.Images
	if r.targets, err = resolve(r.device, r.targets, r.o); err != nil {
		return err
	}
	r.report.Images = nil
	for _, t := range r.targets {
		r.changes(t, positionOf(r.device, t).active)
	}
	r.report.Warnings = advice(r.device, r.targets, r.o)
	r.report.Plan, err = r.replan()
	return err
}

// Inspect reads what [Plan] needs. Commands that the device does not have are no error, except the image list.
func Inspect(ctx context.Context, c *smp.Client) (Device, error) {
	d := Device{Bootloader: smp.BootloaderInfo{Mode: smp.ModeUnknown}}
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

// greet makes contact: first in a way that keeps no bootloader from starting the application of a board that was
// plugged in a moment ago, and once more in that way when the usual requests were all sent into the silence of its
// start.
func (r *runner) greet(ctx context.Context) error {
	if r.client.Err() == nil && !r.heard {
		_ = r.listen(ctx)
	}
	_, err := r.client.Negotiate(ctx)
	if errors.Is(err, smp.ErrNoReply) && !r.heard && r.deaf {
		if r.listened = false; r.listen(ctx) == nil {
			_, err = r.client.Negotiate(ctx)
		}
	}
	r.heard = r.heard || err == nil
	r.listened = r.listened && !r.deaf // nothing may have been there to hear it
	return err
}

// changes notes in the report what becomes of an image.
func (r *runner) changes(t Target, from *smp.ImageState) {
	c := Change{Image: t.Image, File: t.File, From: versionOf(from), To: Version{t.File.Header.Version.String(), t.Hash()}}
	if r.report.Images = append(r.report.Images, c); len(r.report.Images) == 1 {
		r.report.From, r.report.To = c.From, c.To
	}
}
