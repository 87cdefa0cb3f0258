package update

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp/dfu"
)

// upgradeView shows the events of an update.
type upgradeView struct {
	app    *app.App
	device *device.Device
	plain  bool // of image upload: nothing but the upload itself is news

	console *console // nil if nobody listens

	recovery  bool        // of a device in its bootloader
	unwatched bool        // nobody waits for the application after the reset
	report    *dfu.Report // as far as it goes, from the first step on
	failed    string      // step that failed last

	bar    *app.Progress // of an upload that moves
	doing  *app.Waiting  // what any other step does
	answer *app.Waiting  // between steps
}

// begin shows that the device is asked, until close.
func (v *upgradeView) begin() *upgradeView {
	v.answer = v.app.WaitAnswer(v.device.Called())
	return v
}

func (v *upgradeView) event(e dfu.Event) {
	if e.Report != nil {
		v.report = e.Report
		v.opening()
	}
	step := cmp.Or(e.Step.Action, "device") // before the plan
	image, which := v.which(e.Step)
	switch e.Phase {
	case dfu.Begin:
		v.app.BeginUpdate()
		v.enter(step)
	case dfu.Progress:
		if v.bar == nil {
			v.bar = v.app.Progress(string(step), takingUp)
		}
		v.bar.Update(e.Upload)
		return
	case dfu.Note:
		v.app.Step(app.Plain, string(step), "%s%s", which, e.Text)
		v.closeBar()
		if step == dfu.Check && v.app.News.Live() { // the command has ended
			v.doing.Stop()
			v.doing = v.app.Doing(string(step), "%s", doingText[dfu.Reset])
		}
	case dfu.Skipped:
		v.leave()
		v.app.Step(app.Plain, string(step), "%s%s", which, e.Text)
	case dfu.Done:
		v.leave()
		v.log(step)
		if v.plain {
			return
		}
		v.app.Step(app.Done, string(step), "%s%s", which, v.done(e))
	case dfu.Failed:
		v.failed = string(step)
		v.leave()
		if !errors.Is(e.Err, context.Canceled) {
			v.app.Step(app.Failed, string(step), "%s%s", which, failedText(e.Step.Took))
		}
	}
	v.app.Event(app.StepEvent{Event: "step", Step: string(step), Phase: e.Phase, Seconds: e.Step.Took.Seconds(),
		Text: e.Text, Image: image})
}

// log says what suited the device.
func (v *upgradeView) log(step dfu.Action) {
	if step == dfu.Upload && v.report != nil {
		s := v.report.Upload.Tuning
		v.app.Log.Info("uploaded", "in_flight", s.InFlight, "packet_limit", s.PacketLimit, "line_gap", s.LineGap,
			"round_trip", s.RoundTrip.Round(100*time.Microsecond), "lost", s.Lost)
	}
}

// What an upload does while nothing moves.
const (
	firstChunk = "the first chunk, for which the device may erase the slot"
	takingUp   = "taking it up"
)

// doingText says what a step does while it takes its time.
var doingText = map[dfu.Action]string{
	dfu.Enter:         "waiting for the bootloader",
	dfu.Clear:         "erasing the slot of the other image",
	dfu.MarkTest:      "marking the image to boot once",
	dfu.MarkPermanent: "marking the image to boot and stay",
	dfu.Reset:         "waiting for the device",
	dfu.Verify:        "looking at what runs",
	dfu.Check:         "running the check command",
	dfu.Confirm:       "confirming the image",
}

// enter begins a step.
func (v *upgradeView) enter(step dfu.Action) {
	v.leave()
	switch step {
	case dfu.Upload:
		v.bar = v.app.Progress(string(step), firstChunk)
		return
	case dfu.Enter:
		v.device.Await(device.AnyIdentity)
	case dfu.Reset:
		if v.recovery {
			v.device.Await(device.OtherIdentity)
		}
		if v.console != nil {
			v.console.forget()
		}
	}
	v.doing = v.app.Doing(string(step), "%s", doingText[step])
	if step == dfu.Reset && !v.unwatched || step == dfu.Enter || step == dfu.Check {
		v.doing.Now() // this takes a while
	}
}

// opening says what is there and what will happen.
func (v *upgradeView) opening() {
	for _, text := range v.report.Warnings {
		v.app.Warn("%s", text)
	}
	if v.plain {
		return
	}
	r, from := v.report, "running"
	if v.recovery {
		from = "in slot"
	}
	v.app.Step(app.Plain, "device", "%s", v.device.Name)
	images := newImageChanges(*r, source{})
	old, new := fromAndTo(*r, source{})
	v.app.Step(app.Plain, from, "%s", versions(images, old, fromVersion))
	v.app.Step(app.Plain, "new", "%s", versions(images, new, toVersion))
	if !v.app.Flags.Quiet && !v.app.Flags.JSON && !v.app.Brief() {
		_ = view.SlotTable(v.app.Err, r.Before)
	}
	switch {
	case !v.recovery:
	case len(r.Plan) > 0 && r.Plan[0].Action == dfu.Upload:
		v.app.Step(app.Plain, string(dfu.Upload), "overwrites the slot: no test, no way back")
	default:
		v.app.Step(app.Plain, string(dfu.Upload), "not needed: the bootloader lists the image already")
	}
}

func (v *upgradeView) done(e dfu.Event) string {
	took := human.Span(e.Step.Took)
	switch e.Step.Action {
	case dfu.Upload:
		n := len(v.report.Images[e.Step.Target].File.Bytes()) - v.report.Upload.ResumedFrom
		listed := ", listed by the device"
		if v.recovery && !v.report.Listed {
			listed = ""
		}
		return fmt.Sprintf("%s in %s (%s)%s%s", human.Size(n), took, human.Rate(n, e.Step.Took), listed,
			losses(v.report.Upload.Tuning.Lost))
	case dfu.Enter:
		return "the bootloader answers"
	case dfu.Clear:
		return "the slot of the other image is erased"
	case dfu.MarkTest:
		return "marked to boot once"
	case dfu.MarkPermanent:
		return "marked to boot and stay"
	case dfu.Reset:
		if v.unwatched {
			return "sent; nobody waits for the application"
		}
		return "the device is back after " + took
	case dfu.Verify:
		return "the new image runs"
	case dfu.Check:
		return "passed in " + took
	case dfu.Confirm:
		return "confirmed"
	}
	return took
}

// failedText says how long a step took that failed; one that only looks takes no time.
func failedText(took time.Duration) string {
	if took < 10*time.Millisecond {
		return "failed"
	}
	return "failed after " + human.Span(took)
}

// leave ends a step. What comes then is a question, or the next step.
func (v *upgradeView) leave() {
	v.closeBar()
	v.doing.Stop()
	v.doing = nil
	if v.app.News.Live() {
		v.answer.Stop()
		v.begin()
	}
}

func (v *upgradeView) closeBar() {
	if v.bar != nil {
		v.bar.Close()
		v.bar = nil
	}
}

// close ends the display.
func (v *upgradeView) close() {
	v.leave()
	v.answer.Stop()
}
