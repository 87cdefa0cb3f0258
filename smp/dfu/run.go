package dfu

import (
	"context"
	"errors"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// Options adjust an update. The zero value is a confirmed update without a check.
type Options struct {
	Mode        Mode
	Force       bool // upload even if the device has the image already
	UpgradeOnly bool // refuse a file that is not newer than the running image

	// Wait is the longest time that the update may go on without getting any further: after the reset, after its
	// connection ended, or on a line that loses what is sent. Uploads count every byte that the device accepts. All
	// trials that are begun again have twice as long together, besides what their uploads and checks take. 0 means
	// [DefaultWait].
	Wait time.Duration

	// NoStart leaves a device that is in its bootloader there: Run then ends with [smp.ErrInBootloader]. Otherwise it is
	// started first. One that falls into its bootloader later may end with that error too; [Report.Found] tells.
	NoStart bool

	Check   func(context.Context) error // the caller's test of the running image, before it is confirmed; the connection is closed meanwhile
	OnEvent func(Event)                 // called on the caller's goroutine; must not block
}

// DefaultWait is what a device has to come back after a reset: swapping large slots takes a minute.
const DefaultWait = 2 * time.Minute

var errNoImage = errors.New("update: no image")

// Run brings the targets onto the device and returns once it runs them, as far as the mode says. The report is valid,
// as far as it goes, also with an error. Its result is what the device showed last, and never more than that.
func Run(ctx context.Context, dial Dial, targets []Target, o Options) (Report, error) {
	if len(targets) == 0 {
		return Report{}, errNoImage
	}
	r := newRunner(dial, targets, o)
	defer r.close()
	err := r.run(ctx)
	return r.summary(), err
}

// DryRun reads the device and makes the plan that [Run] would carry out.
func DryRun(ctx context.Context, c *smp.Client, targets []Target, o Options) (Report, error) {
	if len(targets) == 0 {
		return Report{}, errNoImage
	}
	r := newRunner(nil, targets, o)
	r.client = c
	err := r.prepare(ctx)
	return r.report, err
}

// runner holds the state of one update.
type runner struct {
	connection
	targets []Target
	o       Options
	device  Device // as last read
	before  Device // as the update found it, once its application runs
	replan  func() ([]Step, error)

	announced bool             // the plan was shown
	how       smp.ResetOptions // of the reset that boots the targets
	report    Report

	began      time.Time
	progressed time.Time     // when the update got further last
	heard      bool          // the device has answered in this update
	opened     bool          // it was read, and answered from its application
	deaf       bool          // its application does not answer an application probe
	listened   bool          // it was asked
	resumed    bool          // the step was begun before, over a connection that ended
	reached    int           // bytes of the step's upload that the device has accepted at most
	ran        bool          // all targets were seen running
	caught     bool          // the bootloader was met after a reset
	slowest    time.Duration // after a reset, until then
	last       time.Time     // when all that begins again must be over; zero before a trial was lost
	repeats    int           // trials that were lost and begun again
}

func newRunner(dial Dial, targets []Target, o Options) *runner {
	if o.Wait <= 0 {
		o.Wait = DefaultWait
	}
	now := time.Now()
	r := &runner{connection: connection{dial: dial}, targets: targets, o: o, began: now, progressed: now}
	r.replan = func() ([]Step, error) { return Plan(r.device, r.targets, r.o) }
	return r
}

// summary is the report, with how the device was last read.
func (r *runner) summary() Report {
	r.report.After = r.device.Images
	r.report.Seconds = time.Since(r.began).Seconds()
	for i, c := range r.report.Images {
		r.report.Images[i].Now = versionOf(r.device.running(c.Image))
	}
	return r.report
}

func (r *runner) run(ctx context.Context) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	return r.bring(ctx)
}

// bring carries the plan out and judges what came of it. A trial that was lost for no fault of the image is begun
// again, from where the device is then.
func (r *runner) bring(ctx context.Context) error {
	for {
		err := r.carryOut(ctx)
		if err == nil {
			err = r.persist(ctx, Step{}, r.finish)
		}
		var lost *lostTrial
		if !errors.As(err, &lost) {
			return err
		}
		if !r.mayRepeat(lost) {
			return lost.err
		}
		if err := r.beginAgain(ctx, lost); err != nil {
			return err
		}
	}
}

// carryOut takes the steps of the plan.
func (r *runner) carryOut(ctx context.Context) error {
	if len(r.report.Plan) > 0 {
		_ = r.listen(ctx)
	}
	for _, s := range r.report.Plan {
		do := r.step
		if s.Action != Reset && s.Action != Check { // which wait by themselves
			do = func(ctx context.Context, s Step) error { return r.persist(ctx, s, r.step) }
		}
		if err := r.take(ctx, s, do); err != nil {
			return err
		}
		r.progressed = time.Now()
	}
	return nil
}

// take carries out one step, between the events of its beginning and its end.
func (r *runner) take(ctx context.Context, s Step, do func(context.Context, Step) error) error {
	begin := Event{Step: s, Phase: Begin}
	if len(r.report.Plan) > 0 && r.report.Plan[0] == s && !r.announced {
		begin.Report, r.announced = &r.report, true
	}
	r.emit(begin)
	start := time.Now()
	err := do(ctx, s)
	seconds := time.Since(start).Seconds()
	var skip skipped
	switch {
	case errors.As(err, &skip):
		r.emit(Event{Step: s, Phase: Skipped, Seconds: seconds, Text: string(skip)})
		return nil
	case err != nil:
		r.emit(Event{Step: s, Phase: Failed, Seconds: seconds, Err: err})
		return err
	}
	r.report.Steps = append(r.report.Steps, Timing{s.Action, seconds})
	r.emit(Event{Step: s, Phase: Done, Seconds: seconds, Sent: r.brought(s)})
	return nil
}

// skipped is why a step turned out to have nothing to do: no error, but an end of its own.
type skipped string

func (s skipped) Error() string { return string(s) }

func (r *runner) emit(e Event) {
	if r.o.OnEvent != nil {
		r.o.OnEvent(e)
	}
}

func (r *runner) note(s Step, text string) { r.emit(Event{Step: s, Phase: Note, Text: text}) }
