package app

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/smp"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Progress shows how an upload goes: a bar on a terminal, a line per tenth elsewhere, JSON lines with --json, nothing
// with --quiet.
type Progress struct {
	app   *App
	step  string
	Start time.Time
	show  func(smp.Progress)
	stop  func()

	began int // bytes that the device had before this upload, not to be counted as speed
	tenth int
}

func (a *App) Progress(step string) *Progress {
	p := &Progress{app: a, step: step, Start: time.Now(), began: -1, stop: func() {}}
	switch {
	case a.Flags.Quiet:
		p.show = func(smp.Progress) {}
	case a.Flags.JSON:
		p.show = p.json
	case a.ErrTTY:
		p.bar()
	default:
		p.show = p.lines
	}
	return p
}

// Update takes the news of an upload.
func (p *Progress) Update(n smp.Progress) {
	if p.began < 0 {
		p.began = n.Done // the first chunk of a resumed upload jumps
	}
	p.show(n)
}

// Close ends the display; a bar that is not full stays as it is.
func (p *Progress) Close() { p.stop() }

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

func (p *Progress) json(n smp.Progress) {
	since := time.Since(p.Start)
	if step := int(since / jsonEvery); step == p.tenth && n.Done < n.Total {
		return
	} else {
		p.tenth = step
	}
	_ = json.NewEncoder(p.app.Err).Encode(progressEvent{"progress", p.step, n.Done, n.Total, n.InFlight,
		since.Seconds()})
}

// lines is for logs: nine lines on the way, for the step itself says when it is done.
func (p *Progress) lines(n smp.Progress) {
	tenth := n.Done * 10 / n.Total
	done, since := n.Done-p.began, time.Since(p.Start)
	if tenth <= p.tenth || tenth == 10 || done == 0 {
		return
	}
	p.tenth = tenth
	left := time.Duration(float64(since) / float64(done) * float64(n.Total-n.Done))
	fmt.Fprintf(p.app.Err, "%-9s %3d%%  %s of %s, %s, %s left\n",
		p.step, tenth*10, human.Size(n.Done), human.Size(n.Total), human.Rate(done, since), human.Span(left))
}

// bar draws on the terminal itself: nothing in it comes from the device.
func (p *Progress) bar() {
	bars := mpb.New(mpb.WithOutput(p.app.Terminal), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
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
func (p *Progress) speed(s decor.Statistics) string {
	if s.Current == 0 || p.began < 0 {
		return ""
	}
	done, since := int(s.Current)-p.began, time.Since(p.Start)
	if done <= 0 {
		return ""
	}
	left := time.Duration(float64(since) / float64(done) * float64(s.Total-s.Current))
	return fmt.Sprintf(" %s, %s left ", human.Rate(done, since), human.Span(left))
}

// Say prints a line of news for people, and nothing with --quiet or --json.
func (a *App) Say(format string, args ...any) {
	if !a.Flags.Quiet && !a.Flags.JSON {
		fmt.Fprintf(a.Err, format+"\n", args...)
	}
}

// ConsoleEvent is a line that the device printed.
type ConsoleEvent struct {
	Event string `json:"event"`
	Text  string `json:"text"`
}

// Aside shows a line that the device printed, above the progress bar if there is one. It may be called from any
// goroutine.
func (a *App) Aside(line string) {
	if a.Flags.Quiet || a.Flags.JSON {
		a.Event(ConsoleEvent{"console", line})
		return
	}
	if bars := a.bars.Load(); bars != nil {
		if _, err := fmt.Fprintf(&screen.Printable{W: bars}, "%-9s %s\n", "console", line); err == nil {
			return
		}
	}
	a.Say("%-9s %s", "console", line)
}

// Event prints a line of news for programs, with --json only.
func (a *App) Event(v any) {
	if a.Flags.JSON && !a.Flags.Quiet {
		_ = json.NewEncoder(a.Err).Encode(v)
	}
}
