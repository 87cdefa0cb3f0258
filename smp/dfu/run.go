package dfu

import (
	"context"
	"errors"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// Dial connects to the device: first to begin with, and again after each reset in which the connection ended. It
// returns an error at once when the device is not there (yet). What called for the client closes it.
type Dial func(context.Context) (*smp.Client, error)

// Options adjust an update. The zero value is a confirmed update without a check.
type Options struct {
	Mode        Mode
	Force       bool // upload even if the device has the image already
	UpgradeOnly bool // refuse a file that is not newer than the running image

	// Wait is the longest time that the update may go on without getting any further: after the reset, after its
	// connection ended, or on a line that loses what is sent. Uploads count every byte that the device accepts. All
	// repetitions of a test that was lost have twice as long together, besides what their uploads and checks take. 0
	// means [DefaultWait].
	Wait time.Duration

	// NoStart leaves a device that is in its bootloader there: Run then ends with [smp.ErrInBootloader]. Otherwise it
	// is started first. One that falls into its bootloader later may end with that error too; [Report.Found] tells.
	NoStart bool

	// Starting says that the device may have been powered up or reset a moment ago: its first answer is waited for as
	// long as one after a reset. Otherwise a device that has never answered is an error after the usual tries.
	Starting bool

	// Check is the caller's test of the running image, before it is confirmed; nil for none. It may block as long as
	// its context lives, and the connection is closed meanwhile. If it returns an error, a reset brings the old image
	// back as far as the mode allows, and the error of the update wraps it.
	Check func(context.Context) error

	OnEvent func(Event) // called on the caller's goroutine; must not block
}

// DefaultWait is what a device has to come back after a reset: swapping large slots takes a minute.
const DefaultWait = 2 * time.Minute

// Run brings the targets onto the device and returns once it runs them, as far as the mode says. An update that was
// interrupted, by whatever, is taken up by running it again. It blocks for as long as the device gets further, see
// [Options.Wait]. Its result is what the device showed last, and never more than that.
//
// The errors: *[UnfitError] for a file and *[StateError] for a device that cannot take the update, [ErrNotBack],
// *[NotRunningError], [smp.ErrInBootloader], and those of package smp.
func Run(ctx context.Context, dial Dial, targets []Target, o Options) (Report, error) {
	if len(targets) == 0 {
		return Report{}, errNoImage
	}
	r := newRunner(dial, targets, o)
	defer r.close()
	err := r.connect(ctx)
	if err == nil {
		err = r.open(ctx)
	}
	if err == nil {
		err = r.carryOut(ctx)
	}
	return r.summary(), err
}

// runner holds the state of one update.
type runner struct {
	session
	o         Options
	before    device                 // as the update found it, once its application ran
	makePlan  func() ([]Step, error) // what is left to do
	resetWith smp.ResetOptions       // of the reset that boots the targets

	answered  bool // the device has answered in this update
	inspected bool // it was read, and answered from its application
	resumed   bool // the present step was begun before, over a connection that ended
	targetRan bool // all targets were seen running

	probed        bool // it is known whether the application answers application probes
	ignoresProbes bool // it does not

	metBootloader bool          // the bootloader answered after a reset
	metAfter      time.Duration // from the reset until then, at most
	repeats       int           // of tests that were lost
}

func newRunner(dial Dial, targets []Target, o Options) *runner {
	r := &runner{session: newSession(dial, targets, o.Wait, o.OnEvent), o: o}
	r.makePlan = func() ([]Step, error) { return plan(r.device, r.targets, r.o) }
	return r
}

// carryOut takes the steps of the plan and judges what came of them. A test that was lost for no fault of the image is
// repeated, from where the device is then.
func (r *runner) carryOut(ctx context.Context) error {
	for {
		err := r.steps(ctx)
		if err == nil {
			err = r.resuming(ctx, Step{}, r.finish)
		}
		var lost *lostTest
		if !errors.As(err, &lost) {
			return err
		}
		if !r.mayRepeat() {
			return lost.err
		}
		if err := r.repeat(ctx, lost); err != nil {
			return err
		}
	}
}

// steps takes the steps of the plan.
func (r *runner) steps(ctx context.Context) error {
	if len(r.report.Plan) > 0 {
		_ = r.probe(ctx)
	}
	for _, s := range r.report.Plan {
		do := r.step
		if s.Action != Reset && s.Action != Check { // which wait by themselves
			do = func(ctx context.Context, s Step) error { return r.resuming(ctx, s, r.step) }
		}
		if err := r.take(ctx, s, do); err != nil {
			return err
		}
		r.progressed = time.Now()
	}
	return nil
}

// Limits for repeating a test that was lost. The first is for a device that answered from its bootloader, where nothing
// speaks against the image; else the image may be at fault, and one more try tells.
const (
	maxRepeats      = 2
	maxRepeatsBlind = 1
)

func (r *runner) mayRepeat() bool {
	if r.metBootloader {
		return r.repeats < maxRepeats
	}
	return r.repeats < maxRepeatsBlind
}

// repeat ends what is left of a test and plans again, from where the device is then.
func (r *runner) repeat(ctx context.Context, lost *lostTest) error {
	if r.repeats++; r.repeatsEnd.IsZero() {
		r.repeatsEnd = time.Now().Add(2 * r.wait)
	}
	r.targetRan, r.report.Result = false, ""
	r.note(Step{}, lost.why+": trying once more")
	if lost.runs {
		if err := r.restart(ctx, smp.ResetOptions{}); err != nil {
			return err
		}
	}
	if err := r.readBeforeReset(ctx); err != nil { // what the device lost may be more than what was noticed
		return err
	}
	return r.planTogether(ctx)
}
