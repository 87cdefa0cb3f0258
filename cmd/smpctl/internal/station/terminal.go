package station

import (
	"cmp"
	"context"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// report says on the terminal, or to a program, what the page shows: what has changed since the last view.
type report struct {
	app  *app.App
	said map[string]page.Tile // by slot
	told map[string]string    // messages by ID
}

func newReport(a *app.App) *report {
	return &report{app: a, said: map[string]page.Tile{}, told: map[string]string{}}
}

// show says what is new in a view.
func (r *report) show(v page.View) {
	for _, t := range v.Tiles {
		t.Percent, t.Button = nil, false
		if t.State == page.Working {
			t.Detail = "" // each board has a row for that, or events of its own
		}
		before := r.said[t.Slot]
		if t == before {
			continue
		}
		r.said[t.Slot] = t
		r.event(t)
		if t.State == page.Ready && t.Detail == "" || t.State == page.Empty && before == (page.Tile{}) {
			continue // a person sees that
		}
		r.line(t)
	}
	told := map[string]string{}
	for _, m := range v.Messages {
		told[m.ID] = m.Text
		if r.told[m.ID] != m.Text {
			r.app.Step(markOf(m.Level), "station", "%s", m.Text)
			r.app.Event(app.MessageEvent{Event: "message", Level: string(m.Level), Text: m.Text})
		}
	}
	r.told = told
}

// words are what tiles say.
var words = map[page.State]string{
	page.Empty: "EMPTY", page.Label: "SCAN LABEL", page.Ready: "READY", page.Working: "WORKING", page.Pass: "PASS ✓",
	page.Fail: "FAIL ✗", page.Unknown: "UNKNOWN", page.Closed: "CLOSED",
}

// event says what a slot shows to programs.
func (r *report) event(t page.Tile) {
	r.app.Event(app.SlotEvent{Event: "slot", Slot: t.Slot, State: string(t.State), Board: t.Board, Text: t.Detail,
		Advice: t.Advice})
}

// line says what a slot shows to people.
func (r *report) line(t page.Tile) {
	mark := map[page.State]app.Mark{page.Pass: app.Done, page.Fail: app.Failed, page.Unknown: app.Failed}[t.State]
	parts := []string{words[t.State], t.Board, t.Detail, t.Advice}
	text := strings.Join(withoutEmpty(parts), "  ")
	r.app.Step(cmp.Or(mark, app.Plain), t.Slot, "%s", text)
}

func withoutEmpty(texts []string) (full []string) {
	for _, t := range texts {
		if t != "" {
			full = append(full, t)
		}
	}
	return full
}

func markOf(l page.Level) app.Mark {
	switch l {
	case page.Error:
		return app.Failed
	case page.Warning:
		return app.Caution
	}
	return app.Plain
}

// scansOf are the lines of a scanner that types into the terminal. The goroutine behind it ends with the input, or is
// left in a read that never does.
func scansOf(ctx context.Context, a *app.App) <-chan string {
	scans := make(chan string)
	a.Spawn(func() {
		var lines screen.Lines
		for buf := make([]byte, 1024); ; {
			n, err := a.In.Read(buf)
			lines.Feed(buf[:n], func(text string) {
				select {
				case scans <- text:
				case <-ctx.Done():
				}
			})
			if err != nil || ctx.Err() != nil {
				return
			}
		}
	})
	return scans
}
