package update

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/spf13/cobra"
)

type uploadOptions struct {
	source  sourceOptions
	upgrade bool
	noErase bool
	window  int
	wait    app.WaitTime
}

func imageUploadCommand(a *app.App) *cobra.Command {
	o := uploadOptions{wait: app.WaitTime(dfu.DefaultWait)}
	cmd := &cobra.Command{
		Use:   "upload [file|build-folder]",
		Short: "Upload an image to the device",
		Long: `Upload an image to the slot that is not running. Done means that the device lists the image's hash
afterwards.

An upload that was interrupted is taken up where the device stopped; an image that is already in the
slot is not sent again.

Of an update package (dfu_application.zip) with several images, --image says which one; of files for
several slots, the device.`,
		Example: "  smpctl -p sim: image upload app.signed.bin\n" +
			"  smpctl image upload dfu_application.zip --image 1 --key app.pub.pem",
		Args: app.Takes(0, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return recorded(ctx, a, args, newFailedUpload,
				func(r *record) (app.Result, error) { return upload(ctx, a, args, o, r) })
		}),
	}
	f := cmd.Flags()
	o.source.register(f, "n", "image to upload (default 0, or what the package says)")
	f.BoolVarP(&o.upgrade, "upgrade", "u", false, "upload only a newer version than the running one")
	f.BoolVarP(&o.noErase, "noerase", "e", false,
		"for mcumgr-cli's scripts: changes nothing here")
	f.Var(&o.wait, "wait",
		"how long to wait for the port, and for a device that stays away; 0: fail at once without a port")
	app.IntVar(f, &o.window, "maxwinsize", "w", 0, app.MaxWindow, "the same as --window")
	return cmd
}

// uploadResult is the result of image upload.
type uploadResult struct {
	Image          int      `json:"image"`
	Bytes          int      `json:"bytes"` // of the image that the device gets
	Seconds        float64  `json:"seconds"`
	BytesPerSecond int      `json:"bytes_per_second"`
	FileSHA256     string   `json:"file_sha256"`
	Hash           smp.Hash `json:"hash"`
	AlreadyPresent bool     `json:"already_present"`
	ResumedFrom    int      `json:"resumed_from"`
	Resent         int      `json:"resent"`
	Link           *tuning  `json:"link,omitempty"`   // what suited the device; absent if nothing was sent
	Device         *board   `json:"device,omitempty"` // that it went to
	File           string   `json:"file"`
	ending
}

// failedUpload is the result of an image upload that did not succeed.
type failedUpload struct {
	Hash    smp.Hash `json:"hash,omitempty"`   // image hash of the file, in hexadecimal digits
	Device  *board   `json:"device,omitempty"` // absent if none was looked for
	Seconds float64  `json:"seconds"`
	record
}

func newFailedUpload(r record) app.Result {
	f := failedUpload{Device: r.board(), Seconds: time.Since(r.Started).Seconds(), record: r}
	if t := r.source.targets; len(t) == 1 && t[0].File != nil {
		f.Hash = t[0].File.Hash()
	}
	return f
}

// Text prints nothing: the error says all.
func (failedUpload) Text(io.Writer) error { return nil }

// Verdict is how the first line of the text is meant.
func (uploadResult) Verdict() app.Mark { return app.Done }

func (r uploadResult) Text(w io.Writer) error {
	if r.AlreadyPresent {
		_, err := fmt.Fprintf(w, "already on the device: %s\n", r.Hash)
		return err
	}
	took := time.Duration(r.Seconds * float64(time.Second))
	fmt.Fprintf(w, "uploaded %s in %s (%s)",
		human.Size(r.Bytes), human.Span(took), human.Rate(r.Bytes-r.ResumedFrom, took))
	if r.ResumedFrom > 0 {
		fmt.Fprintf(w, ", taken up at %s", human.Size(r.ResumedFrom))
	}
	if r.Link != nil {
		fmt.Fprint(w, losses(r.Link.Lost))
	}
	_, err := fmt.Fprintf(w, "\nhash: %s\n", r.Hash)
	return err
}

func upload(ctx context.Context, a *app.App, args []string, o uploadOptions, rec *record) (app.Result, error) {
	if o.window != 0 && a.Flags.Window == 0 {
		a.Flags.Window = o.window
	}
	src, err := rec.load(a, args, o.source)
	if err != nil {
		return nil, err
	}
	if len(src.targets) > 1 {
		return nil, failure.Usage("%s holds %s: choose one with --image, or take all with smpctl upgrade",
			src.path, imageNames(src.targets))
	}
	d, err := rec.newDevice(a, o.wait)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	v := (&upgradeView{app: a, device: d, plain: true}).begin()
	defer v.close()
	if err := d.Reach(ctx); err != nil {
		return nil, err
	}
	report, err := dfu.Run(ctx, d.Connect, src.targets,
		dfu.Options{Mode: dfu.UploadOnly, UpgradeOnly: o.upgrade, NoStart: true, Wait: time.Duration(o.wait),
			Starting: d.Arrived, OnEvent: v.event})
	if report.Found == smp.SerialRecovery && errors.Is(err, smp.ErrInBootloader) { // and did not fall into it later
		if report, err = uploadInBootloader(ctx, a, v, src, o); err == nil {
			err = recovered(report)
		}
	} else if err == nil {
		err = uploaded(report)
	}
	v.close()
	rec.tried(report)
	if err != nil {
		return nil, err
	}
	return newUploadResult(report, *rec), nil
}

// uploaded looks for the image in the slot that an upload is for.
func uploaded(r dfu.Report) error {
	return uploadRequest(r).Shown(r.Before, r.After)
}

// recovered looks for the image in the bootloader's list. Some list no hashes, and those that load images to RAM what
// they loaded at boot.
func recovered(r dfu.Report) error {
	q := uploadRequest(r)
	problem := "its bootloader lists no hash of it: only the version could be compared"
	switch {
	case !r.Listed:
		problem = "its bootloader does not list the image: one that loads images to RAM lists what it loaded at boot"
	case r.After.Has(q.Hash):
		return nil
	}
	return failure.WithHint(&dfu.UndoneError{Request: q, Problem: problem},
		"smpctl recover uploads, resets, and looks what runs then")
}

// uploadRequest is what an upload asked of the device.
func uploadRequest(r dfu.Report) dfu.Request {
	i := r.Images[0]
	return dfu.Request{Action: dfu.Upload, Image: i.Image, Hash: i.File.Hash()}
}

func newUploadResult(report dfu.Report, rec record) uploadResult {
	img, up := report.Images[0].File, report.Upload
	r := uploadResult{
		Image: report.Images[0].Image, Bytes: len(img.Bytes()), FileSHA256: rec.FileSHA256,
		Hash:           img.Hash(),
		AlreadyPresent: up.AlreadyPresent || len(report.Plan) == 0, ResumedFrom: up.ResumedFrom, Resent: up.Resent,
		Link: newTuning(up.Tuning), Device: rec.board(), File: rec.File, ending: rec.ending,
	}
	for _, s := range report.Steps {
		r.Seconds += s.Took.Seconds()
	}
	if r.Seconds > 0 && !r.AlreadyPresent {
		r.BytesPerSecond = int(float64(r.Bytes-r.ResumedFrom) / r.Seconds)
	}
	return r
}
