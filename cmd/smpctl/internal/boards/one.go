package boards

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/transport"
)

// Job is the turn of one board. Its zero value does nothing; all but Work may be left out.
type Job struct {
	Work Work

	// Board is what is known before anybody is asked: port, USB device, place. With an ID nobody is asked for one.
	Board   journal.Board
	ID      Source
	Refused error // why the board is not touched; nil for one to work on
	// Admit says whether a board whose identity is known may be touched, or why not. It may ask the board. nil: every
	// board may.
	Admit func(ctx context.Context, a *app.App) error

	Before, After string        // programs of the user; empty: none
	ProgramTime   time.Duration // how long each may take; 0: [ProgramTime]
	TimeOption    string        // with which the user changes that, to tell; empty if with none
	Port          func() string // under which the board is there now, for programs; nil: that of Board

	Journal  *journal.Journal // nil: no record
	Operator string
	Fields   map[string]string
	Attempt  int // of this command, from 1

	alone     bool   // the App is that of the command
	refusedIn string // the step in which it was refused; empty if in none
}

// Outcome is what came of a turn.
type Outcome struct {
	Board   journal.Board
	Result  app.Result   // of the work; nil if it did not come to that
	Failure *app.Failure // nil: the board passed, and its record says so on the disk
	Err     error        // that Failure describes
	In      string       // the step in which it failed, such as upload or identity; empty if in none
	Touched bool         // the work began
	Record  journal.Record
	ID      string // of the record; empty if there is none
}

// Passed reports whether the board passed.
func (o Outcome) Passed() bool { return o.Failure == nil }

// The parts of a turn around the work, as steps that can fail.
const (
	inIdentity  = "identity"
	inAdmission = "admission"
	inRecord    = "record"
)

// One is the turn of one board in its App: identity, begin line, before hook, work, after hook, end line. It blocks
// until the turn ended, which it soon does when ctx ends.
func One(ctx context.Context, a *app.App, job Job) Outcome {
	t := turning{Job: job, app: a, turn: Turn{Board: job.Board, kept: true}}
	began := time.Now()
	guarded := a.Do
	if job.alone {
		guarded = unguarded
	}
	t.out.Result, t.out.Err = guarded(ctx, func(ctx context.Context) (app.Result, error) {
		t.work(ctx)
		return t.out.Result, t.out.Err
	})
	t.out.Board = t.turn.Board
	if t.out.Err != nil {
		f := a.Failure(ctx, t.out.Err)
		t.out.Failure = &f
	}
	t.end(ctx, time.Since(began))
	return t.out
}

// unguarded is for an App that guards its command as a whole.
func unguarded(ctx context.Context, work func(context.Context) (app.Result, error)) (app.Result, error) {
	return work(ctx)
}

// turning is a turn under way.
type turning struct {
	Job
	app  *app.App
	turn Turn
	out  Outcome
}

// work is all between the lines of the record, and the first of them.
func (t *turning) work(ctx context.Context) {
	var unnamed error
	if t.Refused == nil {
		unnamed = t.identify(ctx)
	}
	switch {
	case !t.begin():
		return
	case t.Refused != nil:
		t.fail(t.refusedIn, &refusedError{t.Refused})
		return
	case unnamed != nil:
		t.fail(inIdentity, unnamed)
		return
	case t.Admit != nil:
		if err := t.Admit(ctx, t.app); err != nil {
			t.fail(inAdmission, err)
			return
		}
	}
	if t.hook(ctx, app.FromBefore, t.Before, "") {
		t.do(ctx)
	}
	result := journal.Pass
	if t.out.Err != nil {
		result = journal.Fail
	}
	if ctx.Err() == nil {
		t.hook(ctx, app.FromAfter, t.After, result)
	}
}

// fail notes why the board does not pass; the first reason counts.
func (t *turning) fail(in string, err error) {
	if t.out.Err == nil {
		t.out.Err, t.out.In = err, in
	}
}

// identify finds out what names the board.
func (t *turning) identify(ctx context.Context) error {
	b := &t.turn.Board
	b.Source = cmp.Or(b.Source, t.ID.Kind())
	switch {
	case b.ID != "":
		return nil
	case !t.ID.Asked():
		b.ID = transport.Port{Serial: b.Serial}.OwnSerial() // a number that many boards share names none
		return nil
	}
	id, err := t.ID.ask(ctx, t.app, t.port())
	b.ID = id
	return err
}

// begin writes that the turn begins, and reports whether the board may be touched.
func (t *turning) begin() bool {
	t.out.Record = journal.Record{Board: t.turn.Board, Image: t.Work.Image, Operator: t.Operator, Fields: t.Fields,
		Attempt: t.Attempt}
	if t.Journal == nil {
		return true
	}
	id, err := t.Journal.Begin(t.out.Record)
	if err != nil {
		t.fail(inRecord, fmt.Errorf("the record cannot be written, so the board is left alone: %w", err))
		return false
	}
	t.out.ID = id
	return true
}

// do does the work.
func (t *turning) do(ctx context.Context) {
	t.out.Touched = true
	r, err := t.Work.Do(ctx, t.app, &t.turn)
	t.out.Result = r
	in := ""
	if h, ok := r.(halted); ok {
		in = h.HaltedIn()
	}
	if err != nil {
		t.fail(in, err)
	}
}

// hook runs a program of the user, if there is one, and reports whether the board may go on.
func (t *turning) hook(ctx context.Context, name, command string, result journal.Result) bool {
	if command == "" {
		return true
	}
	p := program{command: command, limit: cmp.Or(t.ProgramTime, ProgramTime), option: t.TimeOption,
		told: t.turn.told(t.port())}
	if result != "" {
		p.told = append(p.told, resultVariable+"="+string(result))
	}
	defer t.app.Doing(name, "running the command").Now().Stop()
	if err := t.turn.hook(ctx, t.app, name, p); err != nil {
		t.fail(name, fmt.Errorf("%s: %w", name, err))
		return false
	}
	return true
}

// port is under which programs find the board now.
func (t *turning) port() string {
	if t.Port != nil {
		return t.Port()
	}
	return t.turn.Board.Port
}

// end writes what came of the turn. A board whose record is not on the disk has not passed.
func (t *turning) end(ctx context.Context, took time.Duration) {
	r := &t.out.Record
	r.Board, r.Hooks = t.turn.Board, t.turn.hooks
	r.Seconds = math.Round(took.Seconds()*1000) / 1000
	if n, ok := t.out.Result.(noted); ok {
		n.Note(r)
	}
	r.Result = journal.Pass
	if f := t.out.Failure; f != nil {
		r.Result, r.Kind, r.Message = journal.Fail, f.Kind, f.Message
	}
	if t.out.ID == "" {
		return
	}
	if err := t.Journal.End(t.out.ID, *r); err != nil {
		t.fail(inRecord, fmt.Errorf("the record cannot be written, so the board has not passed: %w", err))
		f := t.app.Failure(ctx, t.out.Err)
		t.out.Failure, r.Result, r.Kind, r.Message = &f, journal.Fail, f.Kind, f.Message
	}
}
