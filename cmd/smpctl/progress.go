package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows how an upload goes: a bar on a terminal, a line per tenth elsewhere, JSON lines with --json, nothing
// with --quiet.
type progress struct {
	app   *app
	step  string
	start time.Time
	show  func(smp.Progress)
	stop  func()

	began int // bytes that the device had before this upload, not to be counted as speed
	tenth int
}

func (a *app) progress(step string) *progress {
	p := &progress{app: a, step: step, start: time.Now(), began: -1, stop: func() {}}
	switch {
	case a.flags.quiet:
		p.show = func(smp.Progress) {}
	case a.flags.json:
		p.show = p.json
	case a.errTTY:
		p.bar()
	default:
		p.show = p.lines
	}
	return p
}

// update takes the news of an upload.
func (p *progress) update(n smp.Progress) {
	if p.began < 0 {
		p.began = n.Done // the first chunk of a resumed upload jumps
	}
	p.show(n)
}

// close ends the display; a bar that is not full stays as it is.
func (p *progress) close() { p.stop() }

type progressEvent struct {
	Event    string  `json:"event"`
	Step     string  `json:"step"`
	Done     int     `json:"done"`
	Total    int     `json:"total"`
	InFlight int     `json:"in_flight"`
	Seconds  float64 `json:"seconds"`
}

// jsonEvery keeps the news readable: ten lines a second at most.
const jsonEvery = 100 * time.Millisecond

func (p *progress) json(n smp.Progress) {
	since := time.Since(p.start)
	if step := int(since / jsonEvery); step == p.tenth && n.Done < n.Total {
		return
	} else {
		p.tenth = step
	}
	_ = json.NewEncoder(p.app.err).Encode(progressEvent{"progress", p.step, n.Done, n.Total, n.InFlight,
		since.Seconds()})
}

// lines is for logs: nine lines on the way, for the step itself says when it is done.
func (p *progress) lines(n smp.Progress) {
	tenth := n.Done * 10 / n.Total
	done, since := n.Done-p.began, time.Since(p.start)
	if tenth <= p.tenth || tenth == 10 || done == 0 {
		return
	}
	p.tenth = tenth
	left := time.Duration(float64(since) / float64(done) * float64(n.Total-n.Done))
	fmt.Fprintf(p.app.err, "%-9s %3d%%  %s of %s, %s, %s left\n",
		p.step, tenth*10, size(n.Done), size(n.Total), rate(done, since), span(left))
}

// bar draws on the terminal itself: nothing in it comes from the device.
func (p *progress) bar() {
	bars := mpb.New(mpb.WithOutput(p.app.terminal), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
	bar := bars.New(0, mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"),
		mpb.PrependDecorators(decor.Name(fmt.Sprintf("%-9s ", p.step)), decor.Percentage(decor.WC{W: 4})),
		mpb.AppendDecorators(decor.Any(p.speed)),
		mpb.BarRemoveOnComplete(),
	)
	p.app.bars.Store(bars)
	p.show = func(n smp.Progress) {
		bar.SetTotal(int64(n.Total), false)
		bar.SetCurrent(int64(n.Done))
	}
	p.stop = func() {
		p.app.bars.Store(nil)
		bar.Abort(true)
		bars.Wait()
	}
}

// speed is the text behind the bar: rate and time left.
func (p *progress) speed(s decor.Statistics) string {
	if s.Current == 0 || p.began < 0 {
		return ""
	}
	done, since := int(s.Current)-p.began, time.Since(p.start)
	if done <= 0 {
		return ""
	}
	left := time.Duration(float64(since) / float64(done) * float64(s.Total-s.Current))
	return fmt.Sprintf(" %s, %s left ", rate(done, since), span(left))
}

// say prints a line of news for people, and nothing with --quiet or --json.
func (a *app) say(format string, args ...any) {
	if !a.flags.quiet && !a.flags.json {
		fmt.Fprintf(a.err, format+"\n", args...)
	}
}

// consoleEvent is a line that the device printed.
type consoleEvent struct {
	Event string `json:"event"`
	Text  string `json:"text"`
}

// aside shows a line that the device printed, above the progress bar if there is one. It may be called from any
// goroutine.
func (a *app) aside(line string) {
	if a.flags.quiet || a.flags.json {
		a.event(consoleEvent{"console", line})
		return
	}
	if bars := a.bars.Load(); bars != nil {
		if _, err := fmt.Fprintf(&printableWriter{w: bars}, "%-9s %s\n", "console", line); err == nil {
			return
		}
	}
	a.say("%-9s %s", "console", line)
}

// event prints a line of news for programs, with --json only.
func (a *app) event(v any) {
	if a.flags.json && !a.flags.quiet {
		_ = json.NewEncoder(a.err).Encode(v)
	}
}
