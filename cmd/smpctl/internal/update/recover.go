package update

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/boards"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/cobra"
)

type recoverOptions struct {
	source   sourceOptions
	enter    bool
	wait     app.WaitTime
	force    bool
	noReset  bool
	noVerify bool
	console  string
	boards   boards.Flags
}

func recoverCommand(a *app.App) *cobra.Command {
	o := recoverOptions{wait: app.WaitTime(dfu.DefaultWait)}
	cmd := &cobra.Command{
		Use:        "recover [file|build-folder]",
		SuggestFor: []string{"rescue", "unbrick"},
		Short:      "Upload through MCUboot's serial recovery",
		Long: `Upload an image through MCUboot's serial recovery: wait for the bootloader, upload, see that the
bootloader lists the image, reset, and see that the application runs it.

The upload overwrites the slot that the device runs from. There is no test and no way back; upgrade
is the better command while the application works.

The bootloader is found if it answers already: on a board without an application, or with its
recovery button held at the reset. With --enter the application is asked to reboot into it.
Otherwise reset or power up the board while the command waits: many bootloaders listen for half a
second before they start the application.

The number of --image is what the upload names: the image whose primary slot is written or, with a
bootloader that was built for direct upload, a slot: 1 and 2 are the slots of image 0, 3 and 4 those
of image 1. An update package (dfu_application.zip) needs none: each of its images goes into its
primary slot; --image then is the one image to take.`,
		Example: `  smpctl -p /dev/ttyACM0 recover app.signed.bin
  smpctl -p usb:2fe3:0004 recover app.signed.bin --enter --key app.pub.pem
  smpctl -p /dev/ttyACM0 recover dfu_application.zip
  smpctl -p 'usb:location=1-1.*' recover app.signed.bin --all`,
		Args: app.Takes(0, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return recorded(ctx, a, args, newFailedUpgrade, func(r *record) (app.Result, error) {
				job, err := newRecoverJob(a, args, o, r)
				if err != nil {
					return nil, err
				}
				a.Flags.Wait = o.wait
				return boards.Run(ctx, a, o.boards, boards.Work{
					Name: "recover", Image: job.file.noted(), Do: r.each(a, newFailedUpgrade, job.recover)})
			})
		}),
	}
	f := cmd.Flags()
	f.BoolVar(&o.enter, "enter", false, "first ask the application to reboot into its bootloader")
	o.source.register(f, "",
		"image to upload, or slot with direct upload (default 0, or what the package says)")
	f.Var(&o.wait, "wait",
		"how long to wait for the port, for the bootloader to answer, and for the application to come "+
			"back; 0: fail at once if the port is missing")
	f.BoolVar(&o.force, "force", false, "upload even what the bootloader lists already")
	f.BoolVar(&o.noReset, "no-reset", false, "leave the device in its bootloader")
	f.BoolVar(&o.noVerify, "no-verify", false, "do not wait for the application, which has no SMP")
	consoleFlag(f, &o.console)
	o.boards.Register(f)
	app.Exclude(cmd, "no-reset", "no-verify")
	return cmd
}

// recoverJob is all that recover knows before a port is opened, the same for each board that gets it.
type recoverJob struct {
	recoverOptions
	file source
}

// newRecoverJob reads the file, once, and checks it. What it is, it notes.
func newRecoverJob(a *app.App, args []string, o recoverOptions, rec *record) (recoverJob, error) {
	if err := checkOneConsole(o.console, o.boards); err != nil {
		return recoverJob{}, err
	}
	src, err := rec.load(a, args, o.source)
	if err == nil {
		err = src.updatesBootloader()
	}
	return recoverJob{o, src}, err
}

// recover brings the file onto the device that the flags of a mean, in its bootloader.
func (j recoverJob) recover(ctx context.Context, a *app.App, _ *boards.Turn, rec *record) (app.Result, error) {
	d, err := rec.newDevice(a, j.wait)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	console, err := listen(ctx, a, d, j.console)
	if err != nil {
		return nil, err
	}
	defer console.close()
	v := (&upgradeView{app: a, device: d, recovery: true, unwatched: j.noVerify, console: console}).begin()
	defer v.close()
	if err := d.Reach(ctx); err != nil {
		return nil, err
	}
	report, err := dfu.Recover(ctx, d.Connect, j.file.targets, dfu.RecoverOptions{
		ByImage: j.file.packaged, Enter: j.enter, Force: j.force, NoReset: j.noReset, NoVerify: j.noVerify,
		Wait: time.Duration(j.wait), OnEvent: v.event,
	})
	v.close()
	heard, err := console.explain(err)
	var refused *smp.DeviceError
	var state *dfu.StateError
	var away *transport.OpenError
	switch {
	case j.file.packaged && errors.As(err, &state):
		err = failure.WithHint(err,
			"take the images out with smpctl package extract, and send each with its own --image")
	case errors.As(err, &refused) && refused.Global && refused.Code == refusedArgument:
		err = failure.WithHint(err, "the bootloader knows no such image number, or the file is larger than the slot")
	case errors.Is(err, dfu.ErrNotBack) && report.Result == dfu.Unverified && !errors.As(err, &away):
		err = failure.WithHint(err, "an application without SMP does not answer; with --no-verify nobody waits for it")
	}
	rec.tried(report)
	result := newUpgradeResult(report, *rec, heard)
	result.halted = v.failed
	return recoverResult{result}, err
}

// refusedArgument is how MCUboot refuses an upload, whatever the reason.
const refusedArgument = 3

// recoverResult is the result of recover.
type recoverResult struct{ upgradeResult }

func (r recoverResult) Text(w io.Writer) error {
	if r.Result == "" {
		return nil // the error says all
	}
	took := human.Span(time.Duration(r.Seconds * float64(time.Second)))
	to := versions(r.Images, r.To, toVersion)
	listed := "took"
	if r.listed {
		listed = "listed"
	}
	switch r.Result {
	case dfu.Recovered:
		fmt.Fprintf(w, "recovered in %s: the application runs %s\n", took, to)
	case dfu.Unverified:
		fmt.Fprintf(w, "uploaded %s in %s: the bootloader %s it and was reset, and nothing says what runs since\n",
			to, took, listed)
	case dfu.NotRunning:
		fmt.Fprintf(w, "not recovered: %s is uploaded, but does not run\n", to)
	default:
		fmt.Fprintf(w, "uploaded %s in %s: the bootloader %s it\n", to, took, listed)
	}
	return view.SlotTable(w, r.after)
}

// uploadInBootloader is image upload to a device in its bootloader: as mcumgr-cli does it, but with a word about what
// it means.
func uploadInBootloader(ctx context.Context, a *app.App, v *upgradeView, src source, o uploadOptions) (dfu.Report,
	error) {
	if o.upgrade {
		return dfu.Report{}, &dfu.StateError{Image: src.targets[0].Image,
			Problem: "the device is in its bootloader, which compares no versions"}
	}
	a.Warn("the device is in its bootloader: the upload overwrites the slot that it runs from, without a test and " +
		"without a way back")
	return dfu.Recover(ctx, v.device.Connect, src.targets, dfu.RecoverOptions{
		ByImage: src.packaged, Force: true, NoReset: true, Wait: time.Duration(o.wait), OnEvent: v.event,
	})
}
