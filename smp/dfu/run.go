package dfu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// Options adjust an update. The zero value is a confirmed update without a check.
type Options struct {
	Mode        Mode
	Force       bool                        // upload even if the device has the image already
	UpgradeOnly bool                        // refuse a file that is not newer than the running image
	Wait        time.Duration               // for the device to come back after the reset; 0 means two minutes
	Check       func(context.Context) error // the caller's test of the running image, before it is confirmed; the connection is closed meanwhile
	OnEvent     func(Event)                 // called on the caller's goroutine; must not block
}

// DefaultWait is what a device has to come back after a reset: swapping large slots takes a minute.
const DefaultWait = 2 * time.Minute

// Result is the outcome of an update.
type Result string

// The results. An update that ends as Reverted is an error too.
const (
	Confirmed          Result = "confirmed"           // the new image runs and stays
	RunningUnconfirmed Result = "running-unconfirmed" // the new image runs until the next reset
	Uploaded           Result = "uploaded"            // the new image is in its slot
	AlreadyRunning     Result = "already-running"     // there was nothing to do
	Reverted           Result = "reverted"            // the old image runs
	Recovered          Result = "recovered"           // serial recovery took the new image, and the application runs it
	NotRunning         Result = "not-running"         // serial recovery took the new image, but the device does not run it
	Unverified         Result = "unverified"          // serial recovery took the new image and was left, but no application says what runs
)

// Version names an image by version and hash.
type Version struct {
	Version string
	Hash    smp.Hash
}

// Change is what an update means for one image.
type Change struct {
	Image    int
	File     *image.Image // that is for the device
	From, To Version      // From is empty if the device does not say
}

// Timing is how long a step took.
type Timing struct {
	Step    Action
	Seconds float64
}

// Report says what an update did.
type Report struct {
	Result   Result
	From     Version  // what ran before; of the first target's image number
	To       Version  // the first target
	Images   []Change // each target
	Plan     []Step
	Steps    []Timing         // that were done
	Upload   smp.UploadResult // the last one
	Listed   bool             // of [Recover]: the bootloader lists every target
	Warnings []string         // what may go wrong, and what is unusual, before the first step
	Before   smp.ImageList    // as the update found it
	After    smp.ImageList    // as last read
	Seconds  float64
}

// Dial connects to the device: first to begin with, and again after each reset in which the connection ended. It returns an error at
// once when the device is not there (yet).
type Dial func(context.Context) (*smp.Client, error)

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
// far as it goes, also with an error.
func Run(ctx context.Context, dial Dial, targets []Target, o Options) (Report, error) {
	if len(targets) == 0 {
		return Report{}, errNoImage
	}
	if o.Wait <= 0 {
		o.Wait = DefaultWait
	}
	r := &runner{connection: connection{dial: dial}, targets: targets, o: o}
	defer r.close()
	start := time.Now()
	err := r.run(ctx)
	r.report.After = r.device.Images
	r.report.Seconds = time.Since(start).Seconds()
	return r.report, err
}

// DryRun reads the device and makes the plan that [Run] would carry out.
func DryRun(ctx context.Context, c *smp.Client, targets []Target, o Options) (Report, error) {
	if len(targets) == 0 {
		return Report{}, errNoImage
	}
	r := &runner{connection: connection{client: c}, targets: targets, o: o}
	err := r.prepare(ctx)
	return r.report, err
}

var errNoImage = errors.New("update: no image")

// runner holds the state of one update.
type runner struct {
	connection
	targets []Target
	o       Options
	resumed bool   // the step was begun before, over a connection that ended
	reached int    // bytes of the step's upload that the device has accepted at most
	device  Device // as last read
	report  Report
}

func (r *runner) run(ctx context.Context) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	for _, s := range r.report.Plan {
		if err := r.take(ctx, s, r.persist); err != nil {
			return err
		}
	}
	return r.finish()
}

// begin makes the plan, over another connection if the first one ends meanwhile.
func (r *runner) begin(ctx context.Context) error {
	for reconnects := 0; ; reconnects++ {
		err := r.prepare(ctx)
		if !errors.Is(err, smp.ErrClosed) || reconnects == maxReconnects {
			return err
		}
		if err := r.regain(ctx, Step{}, err); err != nil {
			return err
		}
	}
}

// regain waits for the device after the connection ended with err, and says so.
func (r *runner) regain(ctx context.Context, s Step, err error) error {
	r.note(s, "the connection ended: waiting for the device")
	if cause := r.reconnect(ctx); cause != nil {
		return fmt.Errorf("%w; then %w", err, cause)
	}
	r.note(s, "the device is back")
	return nil
}

// take carries out one step, between the events of its beginning and its end.
func (r *runner) take(ctx context.Context, s Step, do func(context.Context, Step) error) error {
	begin := Event{Step: s, Phase: Begin}
	if len(r.report.Plan) > 0 && r.report.Plan[0] == s {
		begin.Report = &r.report
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

// prepare reads the device and makes the plan.
func (r *runner) prepare(ctx context.Context) error {
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
	r.report.Plan, err = Plan(r.device, r.targets, r.o)
	return err
}

// changes notes in the report what becomes of an image.
func (r *runner) changes(t Target, from *smp.ImageState) {
	c := Change{Image: t.Image, File: t.File, To: Version{t.File.Header.Version.String(), t.Hash()}}
	if from != nil {
		c.From = Version{Describe(*from), from.Hash}
	}
	if r.report.Images = append(r.report.Images, c); len(r.report.Images) == 1 {
		r.report.From, r.report.To = c.From, c.To
	}
}

// finish names the result, from the device's last word.
func (r *runner) finish() error {
	if len(r.report.Plan) == 0 && r.o.Mode != UploadOnly {
		r.report.Result = AlreadyRunning
	} else if r.o.Mode == UploadOnly {
		r.report.Result = Uploaded
	} else if r.stays() {
		r.report.Result = Confirmed
	} else {
		r.report.Result = RunningUnconfirmed
	}
	return nil
}

// stays reports whether every target runs and will run after the next reset.
func (r *runner) stays() bool {
	for _, t := range r.targets {
		p := positionOf(r.device, t)
		if r.device.taken(t) {
			continue
		}
		if !p.running || !p.confirmed && canRevert(r.device) {
			return false
		}
	}
	return true
}

// skipped is why a step turned out to have nothing to do: no error, but an end of its own.
type skipped string

func (s skipped) Error() string { return string(s) }

// maxReconnects bounds how often one step is taken up, without any progress, after the connection ended in it.
const maxReconnects = 10

// persist takes a step, and takes it up again when the connection ends in the middle: unplugged, reset, or renamed. Every step but the
// reset, which waits by itself, may be repeated: an upload goes on at the device's offset, the others find their work done.
func (r *runner) persist(ctx context.Context, s Step) error {
	r.resumed, r.reached = false, 0
	for reconnects, reached := 0, 0; ; reconnects++ {
		err := r.step(ctx, s)
		if r.reached > reached {
			reached, reconnects = r.reached, 0
		}
		if s.Action == Reset || s.Action == Check || !errors.Is(err, smp.ErrClosed) || reconnects == maxReconnects {
			return err
		}
		if err := r.regain(ctx, s, err); err != nil {
			return err
		}
		r.resumed = true
	}
}

func (r *runner) step(ctx context.Context, s Step) error {
	switch s.Action {
	case Upload:
		return r.upload(ctx, s)
	case MarkTest, MarkPermanent:
		return r.mark(ctx, s)
	case Reset:
		if r.running(r.device) { // another reset would return to the old image
			return skipped("the device restarted by itself and runs the new image")
		}
		if err := r.halfway(); err != nil {
			return err
		}
		return r.reset(ctx)
	case Verify:
		return r.verify()
	case Check:
		return r.check(ctx, s)
	case Confirm:
		return r.confirm(ctx, s)
	}
	panic("dfu: unknown action " + string(s.Action))
}

// halfway refuses a reset that would undo a trial: the device restarted by itself after only some of the images were marked.
func (r *runner) halfway() error {
	for _, t := range r.targets {
		if p := positionOf(r.device, t); p.running && !p.confirmed && canRevert(r.device) {
			return &StateError{t.Image, onTrial}
		}
	}
	return nil
}

// onTrial is why a reset has to wait.
const onTrial = "it runs on trial already, and the reset that the other images need would bring the old one back: reset, and begin again"

// brought is the number of bytes that an upload step brought over.
func (r *runner) brought(s Step) int {
	if s.Action != Upload {
		return 0
	}
	return len(r.targets[s.Target].File.Bytes()) - r.report.Upload.ResumedFrom
}

// upload sends a target. The list comes first when it is taken up: a first chunk would make Zephyr erase a complete image.
func (r *runner) upload(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	if r.resumed && positionOf(r.device, t).listed {
		return nil
	}
	result, err := r.client.Image.Upload(ctx, t.File.Bytes(), smp.ImageUpload{
		Image: t.number(r.device), UpgradeOnly: r.o.UpgradeOnly, Hash: t.Hash(),
		OnProgress: func(p smp.Progress) {
			r.reached = max(r.reached, p.Done)
			r.emit(Event{Step: s, Phase: Progress, Upload: p})
		},
	})
	if before := r.report.Upload; r.resumed { // what an earlier process had sent is what counts as resumed
		result.ResumedFrom, result.AlreadyPresent = before.ResumedFrom, false
		result.Resent += before.Resent
	}
	r.report.Upload = result
	if err != nil {
		return err
	}
	r.device.Images = result.Images
	if !positionOf(r.device, t).listed { // of an image that runs already, its running slot proves nothing
		return fmt.Errorf("upload: %w", smp.ErrNotListed)
	}
	return nil
}

// mark selects the target for the next boot. A device without the command starts the newest image anyway; one that
// has it selected already, or restarted into it before it could answer, refuses, which is as good.
func (r *runner) mark(ctx context.Context, s Step) error {
	h := r.targets[s.Target].Hash()
	var list smp.ImageList
	var err error
	if s.Action == MarkPermanent {
		list, err = r.client.Image.Confirm(ctx, h)
	} else {
		list, err = r.client.Image.Test(ctx, h)
	}
	if smp.IsUnsupported(err) {
		return skipped("the device cannot mark images: its bootloader decides by version")
	}
	if err != nil {
		refused := err
		if list, err = r.client.Image.List(ctx); err != nil {
			return refused
		}
		r.device.Images = list
		if p := positionOf(r.device, r.targets[s.Target]); !p.pending && !p.running {
			return refused
		}
		return nil
	}
	r.device.Images = list
	return nil
}

// confirm makes the running target permanent and looks whether it is.
func (r *runner) confirm(ctx context.Context, s Step) error {
	t := r.targets[s.Target]
	if positionOf(r.device, t).confirmed {
		return nil
	}
	var which smp.Hash // none: the running image
	if t.Image > 0 {
		which = t.Hash()
	}
	if _, err := r.client.Image.Confirm(ctx, which); smp.IsUnsupported(err) {
		r.device.Bootloader.Mode = smp.ModeDirectXIP
		return skipped("the device cannot confirm images: its bootloader decides by version")
	} else if err != nil {
		return err
	}
	list, err := r.client.Image.List(ctx)
	if err != nil {
		return err
	}
	r.device.Images = list
	if p := positionOf(r.device, t); !p.running || !p.confirmed {
		return fmt.Errorf("confirm: %w", &NotRunningError{Reason: NotConfirmed, Image: t.Image, Wanted: t.Hash()})
	}
	return nil
}

func (r *runner) emit(e Event) {
	if r.o.OnEvent != nil {
		r.o.OnEvent(e)
	}
}

func (r *runner) note(s Step, text string) { r.emit(Event{Step: s, Phase: Note, Text: text}) }
