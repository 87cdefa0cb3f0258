package boards

import (
	"cmp"
	"context"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp/fleet"
	"github.com/spf13/pflag"
)

// Flags are those of commands that work with many boards at once, or keep records.
type Flags struct {
	All           bool
	Expect        int // boards; 0: any number
	Jobs          int // boards at a time; 0: as many as there are
	Retry         int // more tries of a board
	Before, After string
	ID            Source
	Record        string // folder; empty: no records
	Fields        Fields

	ProgramTime time.Duration // how long Before and After may take; 0: [ProgramTime]
	TimeOption  string        // with which the user changes that; empty if with none
}

// Most of what a user may ask for.
const (
	maxBoards = 1024
	maxRetry  = 100
)

// Register declares the flags, under a heading of their own.
func (f *Flags) Register(fs *pflag.FlagSet) {
	fs.BoolVar(&f.All, "all", false, "work with every board that -p means; -p may be given again for more")
	app.IntVar(fs, &f.Expect, "expect", "", 1, maxBoards, "with --all: touch no board unless there are exactly N")
	app.IntVar(fs, &f.Jobs, "jobs", "", 1, fleet.MaxJobs, "with --all: boards at a time (default: all, at most 64)")
	app.IntVar(fs, &f.Retry, "retry", "", 0, maxRetry,
		"so many more tries of a board that did not answer, or whose port could not be opened")
	fs.StringVar(&f.Before, "before", "", "run this `command` before each board; if it fails, the board is left alone")
	fs.StringVar(&f.After, "after", "",
		"run this `command` after each board, with pass or fail in SMPCTL_RESULT; if it fails, so does the board")
	fs.Var(&f.ID, "id",
		"what names a board: usb (its serial number, the default), shell:COMMAND, settings:NAME, os-info:FORMAT, "+
			"label or command:CMD")
	fs.StringVar(&f.Record, "record", "", "add a record of each board to those in this `folder`")
	fs.Var(&f.Fields, "field", "say this in the records too; label is the name of the board for --id label")
	app.Heading(fs, "Several boards, records", "all")
}

// given reports whether any of the flags was.
func (f Flags) given() bool {
	return f.All || f.Expect > 0 || f.Jobs > 0 || f.Retry > 0 || f.Before != "" || f.After != "" || f.ID.kind != "" ||
		f.Record != "" || len(f.Fields) > 0
}

// check refuses what does not go together, and programs that are not there.
func (f Flags) check(ctx context.Context, a *app.App) error {
	switch several := f.All; {
	case f.Expect > 0 && !several:
		return failure.Usage("--expect counts boards: --all is missing")
	case f.Jobs > 0 && !several:
		return failure.Usage("--jobs is about several boards: --all is missing")
	case several && a.Flags.Trace != "":
		return failure.WithHint(failure.Usage("--trace is of one board, and --all means several"),
			"trace the board that makes trouble alone")
	case len(f.Fields) > 0 && f.Record == "" && !f.ID.Labelled():
		return failure.Usage("--field is for records: --record is missing")
	case f.ID.Labelled() && f.Fields[labelField] == "":
		return failure.Usage("--id label: what the label says is missing: --field label=TEXT")
	}
	named := ""
	if f.ID.kind == fromCommand {
		named = f.ID.argument
	}
	return cmp.Or(LookUp(ctx, "--before", f.Before), LookUp(ctx, "--after", f.After), LookUp(ctx, "--id", named))
}

// CheckDryRun refuses what a dry run must not do.
func (f Flags) CheckDryRun() error {
	option := ""
	switch {
	case f.Record != "":
		option = "--record"
	case f.Before != "":
		option = "--before"
	case f.After != "":
		option = "--after"
	default:
		return nil
	}
	return failure.Usage("--dry-run does nothing, and %s is for boards with which something is done", option)
}
