package dfu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// upload brings a target into its slot.
func (r *recoverer) upload(ctx context.Context, s Step) error {
	r.accepted = 0
	return r.persist(ctx, s, func() error { return r.send(ctx, s) })
}

// persist does something again when the connection ends in the middle, as it does when the power fails, as soon as the
// bootloader is back: without an application there is nothing else to come back.
func (r *recoverer) persist(ctx context.Context, s Step, do func() error) error {
	r.progressed = time.Now()
	for {
		err := do()
		if err == nil || !interrupted(err) {
			return err
		}
		r.note(s, interruption(err)+": waiting for the bootloader")
		e := newEntry(&r.session)
		e.quiet = true
		if cause := e.await(ctx, time.Until(r.progressed.Add(r.wait))); cause != nil {
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
		Image: t.Image, Hash: t.hash(), Recovery: true, Encrypted: t.File.Encrypted(),
		OnProgress: func(p smp.Progress) {
			complete = p.Done == p.Total
			r.uploaded(s, p)
		},
	})
	r.report.Upload = result
	if err != nil && !complete {
		return err // else it is only that the list is late, or without the image
	}
	r.device.Images = result.Images
	if err := r.awaitListed(ctx, s); err != nil {
		return err
	}
	r.report.Result = Uploaded
	return nil
}

const (
	// listTime limits the wait for a list that shows the image: the bootloader may be decrypting it first.
	listTime = 2 * time.Minute
	// listTries is how often a list without the image is asked for again: old bootloaders may list nothing right after
	// an upload.
	listTries = 4
)

// awaitListed looks for the target in the list, first in the one that the upload ended with.
func (r *recoverer) awaitListed(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	ctx, cancel := context.WithTimeoutCause(ctx, listTime, smp.ErrNoReply)
	defer cancel()
	for tries := 0; ; {
		at, ok := t.find(r.device)
		if ok {
			r.slots[s.Target] = at
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
	return r.judgeUnlisted(ctx, s, t)
}

// judgeUnlisted decides what it means that the list has no such hash.
func (r *recoverer) judgeUnlisted(ctx context.Context, s Step, t Target) error {
	firmware, err := r.client.Identify(ctx, r.device.Images) // the device may have restarted in the middle
	if err != nil {
		return err
	}
	at, ok := t.findVersion(r.device)
	switch {
	case firmware == smp.Application:
		return &BootloaderError{}
	case ok:
		r.note(s, "this bootloader lists no hashes: only the version could be compared")
	case t.loadsToRAM():
		// Such a bootloader checks and lists what it loaded at boot (MCUboot bootutil_priv.h: LOAD_IMAGE_DATA).
		r.note(s,
			"not listed; a bootloader that loads images to RAM lists what it loaded at boot, so only the reset shows")
		at, r.report.Listed = t.recoverySlots(r.device)[0], false
	default:
		return r.notListed(t)
	}
	r.slots[s.Target] = at
	return nil
}

// loadsToRAM reports whether the image is for a bootloader that copies images to RAM and runs them there.
func (t Target) loadsToRAM() bool { return t.File.Header.Flags&image.FlagRAMLoad != 0 }

func (r *recoverer) notListed(t Target) error {
	r.report.Listed = false
	return &NotRunningError{Reason: NotListed, Image: t.Image, Wanted: t.hash()}
}
