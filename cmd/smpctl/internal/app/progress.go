package app

import (
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/smp"
)

// Progress shows how a transfer goes: a bar on a terminal, now and then a line elsewhere, JSON lines with --json,
// nothing with --quiet.
type Progress struct {
	Start time.Time

	app      *App
	first    *Waiting // for the first answer
	activity activity

	mu     sync.Mutex // guards what follows: the terminal's line is drawn from a goroutine of its own
	now    transfer
	said   time.Time // when a log had a line last
	tenths int       // of the transfer, as that line said
	events int       // times that the last event had behind it
}

// Progress begins a transfer, in which nothing has moved yet: the text says what that may mean. Close ends it.
func (a *App) Progress(step, text string) *Progress {
	p := &Progress{Start: time.Now(), app: a, first: a.Doing(step, "%s", text)}
	p.now, p.said = transfer{step: step}, p.Start
	p.activity.draw = p.line
	return p
}

// Update takes the news of a transfer.
func (p *Progress) Update(n smp.Progress) {
	now := time.Now()
	p.mu.Lock()
	begins := n.Done > 0 && p.now.moved.IsZero()
	if begins {
		p.now.began, p.now.moved = n.Done, now // that of a resumed one is no speed
	}
	p.now.done, p.now.total = min(n.Done, n.Total), n.Total
	state, log, event := p.now, p.worthALine(now), p.worthAnEvent(now)
	p.mu.Unlock()
	if begins {
		p.first.Stop()
		p.app.doing.begin(&p.activity)
	}
	if log && !p.app.News.Live() {
		p.app.Step(Plain, state.step, "%s", state.text(now))
	}
	if event {
		p.app.Event(ProgressEvent{"progress", state.step, n.Done, n.Total, n.InFlight, now.Sub(p.Start).Seconds()})
	}
}

// Close ends the display.
func (p *Progress) Close() {
	p.first.Stop()
	p.app.doing.end(&p.activity)
}

// worthALine reports whether a log should have a line: for a tenth, but not for each of them where they come fast, and
// not for the last, which the step itself is about. The lock is held.
func (p *Progress) worthALine(now time.Time) bool {
	tenths := p.now.done * 10 / max(p.now.total, 1)
	if tenths <= p.tenths || tenths >= 10 || now.Sub(p.said) < workLogged || p.now.done == p.now.began {
		return false
	}
	p.tenths, p.said = tenths, now
	return true
}

func (p *Progress) line(width int) screen.Line {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now.line(width, time.Now())
}

// eventEvery keeps the news readable: ten lines a second at most.
const eventEvery = 100 * time.Millisecond

// worthAnEvent reports whether programs should hear of it. The lock is held.
func (p *Progress) worthAnEvent(now time.Time) bool {
	count := int(now.Sub(p.Start) / eventEvery)
	if count == p.events && p.now.done < p.now.total {
		return false
	}
	p.events = count
	return true
}
