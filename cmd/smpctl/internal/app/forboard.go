package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// board is what makes an App that of one of several boards.
type board struct {
	of    *App
	name  []byte // as JSON
	watch func(Event)
	part  *screen.Part // nil with --json, where events carry the name
	row   activity     // of the command: it has the rows of the boards drawn
}

// ForBoard is an App for one of several boards that a command works on at the same time. Its news begins with the name
// of the board, its events carry it as "board", and what it is doing is a row of its own on a terminal, where the rest
// of its news is left away but for warnings. Flags is a copy: set Flags.Port to the address of the board. watch hears
// every event, with and without --json, from any goroutine, and must not block; nil: nobody does.
//
// Work runs in it with [App.Do], once. [App.End] takes its row away.
func (a *App) ForBoard(name string, watch func(Event)) *App {
	b := &board{of: a, watch: watch}
	if b.name, _ = json.Marshal(name); a.Flags.JSON {
		b.name = []byte(screen.EscapeJSON(string(b.name)))
	} else {
		b.part = a.News.Part(screen.Escape(name))
	}
	c := &App{Streams: Streams{In: bytes.NewReader(nil)}, Env: a.Env, Flags: a.Flags, Bus: a.Bus, Began: true,
		command: a.command, Reached: a.Reached, board: b}
	c.Flags.MorePorts = nil // of the others
	c.News = &screen.Display{W: a.News, Color: a.News.Color}
	if b.part != nil {
		c.News.W = b.part
	}
	if a.News.Live() {
		c.News.Width = func() int { return a.News.Columns() - screen.Columns(name) - len(": ") }
		b.row.draw = func(int) screen.Line { return screen.Line{} }
		a.doing.begin(&b.row)
	}
	c.doing = doing{display: rowOf{c.News, b.part}, guarded: c.Guarded}
	c.out = &results{w: io.Discard, before: func() {}}
	c.Bytes, c.Out, c.Err = io.Discard, io.Discard, &screen.Printable{W: c.News}
	c.Log = c.newLogger()
	return c
}

// rowOf shows what a board is doing in its row.
type rowOf struct {
	news *screen.Display
	part *screen.Part
}

func (r rowOf) Live() bool { return r.news.Live() }

func (r rowOf) Show(draw func(width int) screen.Line) {
	if r.part != nil {
		r.part.Show(draw)
	}
}

// Brief reports whether the news is a row that changes, and nothing but what counts is said besides.
func (a *App) Brief() bool { return a.board != nil && a.News.Live() }

// Warnings are those of this App so far.
func (a *App) Warnings() []string { return a.warnings.list() }

// Do runs the work with one board, as [App.Run] runs that of a command: a bug in it ends this work only, and a result
// that is kept as a record is completed. Nothing is printed.
func (a *App) Do(ctx context.Context, work func(context.Context) (Result, error)) (r Result, err error) {
	ctx, a.end = context.WithCancelCause(ctx)
	defer a.end(nil)
	err = a.afterBug(ctx, failure.Guard(func() (err error) {
		r, err = a.traced(work(ctx))
		return err
	}))
	a.doing.endAll()
	return a.record(ctx, r, err), err
}

// End takes the row of a board away. It may be called again.
func (a *App) End() {
	a.doing.endAll()
	if a.board.part != nil {
		a.board.part.End()
	}
	a.board.of.doing.end(&a.board.row)
}

// mark puts the board before what an event says.
func (b *board) mark(line []byte) []byte {
	rest, ok := bytes.CutPrefix(line, []byte("{"))
	if !ok {
		return line
	}
	return bytes.Join([][]byte{[]byte(`{"board":`), b.name, []byte(","), rest}, nil)
}
