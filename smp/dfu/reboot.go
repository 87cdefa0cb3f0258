package dfu

import (
	"context"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// RebootOptions adjust [Reboot].
type RebootOptions struct {
	Reset    smp.ResetOptions
	Wait     time.Duration // for the application to answer again; 0 means [DefaultWait]
	Starting bool          // as in [Options]
	OnEvent  func(Event)   // called on the caller's goroutine; must not block
}

// Reboot resets the device, and returns once its application answers again. A device that is in its bootloader is
// started.
//
// If images are selected for the next boot, they are what is waited for: a *[NotRunningError] says that the device runs
// others. A test that is lost is repeated as in [Run]: twice if the bootloader answered, once if the device just runs
// the old image. It blocks for Wait at most, and twice as long again for all such repetitions. Without a selected image
// the report has no result.
func Reboot(ctx context.Context, dial Dial, o RebootOptions) (Report, error) {
	r := &rebooter{runner: *newRunner(dial, nil, Options{
		Mode: Test, Wait: o.Wait, Starting: o.Starting, OnEvent: o.OnEvent})}
	r.resetWith, r.makePlan = o.Reset, r.planReset
	defer r.close()
	err := r.connect(ctx)
	if err == nil {
		err = r.reboot(ctx)
	}
	return r.summary(), err
}

// rebooter is a runner whose targets are what the device has selected.
type rebooter struct {
	runner
	marks []Action // that selected the targets
}

func (r *rebooter) reboot(ctx context.Context) error {
	var firmware smp.Firmware
	var list smp.ImageList
	err := r.resuming(ctx, Step{}, func(ctx context.Context, _ Step) (err error) {
		if err = r.contact(ctx); err == nil {
			firmware, list, err = r.client.Who(ctx)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case firmware == smp.SerialRecovery:
		r.report.Before = list
		return r.start(ctx)
	}
	r.answered, r.inspected = true, true
	if r.device.Bootloader, err = r.client.OS.Bootloader(ctx); optional(err) != nil {
		return err
	}
	r.noteList(list)
	r.before, r.report.Before = r.device, list
	r.chooseSelected(list)
	if r.report.Plan, err = r.makePlan(); err != nil {
		return err
	}
	return r.carryOut(ctx)
}

// chooseSelected takes what is selected for the next boot for the targets.
func (r *rebooter) chooseSelected(list smp.ImageList) {
	for _, s := range list.Images {
		if !s.Pending || r.device.runs(s) {
			continue
		}
		mark := MarkTest
		if s.Permanent {
			mark = MarkPermanent
		}
		r.targets, r.marks = append(r.targets, Target{Image: s.Image, selected: s.Hash}), append(r.marks, mark)
	}
}

// planReset resets the device, and before that selects again what is not selected any more.
func (r *rebooter) planReset() ([]Step, error) {
	var steps []Step
	for i, t := range r.targets {
		p := positionOf(r.device, t)
		switch {
		case p.running || p.pending:
		case !p.listed:
			return nil, notRunning(r.device, t, Rejected)
		default:
			steps = append(steps, Step{Action: r.marks[i], Target: i})
		}
	}
	steps = append(steps, deviceStep(Reset))
	if len(r.targets) > 0 {
		steps = append(steps, deviceStep(Verify))
	}
	return steps, nil
}
