package dfu

import (
	"context"
	"errors"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// probeTime is how long an application has to show whether it answers application probes.
const probeTime = time.Second

// probe finds out whether the application answers application probes, unless that is known.
func (r *runner) probe(ctx context.Context) error {
	if r.probed {
		return nil
	}
	r.probed = true
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	err := r.client.AwaitApplication(ctx, probeInterval)
	if errors.Is(err, smp.ErrClosed) {
		r.probed = false // that was the link
		return err
	}
	r.ignoresProbes, r.answered = err != nil, r.answered || err == nil
	return err
}

// silence is how long nothing is sent after a reset. An application that answers probes needs no more than the moment
// of the reset; another one needs the time of a fast swap, and more once its bootloader answered too early.
func (r *runner) silence() time.Duration {
	if !r.ignoresProbes {
		return resetSilence
	}
	s := resetSilence + r.swapTime()
	if r.metBootloader {
		s = max(s, 2*r.metAfter+leaveMargin)
	}
	return min(s, r.wait/2)
}

// fastSwap is the rate at which a fast bootloader moves images, in bytes per second: no silence should outlast it by
// much.
const fastSwap = 128 << 10

// swapTime is how long a fast bootloader takes to move the targets.
func (r *runner) swapTime() time.Duration {
	n := 0
	for _, t := range r.targets {
		if t.File != nil {
			n += len(t.File.Bytes())
		}
	}
	return time.Duration(n) * time.Second / fastSwap
}

// read reads what the application lists; [smp.ErrInBootloader] if its bootloader answers.
func (r *runner) read(ctx context.Context) error {
	firmware, list, err := r.client.Who(ctx)
	if err != nil {
		return err
	}
	return r.noteListOf(firmware, list)
}

// accept takes a list for the application's, unless its bootloader has given it: a device may have restarted in the
// middle.
func (r *runner) accept(ctx context.Context, list smp.ImageList) error {
	firmware, err := r.client.Identify(ctx, list)
	if err != nil {
		return err
	}
	return r.noteListOf(firmware, list)
}

func (r *runner) noteListOf(firmware smp.Firmware, list smp.ImageList) error {
	if firmware == smp.SerialRecovery {
		return smp.ErrInBootloader
	}
	r.noteList(list)
	return nil
}

// noteList notes what the application lists.
func (r *runner) noteList(list smp.ImageList) {
	r.device.Images, r.device.Firmware = list, smp.Application
	r.targetRan = r.targetRan || allRun(r.device, r.targets)
}
