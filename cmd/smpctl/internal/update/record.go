package update

import (
	"cmp"
	"context"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/boards"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp/dfu"
)

// record is what every result of an update holds besides, so that one document says what was done to a board.
type record struct {
	File       string `json:"file,omitempty"` // path of the file; of a build folder, what was taken of it
	FileSHA256 string `json:"file_sha256,omitempty"`
	Image      *int   `json:"image,omitempty"` // number of the image on the device; of several, the first
	Bytes      int    `json:"bytes,omitempty"` // of the image that the device gets; of several together
	ending

	source source
	device *device.Device // nil before one was looked for
}

// ending says how an update began and ended.
type ending struct {
	Warnings []string     `json:"warnings"`
	Started  time.Time    `json:"started"` // when, in RFC 3339, UTC
	Smpctl   string       `json:"smpctl"`  // version of smpctl
	Error    *app.Failure `json:"error,omitempty"`
}

// board is the device of an update.
type board struct {
	Port   string `json:"port,omitempty"`
	Serial string `json:"serial,omitempty"`
}

// recorded runs an update. Whatever comes of it, its result is a record, that of failed if nothing did; only a command
// line that is wrong has none.
func recorded(ctx context.Context, a *app.App, args []string, failed func(record) app.Result,
	update func(*record) (app.Result, error)) (app.Result, error) {
	r := newRecord(args)
	result, err := update(&r)
	if result == nil && err != nil && !failure.IsUsage(ctx, err) {
		result = failed(r)
	}
	return result, err
}

func newRecord(args []string) record {
	r := record{ending: ending{Started: time.Now().UTC().Round(time.Millisecond), Smpctl: app.Version()}}
	if len(args) > 0 {
		r.File = args[0]
	}
	return r
}

// each is the update of each board: with a record of its own, if the App is that of one of several. What the user was
// warned of so far is about the file, and so about each board.
func (r *record) each(command *app.App, failed func(record) app.Result,
	update func(context.Context, *app.App, *boards.Turn, *record) (app.Result, error),
) func(context.Context, *app.App, *boards.Turn) (app.Result, error) {
	warned := command.Warnings()
	return func(ctx context.Context, a *app.App, t *boards.Turn) (app.Result, error) {
		if a == command {
			return update(ctx, a, t, r)
		}
		for _, text := range warned {
			a.Remark(text)
		}
		own := *r
		own.Started = time.Now().UTC().Round(time.Millisecond)
		result, err := update(ctx, a, t, &own)
		if result == nil && err != nil {
			result = failed(own)
		}
		return result, err
	}
}

// load reads the file that the device is to get, and notes it.
func (r *record) load(a *app.App, args []string, o sourceOptions) (source, error) {
	path, err := fileToSend(a, args)
	if err != nil {
		return source{}, err
	}
	src, err := readSource(a, path, o)
	r.read(src)
	return src, err
}

// newDevice prepares the way to the device, and notes it. The caller closes it.
func (r *record) newDevice(a *app.App, wait app.WaitTime) (*device.Device, error) {
	d, err := device.New(a)
	if err != nil {
		return nil, err
	}
	d.Wait = time.Duration(wait)
	r.device = d
	return d, nil
}

// read notes what is to be sent.
func (r *record) read(s source) {
	r.source = s
	r.File, r.FileSHA256 = cmp.Or(s.path, r.File), s.sha256
	for i, t := range s.targets {
		if i == 0 {
			r.Image = &s.targets[0].Image
		}
		if t.File != nil {
			r.Bytes += len(t.File.Bytes())
		}
	}
}

// board is the device, by the name that it has or was asked for; nil before one was looked for.
func (r *record) board() *board {
	if r.device == nil {
		return nil
	}
	return &board{cmp.Or(r.device.Name, r.device.Settings.Address.String()), r.device.Port.Serial}
}

// tried notes what was meant for the device, as far as it came.
func (r *record) tried(report dfu.Report) {
	if len(report.Images) == 0 {
		return // the device was not read
	}
	r.device.Remember(report.After)
	r.Image, r.Bytes = &report.Images[0].Image, 0
	for _, i := range report.Images {
		r.Bytes += len(i.File.Bytes())
	}
}

// Record completes the record.
func (r failedUpload) Record(warnings []string, ended *app.Failure) app.Result {
	r.Warnings, r.Error = warnings, ended
	return r
}

// Record completes the record.
func (r upgradeResult) Record(warnings []string, ended *app.Failure) app.Result {
	r.Warnings, r.Error = warnings, ended
	return r
}

// Record completes the record.
func (r recoverResult) Record(warnings []string, ended *app.Failure) app.Result {
	r.Warnings, r.Error = warnings, ended
	return r
}

// Record completes the record.
func (r dryRunResult) Record(warnings []string, ended *app.Failure) app.Result {
	r.Warnings, r.Error = warnings, ended
	return r
}

// Record completes the record.
func (r uploadResult) Record(warnings []string, ended *app.Failure) app.Result {
	r.Warnings, r.Error = warnings, ended
	return r
}
