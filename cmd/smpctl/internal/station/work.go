package station

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/boards"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/smp/fleet"
	"github.com/smpctl/smpctl/transport"
)

// Update is what a station does with each board.
type Update struct {
	File   string   // path of an image or an update package
	SHA256 string   // of the file; empty: any
	Keys   []string // paths of public keys, one of which signed it; none: not checked
	Mode   string
	Checks []string      // programs that check a board
	Wait   time.Duration // for a board that is away, and for any progress; 0: as long as upgrade does
}

// Upgrader reads the file of an update, once, and is the work with each board. Whatever is wrong is an error before any
// port opens.
type Upgrader func(ctx context.Context, a *app.App, u Update) (boards.Work, error)

// worker works with boards, one goroutine each.
type worker struct {
	config  Config
	work    boards.Work
	id      boards.Source
	journal *journal.Journal
	app     *app.App
	known   func(board string) error // why a board that has this name is not worked on; nil if it is
}

// updateOf is what the file of a station says of the update.
func updateOf(c Config) Update {
	u := Update{File: c.path(c.Image.File), SHA256: c.Image.SHA256, Mode: c.Image.Mode, Wait: c.wait}
	if c.Image.Key != "" {
		u.Keys = []string{c.path(c.Image.Key)}
	}
	for _, command := range c.Run.Check {
		u.Checks = append(u.Checks, c.command(command))
	}
	return u
}

// command is a program of the user as it runs in the folder of the station's file.
func (c Config) command(text string) string {
	if here, err := filepath.Abs("."); text == "" || err == nil && here == c.dir {
		return text
	}
	if runtime.GOOS == "windows" {
		return `cd /d "` + c.dir + `" && ` + text
	}
	return "cd '" + strings.ReplaceAll(c.dir, "'", `'\''`) + "' && " + text
}

// commands are several programs as one.
func (c Config) commands(texts []string) string { return c.command(strings.Join(texts, " && ")) }

// do works with a board, and again if it did not answer and another try is left.
func (w *worker) do(ctx context.Context, a *app.App, o order, named func(string)) outcome {
	for attempt := 1; ; attempt++ {
		out := w.once(ctx, a, o, named, attempt)
		if out.failed != nil {
			w.app.Note("%s: %s", o.slot, out.failed.Message)
		}
		again := out.kind == failure.KindNoReply.Name || out.kind == failure.KindPort.Name
		if !again || attempt > w.config.Run.Retry || ctx.Err() != nil {
			return out
		}
	}
}

// once is a turn of a board, with a record of its own.
func (w *worker) once(ctx context.Context, a *app.App, o order, named func(string), attempt int) outcome {
	b, err := boardAt(a, w.config.Boards.Match, o.port)
	a.Flags.Port, a.Flags.Baud = b.Address, w.config.Boards.Baud
	job := boards.Job{
		Work: w.checked(named), ID: w.id, Refused: err, Board: w.boardOf(o),
		Before: w.config.commands(w.config.Run.Before), After: w.config.commands(w.config.Run.After),
		Port:    func() string { return device.PortNow(a, b) },
		Journal: w.journal, Operator: o.operator, Fields: maps.Clone(w.config.Records.Fields), Attempt: attempt,
	}
	if o.label != "" {
		if job.Fields == nil {
			job.Fields = map[string]string{}
		}
		job.Fields["label"] = o.label
	}
	return outcomeOf(ctx, boards.One(ctx, a, job))
}

// boardAt is the board at a port, under an address that means no other. Where it can be told by its serial number alone,
// it may be put into another socket while it is worked on.
func boardAt(a *app.App, match string, p transport.Port) (fleet.Board, error) {
	plan, err := device.Present(a, []string{match})
	if err != nil {
		return fleet.Board{Candidate: fleet.Candidate{Port: p.Name, Address: p.Name}}, err
	}
	for _, b := range plan.Boards {
		if b.Port != p.Name {
			continue
		}
		if own, err := transport.ParseAddress(b.Address); err == nil && own.Serial != "" && p.OwnSerial() != "" {
			own.Location = ""
			b.Address = own.String()
		}
		return b, b.Refused
	}
	return fleet.Board{Candidate: fleet.Candidate{Port: p.Name, Address: p.Name}},
		&transport.OpenError{Address: p.Name, Err: errors.New("the board was pulled out")}
}

// boardOf is what is known of a board before it is asked.
func (w *worker) boardOf(o order) journal.Board {
	p := o.port
	b := journal.Board{Source: w.id.Kind(), Port: p.Name, VID: p.VID.String(), PID: p.PID.String(), Serial: p.Serial,
		Location: p.Location, Slot: o.slot}
	if w.id.Labelled() {
		b.ID = o.label
	}
	return b
}

// checked is the work with a board that has turned out to be one for this station.
func (w *worker) checked(named func(string)) boards.Work {
	work := w.work
	work.Do = func(ctx context.Context, a *app.App, t *boards.Turn) (app.Result, error) {
		named(t.Board.ID)
		if err := w.known(t.Board.ID); err != nil {
			return nil, err
		}
		if err := expected(ctx, a, w.config.Boards.Expect.Board); err != nil {
			return nil, err
		}
		return w.work.Do(ctx, a, t)
	}
	return work
}

// inRecord is where a turn fails whose record cannot be written.
const inRecord = "record"

// outcomeOf is what came of a turn, for the rig.
func outcomeOf(ctx context.Context, out boards.Outcome) outcome {
	o := outcome{result: out.Record.Result, board: out.Board.ID, seconds: out.Record.Seconds, touched: out.ID != "",
		interrupted: ctx.Err() != nil}
	if out.Failure == nil {
		return o
	}
	o.kind, o.step, o.advice, o.failed = out.Failure.Kind, out.In, adviceFor(out.Failure.Kind), out.Failure
	var unfit *unfitError
	if errors.As(out.Err, &unfit) {
		o.kind, o.unfit = unfit.kind, true
		o.advice = "this is no board for this station: put it aside"
	}
	if out.In == inRecord {
		o.unrecorded, o.step = out.Failure.Message, ""
		if o.touched { // it has a beginning without an end
			o.result = journal.Unknown
		}
	}
	return o
}

// adviceFor is what an operator does with a board that failed.
func adviceFor(kind string) string {
	switch kind {
	case failure.KindNoReply.Name, failure.KindPort.Name:
		return "pull the board out until this says EMPTY, then try it again; put it aside if that fails too"
	case failure.KindInterrupted.Name:
		return "plug the board in again later: it goes on where it was"
	case failure.KindNotRunning.Name:
		return "put the board aside: the new firmware did not stay"
	}
	return "put the board aside"
}

// known is why a board is not worked on whose name only the board could tell.
func (p *past) known(repeat string) func(string) error {
	return func(board string) error {
		d, ok := p.passOf(board)
		if !ok || repeat != repeatRefuse {
			return nil
		}
		return &unfitError{"done", failure.Refused(fmt.Errorf("passed before, on %s", d.at.Local().Format(timeForm)))}
	}
}
