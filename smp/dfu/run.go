package dfu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// Options adjust an update. The zero value is a confirmed update without a check.
type Options struct {
	Mode        Mode
	Force       bool // upload even if the device has the image already
	UpgradeOnly bool // refuse a file that is not newer than the running image

	// Wait is the longest time that the update may go on without getting any further: after the reset, after its connection ended, or
	// on a line that loses what is sent. Uploads count every byte that the device accepts. All trials that are begun again have twice as
	// long together. 0 means [DefaultWait].
	Wait time.Duration

	// NoStart leaves a device that is in its bootloader there: Run then ends with [smp.ErrInBootloader]. Otherwise it is started first.
	NoStart bool

	Check   func(context.Context) error // the caller's test of the running image, before it is confirmed; the connection is closed meanwhile
	OnEvent func(Event)                 // called on the caller's goroutine; must not block
}

// DefaultWait is what a device has to come back after a reset: swapping large slots takes a minute.
const DefaultWait = 2 * time.Minute

var errNoImage = errors.New("update: no image")

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

// Run brings the targets onto the device and returns once it runs them, as far as the mode says. The report is valid, as
// far as it goes, also with an error. Its result is what the device showed last, and never more than that.
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
	deaf       bool          // its application does not answer a hail
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

// bring carries the plan out and judges what came of it. A trial that was lost for no fault of the image is begun again, from where the
// device is then.
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

// begin makes the plan. A device that is in its bootloader is started first; one on which only some of the targets run, and only
// on trial, goes back first.
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

// greet makes contact: first in a way that keeps no bootloader from starting the application of a board that was plugged in a moment ago, and once more
// in that way when the usual requests were all sent into the silence of its start.
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

// bounded is ctx until the update has gone on for too long without getting any further. All trials that are begun again share two such times.
func (r *runner) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := r.progressed.Add(r.o.Wait)
	if !r.last.IsZero() && r.last.Before(limit) {
		limit = r.last
	}
	return context.WithDeadlineCause(ctx, limit, ErrNotBack)
}

// reach notes how far an upload has come: only what it never reached before is progress.
func (r *runner) reach(done int) {
	if done > r.reached {
		r.reached = done
		r.advance()
	}
}

// advance notes progress. The time since the last one was not spent waiting, so what begins again does not have less for it.
func (r *runner) advance() {
	now := time.Now()
	if !r.last.IsZero() {
		r.last = r.last.Add(now.Sub(r.progressed))
	}
	r.progressed = now
}

// persist takes a step, and takes it up again when the connection ends in the middle or the line loses too much: unplugged, reset, or
// renamed. An upload goes on at the device's offset, other steps find their work done.
func (r *runner) persist(ctx context.Context, s Step, do func(context.Context, Step) error) error {
	r.resumed, r.reached = false, 0
	for {
		err := r.blame(ctx, do(ctx, s))
		if err == nil || !r.mayPass(err) {
			return err
		}
		if err := r.regain(ctx, s, err); err != nil {
			return err
		}
		r.resumed = true
	}
}

// blame is [smp.ErrInBootloader] for a refusal that came from there: the device restarted in the middle of a step, and one of its requests has kept it
// from starting the application.
func (r *runner) blame(ctx context.Context, err error) error {
	var refused *smp.DeviceError
	if !r.opened || !errors.As(err, &refused) && !errors.Is(err, smp.ErrNotListed) {
		return err
	}
	if firmware, _, failed := r.client.Who(ctx); failed == nil && firmware == smp.SerialRecovery {
		return smp.ErrInBootloader
	}
	return err
}

// mayPass reports whether a step that ended with err may be taken up again. A device that has never answered is not waited for.
func (r *runner) mayPass(err error) bool {
	var stuck *inBootloaderError
	switch {
	case errors.Is(err, ErrNotBack), errors.As(err, &stuck):
		return false
	case errors.Is(err, smp.ErrClosed):
		return true
	case errors.Is(err, smp.ErrNoReply), errors.Is(err, smp.ErrStalled):
		return r.heard
	case errors.Is(err, smp.ErrInBootloader):
		return r.opened // it restarted in the middle, and something kept it there
	}
	return false
}

// regain waits until the application answers again after err, and says so.
func (r *runner) regain(ctx context.Context, s Step, err error) error {
	text := "no answer: waiting for the device"
	switch {
	case errors.Is(err, smp.ErrClosed):
		text = "the connection ended: waiting for the device"
	case errors.Is(err, smp.ErrInBootloader):
		text = "the device restarted into its bootloader: starting its application"
	}
	r.note(s, text)
	patience := shortPatience
	if s.Action == MarkTest || s.Action == MarkPermanent || s.Action == Reset {
		patience = r.o.Wait // it may start an image on trial
	}
	if cause := r.reconnect(ctx, patience); cause != nil {
		if errors.Is(cause, ErrNotBack) {
			return fmt.Errorf("%w; then %w", err, cause)
		}
		return cause
	}
	r.note(s, "the device is back")
	return nil
}

// shortPatience is how long a device may start, of which no trial can be lost, before it is asked who it is.
const shortPatience = 10 * time.Second

// reconnect waits for the application, over another connection if the present one has ended, and reads what it lists.
func (r *runner) reconnect(ctx context.Context, patience time.Duration) error {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	if r.client != nil {
		r.client.Forget()
	}
	b := r.newBoot(patience)
	if err := sleep(ctx, redialPause); err != nil {
		return notBack(err, nil, r.o.Wait)
	}
	return r.arrive(ctx, b)
}

func (r *runner) newBoot(patience time.Duration) *boot {
	b := &boot{asked: time.Now(), patience: patience, deaf: r.deaf, exits: 1, note: func(text string) { r.note(Step{}, text) }}
	if r.deaf {
		b.patience, b.exits = 0, 2 // it is easily asked too soon
	}
	return b
}

// arrive waits for the application of a device that starts, and notes what it lists.
func (r *runner) arrive(ctx context.Context, b *boot) error {
	list, err := r.application(ctx, b)
	r.met(b)
	if err != nil {
		return r.lost(ctx, b, err)
	}
	r.saw(list)
	r.listened = r.listened && !r.deaf // it may have been dark when it was asked whether it hears
	return nil
}

// met notes that the bootloader was met, and how long after the reset.
func (r *runner) met(b *boot) {
	r.caught = r.caught || b.caught
	r.slowest = max(r.slowest, b.took)
}

// saw notes what the application lists.
func (r *runner) saw(list smp.ImageList) {
	r.device.Images, r.device.Firmware = list, smp.Application
	r.ran = r.ran || r.running(r.device)
}

// lost names the reason why the wait for the application ended, and leaves no device in its bootloader.
func (r *runner) lost(ctx context.Context, b *boot, cause error) error {
	words := r.farewell(ctx, b)
	switch {
	case errors.Is(cause, smp.ErrInBootloader), errors.Is(cause, ErrNotBack) && b.inside:
		return &inBootloaderError{words}
	case errors.Is(cause, ErrNotBack):
		return notBack(cause, b.last, r.o.Wait)
	}
	return cause
}

// inBootloaderError says that a device did not leave its bootloader, and what was done about it.
type inBootloaderError struct{ then string }

func (e *inBootloaderError) Error() string {
	return "the device answers from its bootloader (MCUboot serial recovery) after every reset" + e.then
}

func (e *inBootloaderError) Is(target error) bool { return target == smp.ErrInBootloader }

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
