package boards

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/smp/fleet"
	"github.com/smpctl/smpctl/transport"
)

// Run does the work of a command with the boards that its flags mean. Without any of these flags it is the work itself.
// With --all the result is a [Document], and the error says that not all boards passed; else it is that of the work.
//
// No board is touched before it is known which boards there are, their programs are there and records can be written.
func Run(ctx context.Context, a *app.App, f Flags, w Work) (app.Result, error) {
	if !f.given() {
		return w.Do(ctx, a, new(Turn))
	}
	if err := f.check(ctx, a); err != nil {
		return nil, err
	}
	r := &run{app: a, flags: f, work: w, began: time.Now()}
	boards, err := r.find(ctx)
	if err != nil {
		return nil, err
	}
	if f.Record != "" {
		if r.journal, err = openRecords(a, f.Record); err != nil {
			return nil, fmt.Errorf("--record: %w", err)
		}
	}
	result, err := r.workWith(ctx, boards)
	if r.journal != nil {
		if closed := r.journal.Close(); err == nil && closed != nil {
			err = fmt.Errorf("--record: %w", closed)
		}
	}
	return result, err
}

// openRecords opens the journal of a folder, and signs it with the key of this computer's user, unless a station with
// another key does so.
func openRecords(a *app.App, dir string) (*journal.Journal, error) {
	o := journal.Options{Station: station(), Guest: true}
	path, err := journal.KeyPath(a.Env)
	if err == nil {
		o.Key, err = journal.StationKey(path)
	}
	if err != nil {
		return nil, err
	}
	return journal.Open(dir, o)
}

// station is this computer, as a record says where a board was worked on.
func station() journal.Station {
	host, _ := os.Hostname()
	return journal.Station{Name: host, Smpctl: app.Version()}
}

// run is a command with many boards, or with one that is recorded.
type run struct {
	app     *app.App
	flags   Flags
	work    Work
	journal *journal.Journal // nil: no records
	began   time.Time
	known   map[string]known    // of boards, by name
	rows    map[string]*app.App // of boards whose first try is to come, by name
}

// known is what is known of a board before its turn.
type known struct {
	id      string
	refused error                // why it is left alone; nil for one to work on
	in      string               // the step in which it was refused; empty if in none
	heard   func() failure.Heard // what came from it instead of an answer; nil if it was not asked
}

// find finds the boards, without opening any.
func (r *run) find(ctx context.Context) ([]fleet.Board, error) {
	if !r.flags.All {
		b, err := device.Only(ctx, r.app)
		return []fleet.Board{b}, err
	}
	plan, err := device.All(ctx, r.app, nil, fleet.PlanOptions{Expect: r.flags.Expect})
	if err == nil && r.flags.ID.Labelled() && len(plan.Boards) > 1 {
		err = failure.Usage("--id label names one board, and there are %d", len(plan.Boards))
	}
	return plan.Boards, err
}

func (r *run) workWith(ctx context.Context, boards []fleet.Board) (app.Result, error) {
	if !r.flags.All {
		o := r.each(ctx, boards)[0].Value
		return o.Result, o.Err
	}
	r.known = map[string]known{}
	for i, b := range boards { // a board that is refused has its turn too, in which it is left alone
		r.known[b.Name], boards[i].Refused = known{refused: b.Refused}, nil
	}
	if r.flags.ID.Asked() {
		r.identify(ctx, boards)
	}
	return r.document(ctx, r.each(ctx, boards))
}

// each gives each board its turn, and another one if that may help.
func (r *run) each(ctx context.Context, boards []fleet.Board) []fleet.Report[Outcome] {
	defer r.inOrder(boards)()
	return fleet.Run(ctx, boards, r.options(ctx), func(ctx context.Context, b fleet.Board) (Outcome, error) {
		out := r.turn(ctx, b)
		return out, out.Err
	})
}

// inOrder makes the Apps of boards that begin at the same time, so that their rows stand in the order of the boards. The
// result ends those that are left.
func (r *run) inOrder(boards []fleet.Board) (end func()) {
	r.rows = map[string]*app.App{}
	jobs := r.flags.Jobs
	if jobs == 0 {
		jobs = fleet.MaxJobs
	}
	if r.flags.All && len(boards) <= jobs {
		for _, b := range boards {
			r.rows[b.Name] = r.app.ForBoard(b.Name, nil)
		}
	}
	return func() {
		for _, a := range r.rows {
			a.End()
		}
	}
}

// appOf is the App for a try with a board.
func (r *run) appOf(b fleet.Board) *app.App {
	a := r.rows[b.Name]
	if a == nil || b.Attempt > 1 {
		a = r.app.ForBoard(b.Name, nil)
	}
	return a
}

func (r *run) options(ctx context.Context) fleet.Options {
	return fleet.Options{Jobs: r.flags.Jobs, Retry: r.flags.Retry, Again: func(err error) bool {
		var refused *refusedError
		kind := failure.KindOf(ctx, err)
		return !errors.As(err, &refused) && (kind == failure.KindNoReply || kind == failure.KindPort)
	}}
}

// refusedError is a board that is left alone: another try would not help.
type refusedError struct{ error }

func (e *refusedError) Unwrap() error { return e.error }

// turn is one turn of a board.
func (r *run) turn(ctx context.Context, b fleet.Board) Outcome {
	a := r.app
	if r.flags.All {
		a = r.appOf(b)
		defer a.End()
	}
	a.Flags.Port = b.Address
	known := r.known[b.Name]
	if known.heard != nil {
		a.Heard = known.heard
	}
	began := time.Now()
	out := One(ctx, a, Job{
		Work: r.work, Board: r.boardOf(b, known.id), ID: r.flags.ID, Refused: known.refused,
		Before: r.flags.Before, After: r.flags.After, ProgramTime: r.flags.ProgramTime,
		TimeOption: r.flags.TimeOption,
		Port:       func() string { return device.PortNow(a, b) },
		Journal:    r.journal, Fields: r.flags.Fields, Attempt: b.Attempt, alone: !r.flags.All, refusedIn: known.in,
	})
	if r.flags.All {
		show(a, out, time.Since(began))
	}
	return out
}

// show tells how a turn ended.
func show(a *app.App, out Outcome, took time.Duration) {
	switch f := out.Failure; {
	case f == nil:
		a.Step(app.Done, "passed", "after %s", human.Span(took))
	case f.Kind != failure.KindInterrupted.Name: // that is said once, for all of them
		a.ShowFailure(*f)
	}
}

// boardOf is what is known of a board before it is asked.
func (r *run) boardOf(b fleet.Board, id string) journal.Board {
	board := journal.Board{ID: id, Source: r.flags.ID.Kind(), Port: b.Port, Serial: b.Serial, Location: b.Location}
	if b.VID != 0 {
		board.VID, board.PID = transport.USBID(b.VID).String(), transport.USBID(b.PID).String()
	}
	if r.flags.ID.Labelled() {
		board.ID = r.flags.Fields[labelField]
	}
	return board
}

// document sums up.
func (r *run) document(ctx context.Context, reports []fleet.Report[Outcome]) (app.Result, error) {
	entries := make([]Entry, len(reports))
	for i, p := range reports {
		o := p.Value
		e := Entry{Board: p.Board.Name, ID: o.Board.ID, Port: p.Board.Port, Attempts: p.Attempts,
			Seconds: p.Took.Seconds(), Step: o.In, Record: o.ID, Result: o.Result, Error: o.Failure}
		if p.Err != nil && o.Failure == nil { // its turn did not come, or was a bug
			f := r.app.Failure(ctx, p.Err)
			e.Error = &f
		}
		entries[i] = e
	}
	d := newDocument(entries, time.Since(r.began), r.work.Whole)
	switch {
	case d.Failed == 0:
		return d, nil
	case ctx.Err() != nil:
		return d, context.Cause(ctx)
	}
	return d, failure.WithKind(failure.KindSomeFailed,
		fmt.Errorf("%d of %s did not pass", d.Failed, human.Count(len(entries), "board")))
}
