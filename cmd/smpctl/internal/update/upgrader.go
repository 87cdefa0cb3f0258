package update

import (
	"context"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/boards"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp/dfu"
)

// UpgradeJob says what a station brings onto its boards. The zero value of all but File is that of the flag of the same
// name.
type UpgradeJob struct {
	File        string // path of an image or an update package
	SHA256      string // that the file has to have, in hexadecimal digits; empty: any
	Keys        []string
	Mode        string
	Checks      []string // programs that check a board, one after the other
	CheckTime   time.Duration
	Wait        time.Duration
	UpgradeOnly bool
	Force       bool
}

// Upgrader is the upgrade of each board of a station. The file is read, verified and checked now, once: whatever is
// wrong with it, or with the rest of the job, is an error before any port opens.
func Upgrader(ctx context.Context, a *app.App, o UpgradeJob) (boards.Work, error) {
	job := upgradeJob{checks: o.Checks, upgradeOptions: upgradeOptions{
		source: sourceOptions{keys: o.Keys}, upgradeOnly: o.UpgradeOnly, force: o.Force,
		checkTime: app.Seconds(boards.ProgramTime), wait: app.WaitTime(dfu.DefaultWait)}}
	if o.CheckTime > 0 {
		job.checkTime = app.Seconds(o.CheckTime)
	}
	if o.Wait > 0 {
		job.wait = app.WaitTime(o.Wait)
	}
	if err := boards.LookUp(ctx, "check", o.Checks...); err != nil {
		return boards.Work{}, err
	}
	rec := newRecord([]string{o.File})
	err := job.read(a, o, &rec)
	return job.work(a, &rec), err
}

// read takes what is to be read of a job: the mode, and the file.
func (j *upgradeJob) read(a *app.App, o UpgradeJob, rec *record) (err error) {
	if j.mode, err = modeOf(a, o.Mode); err != nil {
		return err
	}
	if j.file, err = rec.load(a, []string{o.File}, j.source); err != nil {
		return err
	}
	if o.SHA256 != "" && o.SHA256 != j.file.sha256 {
		return failure.AsImage(fmt.Errorf("%s: is another file: its SHA-256 is %s, and has to be %s", j.file.path,
			j.file.sha256, o.SHA256))
	}
	return j.file.updatesBootloader()
}
