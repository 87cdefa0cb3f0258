package dfu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// RecoverOptions adjust [Recover].
type RecoverOptions struct {
	// ByImage says that the number of a target is that of its image, whatever an upload has to name: the bootloader's
	// slot info tells that. Variants are allowed then, too. Else the number is what the upload names.
	ByImage  bool
	Enter    bool          // ask the application to reboot into its bootloader first
	Force    bool          // upload even if the bootloader lists the image already
	NoReset  bool          // leave the device in its bootloader
	NoVerify bool          // do not wait for the application after the reset: it has no SMP
	Wait     time.Duration // for the bootloader to answer, and for the application to come back; 0 means [DefaultWait]
	OnEvent  func(Event)   // called on the caller's goroutine; must not block
}

// Recover uploads images through MCUboot's serial recovery: it waits until the bootloader answers, uploads, looks
// whether the bootloader lists the new images, leaves it by a reset, and looks whether the application runs the new
// image. The report is valid, as far as it goes, also with an error.
//
//	+-------+   +--------+   +-------+   +--------+
//	| enter |-> | upload |-> | reset |-> | verify |
//	+-------+   +--------+   +-------+   +--------+
//	bootloader  image is in  application runs the
//	answers     its list     answers     new hash
//
// There is no test and no way back: the upload overwrites the slot from which the device runs. The image number of a
// target is what the upload names; a bootloader that was built for it (MCUBOOT_SERIAL_DIRECT_IMAGE_UPLOAD) takes it for
// a slot.
//
// After a reset that nothing answers, the error is [ErrNotBack] and the report's result [Unverified]: an application
// without SMP is as silent as one that does not run. It is [Unverified] with a *[NotRunningError] where an application
// answers that does not list what runs. RecoverOptions.NoVerify is for both. The other errors are those of [Run], and
// *[BootloaderError].
func Recover(ctx context.Context, dial Dial, targets []Target, o RecoverOptions) (Report, error) {
	if len(targets) == 0 {
		return Report{}, errNoImage
	}
	r := &recoverer{session: newSession(dial, targets, o.Wait, o.OnEvent), o: o, slots: make([]slot, len(targets))}
	r.report.Listed = true
	defer r.close()
	err := r.recover(ctx)
	return r.summary(), err
}

// recoverer holds the state of one recovery.
type recoverer struct {
	session
	o     RecoverOptions
	slots []slot // in which each target is, once it is listed
}

func (r *recoverer) recover(ctx context.Context) error {
	if err := r.choosePrimary(); err != nil {
		return err
	}
	if err := r.take(ctx, deviceStep(Enter), r.enter); err != nil {
		return err
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	for _, s := range r.report.Plan {
		if err := r.take(ctx, s, r.step); err != nil {
			return err
		}
	}
	return nil
}

// choosePrimary takes the variants for the primary slots, which are those that are written.
func (r *recoverer) choosePrimary() error {
	r.targets = slices.Clone(r.targets)
	for i, t := range r.targets {
		if len(t.Variants) > 0 {
			file, err := t.variant(0)
			if err != nil {
				return err
			}
			r.targets[i] = Target{Image: t.Image, File: file}
		}
		if len(r.targets[i].hash()) == 0 {
			return &UnfitError{t.Image, "the file has no image hash"}
		}
	}
	return nil
}

// enter waits until the bootloader answers.
func (r *recoverer) enter(ctx context.Context, _ Step) error {
	e := newEntry(&r.session)
	if r.o.Enter {
		if inside, err := e.ask(ctx); inside || err != nil {
			return err
		}
	}
	return e.await(ctx, r.wait)
}

// prepare reads what the bootloader has, checks the files against it, and makes the plan.
func (r *recoverer) prepare(ctx context.Context) error {
	look := func() (err error) {
		r.device, err = inspect(ctx, r.client)
		return err
	}
	if err := r.persist(ctx, deviceStep(Enter), look); err != nil {
		return err
	}
	r.report.Before = r.device.Images
	for i, t := range r.targets {
		if err := r.plan(i, t); err != nil {
			return err
		}
	}
	if r.o.NoReset {
		return nil
	}
	r.report.Plan = append(r.report.Plan, deviceStep(Reset))
	if !r.o.NoVerify {
		r.report.Plan = append(r.report.Plan, deviceStep(Verify))
	}
	return nil
}

// plan finds out where a target goes, and whether it has to be sent.
func (r *recoverer) plan(i int, t Target) error {
	if r.o.ByImage {
		number, err := t.primaryNumber(r.device)
		if err != nil {
			return err
		}
		r.targets[i].Image = number
	}
	named := r.targets[i]
	slots := named.recoverySlots(r.device)
	of := Target{Image: slots[0].image, File: t.File}
	if problem := cmp.Or(size(r.device, of), hashType(r.device, of)); problem != "" {
		return &UnfitError{t.Image, problem}
	}
	found := ImageReport{Image: t.Image, File: t.File}
	for _, at := range slots {
		if s, ok := r.device.in(at); ok && found.From == nil {
			found.From = &s
		}
	}
	r.report.Images = append(r.report.Images, found)
	r.report.Warnings = append(r.report.Warnings, of.fileAdvice(r.device)...)
	if at, ok := named.find(r.device); ok && !r.o.Force {
		r.slots[i], r.report.Result = at, Uploaded
		return nil
	}
	r.report.Plan = append(r.report.Plan, Step{Action: Upload, Target: i})
	return nil
}

func (r *recoverer) step(ctx context.Context, s Step) error {
	switch s.Action {
	case Upload:
		return r.upload(ctx, s)
	case Reset:
		return r.reset(ctx)
	case Verify:
		var err error
		r.report.Result, err = recoveryOutcome(r.device, r.targets, r.slots)
		return err
	}
	panic("dfu: unknown action " + string(s.Action))
}

// reset leaves the bootloader and waits for the application.
func (r *recoverer) reset(ctx context.Context) error {
	r.progressed = time.Now()
	if r.o.NoVerify {
		err := r.leaveBootloader(ctx)
		if err == nil {
			r.report.Result = Unverified
		}
		return err
	}
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	if err := r.leaveBootloader(ctx); err != nil {
		return notBackOr(ctx, err, r.wait)
	}
	r.report.Result = Unverified
	b := &boot{began: time.Now(), silence: resetSilence, resets: 1}
	if r.report.Listed {
		b.resets = 3 // it has an image to start, so only a long wait window is in the way
	}
	list, err := r.awaitApplication(ctx, b)
	switch {
	case errors.Is(err, smp.ErrInBootloader), errors.Is(err, ErrNotBack) && b.inBootloader:
		r.device.Images = list
		return r.restartFailed(ctx, b)
	case err != nil:
		r.lastReset(ctx, b)
		return notBack(err, b.last, r.wait)
	}
	r.device.Images, r.device.Firmware = list, smp.Application
	return nil
}

// restartFailed says why the device stays in its bootloader. One with an image that it accepts is told once more to
// leave it.
func (r *recoverer) restartFailed(ctx context.Context, b *boot) error {
	t := r.targets[0]
	r.report.Result = NotRunning
	if _, ok := t.find(r.device); !ok {
		return r.notListed(t)
	}
	return fmt.Errorf("%w%s", notRunning(device{}, t, InBootloader), r.lastReset(ctx, b))
}
