package app

import (
	"fmt"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

const (
	// waitShown is how long something may take before a person wonders.
	waitShown = 300 * time.Millisecond
	// workLogged is how long something that is being done may take before a log, which hears of its end too, has a line
	// of it.
	workLogged = time.Second
)

// Waiting says what the command waits for, once that takes a while: on a terminal in a line that changes and says how
// long it has taken, elsewhere once.
type Waiting struct {
	app        *App
	step, text string // without a step it is about the command as a whole
	since      time.Time
	activity   activity
	timer      *time.Timer // nil on a terminal
	said       sync.Once
}

// Wait begins to wait for something; the text goes on "waiting for". The caller ends it with Stop.
func (a *App) Wait(format string, args ...any) *Waiting {
	return a.waiting("", "waiting for "+fmt.Sprintf(format, args...), waitShown)
}

// WaitAnswer begins to wait for the answers of a device that is there. The caller ends it with Stop.
func (a *App) WaitAnswer(device string) *Waiting {
	return a.waiting("", "waiting for an answer from "+device, workLogged)
}

// Doing begins a step of the command; the text says what is done. The caller ends it with Stop.
func (a *App) Doing(step, format string, args ...any) *Waiting {
	return a.waiting(step, fmt.Sprintf(format, args...), workLogged)
}

// waiting shows something on a terminal soon, and elsewhere after a time, if it is not about a part of it by then.
func (a *App) waiting(step, text string, logged time.Duration) *Waiting {
	w := &Waiting{app: a, step: step, text: text, since: time.Now()}
	w.activity = activity{w.since.Add(waitShown), w.line}
	a.doing.begin(&w.activity)
	if !a.News.Live() {
		w.timer = time.AfterFunc(logged, a.Guarded(func() {
			if a.doing.innermost(&w.activity) {
				w.say()
			}
		}))
	}
	return w
}

// Still ends all waiting: from now on the terminal belongs to what the user types.
func (a *App) Still() { a.doing.endAll() }

// Now shows it at once: that it takes a while is known.
func (w *Waiting) Now() *Waiting {
	if w.timer != nil {
		w.say()
		return w
	}
	w.app.doing.hurry(&w.activity)
	return w
}

// Stop ends the waiting. It may be called again, and of nil.
func (w *Waiting) Stop() {
	if w == nil {
		return
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	w.app.doing.end(&w.activity)
}

// say is for a log.
func (w *Waiting) say() {
	w.said.Do(func() {
		if w.step != "" { // of which there are events of its own
			w.app.Step(Plain, w.step, "%s", w.text)
			return
		}
		w.app.Say("%s", w.text)
		w.app.Event(WaitingEvent{"waiting", w.text, time.Since(w.since).Seconds()})
	})
}

// line is for a terminal: how long it has taken is the last that a narrow one leaves away.
func (w *Waiting) line(width int) screen.Line {
	l := screen.Line{Style: screen.Bold, Text: w.text}
	if w.step != "" {
		l.Head = liveHead(w.step, width)
	}
	if took := time.Since(w.since).Truncate(time.Second); took > 0 {
		tail := " … " + human.About(took)
		l.Text = screen.Cut(l.Text, width-screen.Columns(l.Head+tail)) + tail
	}
	return l
}
