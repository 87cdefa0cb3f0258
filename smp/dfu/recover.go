package dfu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// RecoverOptions adjust [Recover].
type RecoverOptions struct {
	// ByImage says that the number of a target is that of its image, whatever an upload has to name: the bootloader's slot
	// info tells that. Variants are allowed then, too. Else the number is what the upload names.
	ByImage  bool
	Enter    bool          // ask the application to reboot into its bootloader first
	Force    bool          // upload even if the bootloader lists the image already
	NoReset  bool          // leave the device in its bootloader
	NoVerify bool          // do not wait for the application after the reset: it has no SMP
	Wait     time.Duration // for the bootloader to answer, and for the application to come back; 0 means two minutes
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
// answers that does not list what runs. RecoverOptions.NoVerify is for both.
func Recover(ctx context.Context, dial Dial, targets []Target, o RecoverOptions) (Report, error) {
	if len(targets) == 0 {
		return Report{}, errNoImage
	}
	r := &recoverer{
		runner:  *newRunner(dial, targets, Options{Wait: o.Wait, OnEvent: o.OnEvent}),
		options: o,
		places:  make([]place, len(targets)),
	}
	r.report.Listed, r.heard = true, true
	defer r.close()
	err := r.run(ctx)
	return r.summary(), err
}

// recoverer holds the state of one recovery.
type recoverer struct {
	runner
	options RecoverOptions
	places  []place // where each target is, once it is listed
}

func (r *recoverer) run(ctx context.Context) error {
	if err := r.choose(); err != nil {
		return err
	}
	if err := r.take(ctx, Step{Enter, allTargets}, r.enter); err != nil {
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

// choose takes the variants for the primary slots, which are those that are written.
func (r *recoverer) choose() error {
	targets := slices.Clone(r.targets)
	for i, t := range targets {
		if len(t.Variants) > 0 {
			file, err := t.variant(0)
			if err != nil {
				return err
			}
			targets[i] = Target{Image: t.Image, File: file}
		}
		if len(targets[i].Hash()) == 0 {
			return &UnfitError{t.Image, "the file has no image hash"}
		}
	}
	r.targets = targets
	r.report.To = Version{targets[0].File.Header.Version.String(), targets[0].Hash()}
	return nil
}

// enter waits until the bootloader answers.
func (r *recoverer) enter(ctx context.Context, s Step) error {
	d := newDoor(&r.connection, func(text string) { r.note(s, text) })
	if r.options.Enter {
		if inside, err := d.ask(ctx); inside || err != nil {
			return err
		}
	}
	return d.enter(ctx, r.o.Wait)
}

// prepare reads what the bootloader has and checks the files against it.
func (r *recoverer) prepare(ctx context.Context) error {
	var err error
	if r.device, err = Inspect(ctx, r.client); err != nil {
		return err
	}
	r.report.Before = r.device.Images
	for i, t := range r.targets {
		if err := r.place(i, t); err != nil {
			return err
		}
	}
	if r.options.NoReset {
		return nil
	}
	r.report.Plan = append(r.report.Plan, Step{Reset, allTargets})
	if !r.options.NoVerify {
		r.report.Plan = append(r.report.Plan, Step{Verify, allTargets})
	}
	return nil
}

// place finds out where a target goes, and whether it has to be sent.
func (r *recoverer) place(i int, t Target) error {
	if r.options.ByImage {
		number, err := t.primary(r.device)
		if err != nil {
			return err
		}
		r.targets[i].Image = number
	}
	named := r.targets[i]
	places := named.places(r.device)
	of := Target{Image: places[0].image, File: t.File}
	if problem := cmp.Or(size(r.device, of), hashType(r.device, of)); problem != "" {
		return &UnfitError{t.Image, problem}
	}
	var from *smp.ImageState
	if s, ok := r.device.in(places); ok {
		from = &s
	}
	r.changes(t, from)
	r.report.Warnings = append(r.report.Warnings, of.fileAdvice(r.device)...)
	if p, ok := named.find(r.device); ok && !r.options.Force {
		r.places[i], r.report.Result = p, Uploaded
		return nil
	}
	r.report.Plan = append(r.report.Plan, Step{Upload, i})
	return nil
}

func (r *recoverer) step(ctx context.Context, s Step) error {
	switch s.Action {
	case Upload:
		return r.upload(ctx, s)
	case Reset:
		return r.reset(ctx)
	case Verify:
		return r.verify()
	}
	panic("dfu: unknown action " + string(s.Action))
}

// upload brings a target into its slot. When the connection ends in the middle, as it does when the power fails, it
// starts again as soon as the bootloader is back: without an application there is nothing else to come back.
func (r *recoverer) upload(ctx context.Context, s Step) error {
	r.progressed, r.reached = time.Now(), 0
	for {
		err := r.send(ctx, s)
		if err == nil || !r.mayPass(err) {
			return err
		}
		r.note(s, interruption(err)+": waiting for the bootloader")
		if cause := newDoor(&r.connection, func(string) {}).enter(ctx, time.Until(r.progressed.Add(r.o.Wait))); cause != nil {
			return fmt.Errorf("%w; then %w", err, cause)
		}
		r.note(s, "the bootloader is back")
	}
}

// send uploads a target and finds it in the list.
func (r *recoverer) send(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	complete := false
	result, err := r.client.Image.Upload(ctx, t.File.Bytes(), smp.ImageUpload{
		Image: t.Image, Hash: t.Hash(), Recovery: true, Encrypted: t.File.Encrypted(),
		OnProgress: func(p smp.Progress) {
			complete = p.Done == p.Total
			r.reach(p.Done)
			r.emit(Event{Step: s, Phase: Progress, Upload: p})
		},
	})
	r.report.Upload = result
	if err != nil && !complete {
		return err // else it is only that the list is late, or without the image
	}
	r.device.Images = result.Images
	if err := r.listed(ctx, s); err != nil {
		return err
	}
	r.report.Result = Uploaded
	return nil
}

const (
	// listTime limits the wait for a list that shows the image: the bootloader may be decrypting it first.
	listTime = 2 * time.Minute
	// listTries is how often a list without the image is asked for again: old bootloaders may list nothing right after an
	// upload.
	listTries = 4
)

// listed looks for the target in the list, first in the one that the upload ended with.
func (r *recoverer) listed(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	ctx, cancel := context.WithTimeoutCause(ctx, listTime, smp.ErrNoReply)
	defer cancel()
	for tries := 0; ; {
		p, ok := t.find(r.device)
		if ok {
			r.places[s.Target] = p
			return nil
		}
		if tries == listTries || tries == 1 && t.loadsToRAM() {
			break
		}
		if err := sleep(ctx, lookPause); err != nil {
			return err
		}
		list, err := r.client.Image.List(ctx)
		switch {
		case errors.Is(err, smp.ErrNoReply) && ctx.Err() == nil: // it may still be decrypting
		case err != nil:
			return err
		default:
			r.device.Images = list
			tries++
		}
	}
	return r.unlisted(ctx, s, t)
}

// unlisted decides what it means that the list has no such hash.
func (r *recoverer) unlisted(ctx context.Context, s Step, t Target) error {
	firmware, err := r.client.Identify(ctx, r.device.Images) // the device may have restarted in the middle
	if err != nil {
		return err
	}
	p, ok := t.findVersion(r.device)
	switch {
	case firmware == smp.Application:
		return &BootloaderError{}
	case ok:
		r.note(s, "this bootloader lists no hashes: only the version could be compared")
	case t.loadsToRAM():
		// Such a bootloader checks and lists what it loaded at boot (MCUboot bootutil_priv.h: LOAD_IMAGE_DATA).
		r.note(s, "not listed; a bootloader that loads images to RAM lists what it loaded at boot, so only the reset shows")
		p, r.report.Listed = t.places(r.device)[0], false
	default:
		return r.notListed(t)
	}
	r.places[s.Target] = p
	return nil
}

func (r *recoverer) notListed(t Target) error {
	r.report.Listed = false
	return &NotRunningError{Reason: NotListed, Image: t.Image, Wanted: t.Hash()}
}

// loadsToRAM reports whether the image is for a bootloader that copies images to RAM and runs them there.
func (t Target) loadsToRAM() bool { return t.File.Header.Flags&image.FlagRAMLoad != 0 }

// reset leaves the bootloader and waits for the application.
func (r *recoverer) reset(ctx context.Context) error {
	r.progressed = time.Now()
	if r.options.NoVerify {
		err := r.leave(ctx)
		if err == nil {
			r.report.Result = Unverified
		}
		return err
	}
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	if err := r.leave(ctx); err != nil {
		return notBackOr(ctx, err, r.o.Wait)
	}
	r.report.Result = Unverified
	b := r.newBoot(0)
	b.silence, b.exits = quiet, 1
	if r.report.Listed {
		b.exits = 3 // it has an image to start, so only a long wait window is in the way
	}
	list, err := r.application(ctx, b)
	switch {
	case errors.Is(err, smp.ErrInBootloader), errors.Is(err, ErrNotBack) && b.inside:
		r.device.Images = list
		return r.stuck(ctx, b)
	case err != nil:
		r.farewell(ctx, b)
		return notBack(err, b.last, r.o.Wait)
	}
	r.device.Images, r.device.Firmware = list, smp.Application
	return nil
}

// stuck says why the device stays in its bootloader. One with an image that it accepts is told once more to leave it.
func (r *recoverer) stuck(ctx context.Context, b *boot) error {
	t := r.targets[0]
	r.report.Result = NotRunning
	if _, ok := t.find(r.device); !ok {
		return r.notListed(t)
	}
	return fmt.Errorf("%w%s", missing(Device{}, t, InBootloader), r.farewell(ctx, b))
}

// verify compares what runs with what was put into the primary slots.
func (r *recoverer) verify() error {
	var err error
	r.report.Result, err = recovered(r.device, r.targets, r.places)
	return err
}
