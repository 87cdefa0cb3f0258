package dfu

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// verify judges what runs after the reset, before anything is made permanent.
func (r *runner) verify() error {
	for _, t := range r.targets {
		if standingOf(r.device, t) == handed {
			r.note(Step{Verify, allTargets}, fmt.Sprintf("image %d: the device does not list what runs there; it has taken the update out of its slot", t.Image))
		}
	}
	return r.judge("the old image runs again")
}

// judge is nil while every target runs, for good or on trial, as far as the device shows.
func (r *runner) judge(why string) error {
	result, err := outcome(r.before, r.device, r.targets, Test)
	if err != nil {
		r.report.Result = result
	}
	return r.trial(err, why)
}

// finish names the result, from a list that was read after the last step.
func (r *runner) finish(ctx context.Context, _ Step) error {
	if len(r.report.Plan) > 0 {
		if err := r.list(ctx); err != nil {
			return err
		}
	}
	if len(r.targets) == 0 {
		return nil
	}
	result, err := outcome(r.before, r.device, r.targets, r.o.Mode)
	r.report.Result = result
	if selected := (*NotRunningError)(nil); errors.As(err, &selected) && selected.Reason == OtherSelected {
		return &lostTrial{err: err, why: fmt.Sprintf("image %d: another one is selected for the next boot", selected.Image)}
	}
	return r.trial(err, "the device restarted by itself, and went back")
}

// running reports whether there are targets and all of them run, as far as the device shows.
func (r *runner) running(d Device) bool {
	return len(r.targets) > 0 && !slices.ContainsFunc(r.targets, func(t Target) bool {
		switch standingOf(d, t) {
		case stays, ends, runs, handed:
			return false
		}
		return true
	})
}
