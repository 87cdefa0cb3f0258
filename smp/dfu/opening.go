package dfu

import (
	"context"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/smp"
)

// open makes the plan. A device that is in its bootloader is started first; one that runs only some of the targets for
// a test is reset first.
func (r *runner) open(ctx context.Context) error {
	if err := r.resuming(ctx, Step{}, r.prepareStarted); err != nil {
		return err
	}
	r.before, r.inspected = r.device, true
	if r.o.Mode == UploadOnly {
		return nil
	}
	if _, ok := partialTest(r.device, r.targets); ok {
		return r.planTogether(ctx)
	}
	return nil
}

// maxStarts is how often a device is started that falls back into its bootloader before the plan is made.
const maxStarts = 2

// prepareStarted is prepare for a device that may have to be started first, as a step that may be resumed.
func (r *runner) prepareStarted(ctx context.Context, _ Step) error {
	err := r.prepare(ctx)
	for starts := 0; errors.Is(err, smp.ErrInBootloader) && !r.o.NoStart && starts < maxStarts; starts++ {
		if err := r.start(ctx); err != nil {
			return err
		}
		err = r.prepare(ctx)
	}
	var state *StateError
	if errors.As(err, &state) && state.Problem == partlyTested {
		return nil // open resets it
	}
	return err
}

// prepare reads the device and makes the plan.
func (r *runner) prepare(ctx context.Context) error {
	if err := r.contact(ctx); err != nil {
		return err
	}
	var err error
	if r.device, err = inspect(ctx, r.client); err != nil {
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
		found := ImageReport{Image: t.Image, File: t.File, From: positionOf(r.device, t).active}
		r.report.Images = append(r.report.Images, found)
	}
	r.report.Warnings = advice(r.device, r.targets, r.o)
	r.report.Plan, err = r.makePlan()
	return err
}

// contact waits for a first answer: first with application probes, which keep no bootloader from starting the
// application of a board that was plugged in a moment ago, and once more with them when the usual requests were all
// sent into the silence of its start.
func (r *runner) contact(ctx context.Context) error {
	if r.client.Err() == nil && !r.answered {
		_ = r.probe(ctx)
	}
	_, err := r.client.Negotiate(ctx)
	if errors.Is(err, smp.ErrNoReply) && !r.answered && r.ignoresProbes {
		if r.probed = false; r.probe(ctx) == nil {
			_, err = r.client.Negotiate(ctx)
		}
	}
	r.answered = r.answered || err == nil
	r.probed = r.probed && !r.ignoresProbes // nothing may have been there to answer
	return err
}

// planTogether makes the plan, after it has ended the test of some targets that the reset for the others would end
// anyway: all begin together.
func (r *runner) planTogether(ctx context.Context) error {
	if t, ok := partialTest(r.device, r.targets); ok {
		r.note(Step{}, togetherNote(t.Image))
		if err := r.restart(ctx, smp.ResetOptions{}); err != nil {
			return err
		}
	}
	var err error
	r.report.Plan, err = r.makePlan()
	return err
}

// togetherNote says why a device is reset first.
func togetherNote(image int) string {
	return fmt.Sprintf("image %d runs on trial without the others: resetting, to start all of them together", image)
}
