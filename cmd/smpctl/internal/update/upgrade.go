package update

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/boards"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type upgradeOptions struct {
	source      sourceOptions
	mode        app.Choice
	check       string
	checkTime   app.Seconds
	wait        app.WaitTime
	upgradeOnly bool
	force       bool
	dryRun      bool
	console     string
	boards      boards.Flags
}

func upgradeCommand(a *app.App) *cobra.Command {
	o := upgradeOptions{wait: app.WaitTime(dfu.DefaultWait), checkTime: app.Seconds(boards.ProgramTime)}
	cmd := &cobra.Command{
		Use:        "upgrade [file|build-folder]",
		Aliases:    []string{"flash", "update"},
		SuggestFor: []string{"burn", "program", "write", "dfu", "ota"},
		Short:      "Update the firmware: upload, test, reset, verify, confirm",
		Long: `Update the firmware. The file is checked, uploaded and marked for a test boot; the device is reset;
once it runs the new image and answers, the image is confirmed. If it does not come up, the
bootloader goes back to the old one, and the exit code is 7.

An update package (dfu_application.zip) brings all its images: they are uploaded and marked one by
one, and one reset starts them. Only image 0 can be tried; the others stay.

With a public key, of --key or of the connection profile, a file with another signature is refused
before the device hears of it. Without one only its hash is checked here, and the signature is left to the bootloader.

The file is a signed .bin or .hex, or an update package. Of a build folder of Zephyr it is what the build made for
this: its dfu_application.zip, or else the signed image of the application. Without a file it is that of
smpctl.toml, the project's defaults: in the current folder, or one above it in the same repository.

With --all every board that -p means is updated, at the same time; the file is checked once. No board
stops another one, and each fails with its own kind; exit code 8 says that not all passed. Lines
{"measure":{"name":"vbat","value":3.29,"min":3.2,"max":3.4,"unit":"V"}} that the commands of --before,
--check and --after print go into the records (--record), and one outside its limits fails the board.

An update that was interrupted at any point is taken up by the same command.`,
		Example: `  smpctl -p sim: upgrade app.signed.bin
  smpctl -p /dev/ttyACM0 upgrade app.signed.bin --check './selftest.sh'
  smpctl -p usb:2fe3:0004 upgrade build --mode test
  smpctl -p /dev/ttyACM0 upgrade dfu_application.zip --key app.pub.pem
  smpctl -p /dev/ttyACM0 upgrade app.signed.bin --console=/dev/ttyUSB1
  smpctl -p usb:2fe3:0004 upgrade app.signed.bin --all --expect 8 --record records`,
		Args: app.Takes(0, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return recorded(ctx, a, args, newFailedUpgrade, func(r *record) (app.Result, error) {
				job, err := newUpgradeJob(ctx, a, args, o, r)
				if err != nil {
					return nil, err
				}
				return job.run(ctx, a, r)
			})
		}),
	}
	o.register(cmd.Flags())
	return cmd
}

func (o *upgradeOptions) register(f *pflag.FlagSet) {
	o.mode = app.NewChoice(f, "mode", "", "how far to go: confirm-after (the default), test, permanent or upload-only",
		append([]string{""}, modeNames()...)...)
	o.source.register(f, "", "image to update (default 0, or all of the package)")
	f.StringVar(&o.check, "check", "",
		"run this `command` before the confirm; if it fails, a reset brings the old image back")
	f.Var(&o.checkTime, "check-time",
		"how long the check may take before it counts as failed, a day at most")
	f.Var(&o.wait, "wait",
		"how long to wait for the port, for the device to come back, and for any progress; 0: fail at once without a "+
			"port")
	f.BoolVar(&o.upgradeOnly, "upgrade-only", false, "update only to a newer version than the running one")
	f.BoolVar(&o.force, "force", false, "upload even what is there already")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be done, and do nothing")
	consoleFlag(f, &o.console)
	o.boards.Register(f)
}

// upgradeJob is all that an upgrade knows before a port is opened, the same for each board that gets it.
type upgradeJob struct {
	upgradeOptions
	checks []string
	mode   dfu.Mode
	file   source
}

// newUpgradeJob reads the file, once, and checks all that needs no device. What the file is, it notes.
func newUpgradeJob(ctx context.Context, a *app.App, args []string, o upgradeOptions, rec *record) (upgradeJob, error) {
	job := upgradeJob{upgradeOptions: o}
	err := checkOneConsole(o.console, o.boards)
	if err == nil && o.dryRun {
		err = o.boards.CheckDryRun()
	}
	if err != nil {
		return job, err
	}
	if job.mode, err = modeOf(a, o.mode.String()); err != nil {
		return job, err
	}
	if o.check != "" {
		job.checks = []string{o.check}
	}
	if err := boards.LookUp(ctx, "--check", job.checks...); err != nil {
		return job, err
	}
	job.file, err = rec.load(a, args, o.source)
	if err == nil {
		err = job.file.updatesBootloader()
	}
	return job, err
}

// run upgrades the boards that the flags mean.
func (j upgradeJob) run(ctx context.Context, a *app.App, rec *record) (app.Result, error) {
	a.Flags.Wait = j.wait
	j.boards.ProgramTime, j.boards.TimeOption = time.Duration(j.checkTime), "--check-time"
	return boards.Run(ctx, a, j.boards, j.work(a, rec))
}

// work is the upgrade of each board.
func (j upgradeJob) work(a *app.App, rec *record) boards.Work {
	return boards.Work{Name: "upgrade", Image: j.file.noted(), Whole: j.dryRun,
		Do: rec.each(a, newFailedUpgrade, j.upgrade)}
}

// upgrade brings the file onto the device that the flags of a mean.
func (j upgradeJob) upgrade(ctx context.Context, a *app.App, t *boards.Turn, rec *record) (app.Result, error) {
	d, err := rec.newDevice(a, j.wait)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	v := (&upgradeView{app: a, device: d}).begin()
	defer v.close()
	options := dfu.Options{
		Mode: j.mode, Force: j.force, UpgradeOnly: j.upgradeOnly, Wait: time.Duration(j.wait), OnEvent: v.event,
	}
	options.Check = j.checkWith(a, t, d, v)
	if j.dryRun {
		return dryRun(ctx, a, d, rec, j, options)
	}
	console, err := listen(ctx, a, d, j.console)
	if err != nil {
		return nil, err
	}
	defer console.close()
	v.console = console
	if err := d.Reach(ctx); err != nil {
		return nil, err
	}
	options.Starting = d.Arrived
	report, err := dfu.Run(ctx, d.Connect, j.file.targets, options)
	v.close()
	heard, err := console.explain(err)
	if err == nil && !took(report.Steps, dfu.Check) {
		j.warnUnchecked(a)
	}
	rec.tried(report)
	result := newUpgradeResult(report, *rec, heard)
	result.halted = v.failed
	return result, j.file.explainRejection(err, report.Warnings)
}

// checkWith has the user's checks of a device that runs the new image run, one after the other; nil without any.
func (j upgradeJob) checkWith(a *app.App, t *boards.Turn, d *device.Device,
	v *upgradeView) func(context.Context) error {
	if len(j.checks) == 0 {
		return nil
	}
	return func(ctx context.Context) error {
		for _, command := range j.checks {
			if err := t.Check(ctx, a, command, d.Name, time.Duration(j.checkTime)); err != nil {
				return err
			}
		}
		// What comes now can take a while, and fail.
		v.event(dfu.Event{Step: dfu.Step{Action: dfu.Check, Target: -1}, Phase: dfu.Note,
			Text: "the command passed: looking at the device"})
		return nil
	}
}

// warnUnchecked says that the check of the user has no part in an update: it stands before a confirm, or after a boot.
func (j upgradeJob) warnUnchecked(a *app.App) {
	if len(j.checks) > 0 {
		a.Warn("the --check command does not run: nothing is booted or confirmed")
	}
}

// took reports whether a step is among others.
func took(steps []dfu.Step, action dfu.Action) bool {
	return slices.ContainsFunc(steps, func(s dfu.Step) bool { return s.Action == action })
}

// upgradeResult is the result of upgrade.
type upgradeResult struct {
	Result  dfu.Result    `json:"result,omitempty"` // what came of it; absent if an error ended it before that was known
	From    *imageVersion `json:"from,omitempty"`   // what ran before; absent if the device does not say
	To      *imageVersion `json:"to,omitempty"`     // what the file holds
	Images  []imageChange `json:"images,omitempty"` // each image, of several
	Device  *board        `json:"device,omitempty"` // that was updated
	Steps   []stepEntry   `json:"steps"`            // what was done, in this order
	Seconds float64       `json:"seconds"`
	Link    *tuning       `json:"link,omitempty"` // what suited the device; absent if nothing was sent
	consoleResult
	record
	before smp.ImageList
	after  smp.ImageList
	sent   int    // bytes of the uploads
	halted string // step in which it failed
	runs   string // as last read, of the images that the update is for
	listed bool   // of recover: the bootloader listed the image
}

// stepEntry is a step of an update, done or planned.
type stepEntry struct {
	Step    dfu.Action `json:"step"`
	Image   *int       `json:"image,omitempty"`   // number of the image that it is for, of several
	Seconds *float64   `json:"seconds,omitempty"` // how long it took, in seconds; absent in a plan
}

// newSteps names steps, without times.
func newSteps(r dfu.Report, steps []dfu.Step) []stepEntry {
	list := make([]stepEntry, len(steps))
	for i, s := range steps {
		list[i].Step = s.Action
		if s.Target >= 0 && len(r.Images) > 1 {
			list[i].Image = &r.Images[s.Target].Image
		}
	}
	return list
}

func newUpgradeResult(r dfu.Report, rec record, heard consoleResult) upgradeResult {
	u := upgradeResult{
		Result: r.Result, Images: newImageChanges(r, rec.source), Device: rec.board(), Steps: newSteps(r, r.Steps),
		Seconds: r.Took.Seconds(), Link: newTuning(r.Upload.Tuning),
		consoleResult: heard, record: rec, before: r.Before, after: r.After, runs: runningNow(r), listed: r.Listed,
	}
	u.From, u.To = fromAndTo(r, rec.source)
	for i, s := range r.Steps {
		took := s.Took.Seconds()
		u.Steps[i].Seconds = &took
		if s.Action == dfu.Upload {
			u.sent += len(r.Images[s.Target].File.Bytes())
		}
	}
	u.sent = max(0, u.sent-r.Upload.ResumedFrom)
	return u
}

// newFailedUpgrade is the result of an update that ended before the device was asked anything.
func newFailedUpgrade(r record) app.Result {
	return newUpgradeResult(dfu.Report{Took: time.Since(r.Started)}, r, consoleResult{})
}

func (r upgradeResult) Text(w io.Writer) error {
	if r.Result == "" {
		return nil // the error says all
	}
	took := human.Span(time.Duration(r.Seconds * float64(time.Second)))
	from, to := versions(r.Images, r.From, fromVersion), versions(r.Images, r.To, toVersion)
	updated := fmt.Sprintf("updated %s -> %s in %s", from, to, took)
	if from == to {
		updated = to + " ran already"
	}
	switch r.Result {
	case dfu.AlreadyRunning:
		fmt.Fprintf(w, "%s runs already; %s\n", to, r.besides())
	case dfu.Uploaded:
		still := ""
		if r.runs == from {
			still = " still"
		}
		fmt.Fprintf(w, "uploaded %s in %s; %s%s runs\n", to, took, r.runs, still)
	case dfu.Reverted:
		fmt.Fprintf(w, "not updated: the device runs %s\n", r.runs)
	case dfu.NotRunning:
		fmt.Fprintf(w, "not updated: %s does not run\n", to)
	case dfu.RunningUnconfirmed:
		fmt.Fprintf(w, "%s, not confirmed: the next reset goes back\n", updated)
	case dfu.Unverified:
		if from != to && !r.did(dfu.Reset) {
			updated = fmt.Sprintf("uploaded %s in %s", to, took)
		}
		fmt.Fprintf(w, "%s, unverified: the device does not show all of what runs, or what will\n", updated)
	default:
		fmt.Fprintf(w, "%s, confirmed\n", updated)
	}
	return view.SlotTable(w, r.after)
}

// Verdict is how the first line of the text is meant.
func (r upgradeResult) Verdict() app.Mark {
	switch r.Result {
	case dfu.RunningUnconfirmed, dfu.Unverified:
		return app.Caution
	case dfu.Reverted, dfu.NotRunning:
		return app.Failed
	}
	return app.Done
}

// besides is what was done to a device that runs the image already.
func (r upgradeResult) besides() string {
	if r.did(dfu.Upload) {
		return "a copy was uploaded to the other slot, and nothing was booted"
	}
	if len(r.Steps) > 0 {
		return "nothing was booted"
	}
	return "nothing to do"
}

// did reports whether a step was taken.
func (r upgradeResult) did(step dfu.Action) bool {
	return slices.ContainsFunc(r.Steps, func(s stepEntry) bool { return s.Step == step })
}

// dryRunResult is the result of upgrade --dry-run.
type dryRunResult struct {
	DryRun bool          `json:"dry_run"`          // always true
	From   *imageVersion `json:"from,omitempty"`   // what runs; absent if the device does not say
	To     *imageVersion `json:"to,omitempty"`     // what the file holds
	Images []imageChange `json:"images,omitempty"` // each image, of several
	Device *board        `json:"device,omitempty"` // that would be updated
	Steps  []stepEntry   `json:"steps"`            // what would be done, in this order
	record
	plan []dfu.Step
}

func (r dryRunResult) Text(w io.Writer) error {
	from, to := versions(r.Images, r.From, fromVersion), versions(r.Images, r.To, toVersion)
	if len(r.plan) == 0 {
		_, err := fmt.Fprintf(w, "%s: nothing to do\n", to)
		return err
	}
	fmt.Fprintf(w, "%s -> %s would take:\n", from, to)
	for i, s := range r.plan {
		which := ""
		if len(r.Images) > 0 && s.Target >= 0 {
			which = fmt.Sprintf("image %d: ", r.Images[s.Target].Image)
		}
		if _, err := fmt.Fprintf(w, "%2d. %-14s %s%s\n", i+1, s.Action, which, stepText[s.Action]); err != nil {
			return err
		}
	}
	if !r.source.trusted {
		fmt.Fprintln(w, unchecked)
	}
	return nil
}

// stepText says what a step does.
var stepText = map[dfu.Action]string{
	dfu.Clear:         "erase the slot of another image, which the next boot would start",
	dfu.Upload:        "send the file, and find its hash in the device's list",
	dfu.MarkTest:      "have it booted once, at the next reset",
	dfu.MarkPermanent: "have it booted at the next reset, and kept",
	dfu.Reset:         "reboot the device, and wait for it",
	dfu.Verify:        "see that the new image is the one that runs",
	dfu.Check:         "run the check command",
	dfu.Confirm:       "make the running image permanent",
}

func dryRun(ctx context.Context, a *app.App, d *device.Device, rec *record, j upgradeJob,
	o dfu.Options) (app.Result, error) {
	c, err := d.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	report, err := dfu.DryRun(ctx, c, rec.source.targets, o)
	rec.tried(report)
	if err != nil {
		return nil, err
	}
	for _, text := range report.Warnings {
		a.Warn("%s", text)
	}
	if !took(report.Plan, dfu.Check) {
		j.warnUnchecked(a)
	}
	r := dryRunResult{DryRun: true, Images: newImageChanges(report, rec.source), Device: rec.board(),
		Steps: newSteps(report, report.Plan), record: *rec, plan: report.Plan}
	r.From, r.To = fromAndTo(report, rec.source)
	return r, nil
}
