package records

import (
	"cmp"
	"context"
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/spf13/cobra"
)

//go:embed report.html
var reportPage string

func reportCommand(a *app.App) *cobra.Command {
	var s selection
	var out, title string
	cmd := &cobra.Command{
		Use:   "report -o <file>",
		Short: "Write a page with pictures: boards per hour, yield, failures",
		Long: `Write a page with pictures: boards per hour, yield, first-pass yield, failures by kind and by place,
seconds per step. It is one file, which any browser shows and prints, without a network.`,
		Example: "  smpctl records report -o report.html\n  smpctl records report --since 24h --title 'Line 2' -o today.html",
		Args:    app.Takes(0, 0),
		RunE: a.Run(func(ctx context.Context, _ []string) (app.Result, error) {
			return report(ctx, a, &s, out, title)
		}),
	}
	s.register(cmd.Flags())
	cmd.Flags().StringVarP(&out, "output", "o", "", "write the page to this `file`")
	cmd.Flags().StringVar(&title, "title", "Records of boards", "title of the page")
	app.Require(cmd, "output")
	return cmd
}

// reported is the result of records report.
type reported struct {
	Output  string `json:"output"`
	Records int    `json:"records"` // turns of boards
	Pass    int    `json:"pass"`    // of them
	Fail    int    `json:"fail"`    // of them
	Unknown int    `json:"unknown"` // of them
	Boards  int    `json:"boards"`  // different ones
	// FirstPassYield is the share of boards whose first turn passed; absent if no board has a name.
	FirstPassYield *float64 `json:"first_pass_yield_percent,omitempty"`
}

func (r reported) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %s, %d passed, %d failed, %d unknown\n", r.Output, human.Count(r.Records, "record"),
		r.Pass, r.Fail, r.Unknown)
	return err
}

func report(ctx context.Context, a *app.App, s *selection, out, title string) (app.Result, error) {
	f := newFigures()
	if err := s.each(ctx, a, f.add); err != nil {
		return nil, err
	}
	file, err := files.Create(out, files.Options{})
	if err != nil {
		return nil, err
	}
	defer file.Discard()
	if err := writePage(file, newPage(f, title, time.Local)); err != nil {
		return nil, files.FileError(out, err)
	}
	r := reported{out, f.Total(), f.Pass, f.Fail, f.Unknown, len(f.boards), nil}
	if r.Boards > 0 {
		yield := round(f.firstPass())
		r.FirstPassYield = &yield
	}
	return r, file.Commit()
}

// page is what the template shows.
type page struct {
	Title, Span, Each    string
	Turns                counts
	Boards, FirstPassed  int
	FirstPass            float64
	PerPeriod, Yield     chart
	Kinds, Steps, Places chart
	ByKind, ByStep       []named
	ByPlace              []named
	Periods              []pagePeriod
	Failures             []pageFailure
}

type pagePeriod struct {
	From string
	counts
}

type pageFailure struct{ Began, Board, Place, Version, Result, Why, ID string }

func newPage(f *figures, title string, zone *time.Location) page {
	list, each := f.periods(zone)
	p := page{Title: title, Turns: f.counts, Boards: len(f.boards), FirstPassed: f.firstPassed, FirstPass: f.firstPass(),
		Each: eachText(each), PerPeriod: boardsChart(list, each), Yield: yieldChart(list, each),
		ByKind: f.byKind(), ByStep: f.byStep(), ByPlace: f.byPlace()}
	if !f.first.IsZero() {
		p.Span = f.first.In(zone).Format("2006-01-02 15:04") + " to " + f.last.In(zone).Format("2006-01-02 15:04 MST")
	}
	p.Kinds = rows(p.ByKind, func(n named) float64 { return float64(n.N) }, none,
		func(n named) string { return fmt.Sprintf("%d (%.1f %%)", n.N, percent(n.N, f.Fail)) }, "fail")
	p.Steps = rows(p.ByStep, func(n named) float64 { return n.Median }, func(n named) float64 { return n.P95 },
		func(n named) string { return fmt.Sprintf("%.1f s, 95 %% within %.1f s", n.Median, n.P95) }, "step")
	p.Places = rows(p.ByPlace, func(n named) float64 { return n.Yield() }, none,
		func(n named) string { return fmt.Sprintf("%.1f %% of %d", n.Yield(), n.Total()) }, "pass")
	for _, q := range list {
		if q.Total() > 0 {
			p.Periods = append(p.Periods, pagePeriod{periodText(q, each), q.counts})
		}
	}
	for i := len(f.failures) - 1; i >= max(0, len(f.failures)-mostFailures); i-- {
		p.Failures = append(p.Failures, newPageFailure(f.failures[i], zone))
	}
	return p
}

func eachText(each time.Duration) string {
	switch days := each.Hours() / 24; {
	case days < 1:
		return "hour"
	case days == 1:
		return "day"
	case days == 7:
		return "week"
	default:
		return fmt.Sprintf("%.0f days", days)
	}
}

func newPageFailure(t journal.Turn, zone *time.Location) pageFailure {
	l := newListed(t)
	why := newEntry(t).verdict()
	return pageFailure{l.Began.In(zone).Format(time.DateTime), cmp.Or(l.Board, l.Label), l.Place, l.Version,
		string(l.Result), why, l.ID}
}

// drawn is a picture in its place on the page.
type drawn struct {
	chart
	ID, Alt string
}

func newDrawn(c chart, id, alt string) drawn { return drawn{c, id, alt} }

// writePage writes a page. The template escapes all text for where it stands; what has no picture of its own, such as a
// character that turns the direction of text around, is written as Go writes it.
func writePage(w io.Writer, p page) error {
	plain := func(s string) string { return screen.Unbroken(screen.Escape(s)) }
	t, err := template.New("report").Funcs(template.FuncMap{"plain": plain, "drawn": newDrawn}).Parse(reportPage)
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}
