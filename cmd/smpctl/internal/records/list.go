package records

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/spf13/cobra"
)

func listCommand(a *app.App) *cobra.Command {
	var s selection
	var limit int
	cmd := &cobra.Command{
		Use:        "list",
		SuggestFor: []string{"ls", "log"},
		Short:      "List what became of boards",
		Long: `List what became of boards, in the order in which they were done; those that are being worked on,
or of which no end is known, come last.`,
		Example: "  smpctl records list --since 8h --result fail\n  smpctl records list --dir /srv/line2/records --limit 20",
		Args:    app.Takes(0, 0),
		RunE: a.Run(func(ctx context.Context, _ []string) (app.Result, error) {
			return list(ctx, a, &s, limit)
		}),
	}
	s.register(cmd.Flags())
	app.IntVar(cmd.Flags(), &limit, "limit", "", 1, 1<<30, "only the last `N` of them")
	return cmd
}

// recordList is the result of records list.
type recordList struct {
	Records []listed `json:"records"` // one for each turn of a board
	Total   int      `json:"total"`   // records that were asked for, with those beyond --limit
}

// listed is a turn of a board, in brief.
type listed struct {
	ID       string         `json:"id"`                // of the record: records show takes it, or its beginning
	Began    time.Time      `json:"began"`             // when, in RFC 3339, UTC
	Seconds  float64        `json:"seconds,omitempty"` // how long it took, in seconds; absent if nobody knows
	Board    string         `json:"board,omitempty"`   // what names the board
	Label    string         `json:"label,omitempty"`   // of the board, as it was scanned
	Station  string         `json:"station,omitempty"` // name of the station
	Place    string         `json:"place,omitempty"`   // where it was: slot on the fixture, or else the port
	Version  string         `json:"version,omitempty"`
	Result   journal.Result `json:"result"`             // pass, fail or unknown; what a person found out counts
	Resolved bool           `json:"resolved,omitempty"` // a person found it out later
	Kind     string         `json:"kind,omitempty"`     // of failure, as exit codes have them
	Message  string         `json:"message,omitempty"`
}

func newListed(t journal.Turn) listed {
	l := listed{ID: t.ID, Began: t.Began, Seconds: t.Seconds, Board: t.Board.ID, Label: t.Fields["label"],
		Station: t.Station.Name, Place: cmp.Or(t.Board.Slot, t.Board.Port), Result: t.Outcome(), Kind: t.Kind,
		Message: t.Message, Resolved: t.Resolved != nil}
	if t.Image != nil {
		l.Version = t.Image.Version
	}
	return l
}

func list(ctx context.Context, a *app.App, s *selection, limit int) (app.Result, error) {
	r := recordList{Records: []listed{}}
	err := s.each(ctx, a, func(t journal.Turn) error {
		r.Total++
		r.Records = append(r.Records, newListed(t))
		if limit > 0 && len(r.Records) >= 2*limit {
			r.Records = append(r.Records[:0], r.Records[len(r.Records)-limit:]...)
		}
		return nil
	})
	if limit > 0 && len(r.Records) > limit {
		r.Records = r.Records[len(r.Records)-limit:]
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// shortID is enough of an ID for a table: the time in it.
const shortID = 13

func (l recordList) Text(w io.Writer) error {
	if len(l.Records) == 0 {
		_, err := fmt.Fprintln(w, "no records")
		return err
	}
	head := []string{"ID", "BEGAN", "TOOK", "BOARD", "PLACE", "VERSION", "RESULT", "WHY"}
	widths := widen(make([]int, len(head)), head)
	for _, r := range l.Records {
		widths = widen(widths, r.cells())
	}
	if err := writeRow(w, widths, head); err != nil {
		return err
	}
	for _, r := range l.Records {
		if err := writeRow(w, widths, r.cells()); err != nil {
			return err
		}
	}
	if n := len(l.Records); n < l.Total {
		_, err := fmt.Fprintf(w, "the last %d of %s\n", n, human.Count(l.Total, "record"))
		return err
	}
	return nil
}

// widen makes columns as wide as the cells of a row. A table of many rows is never in memory as a whole.
func widen(widths []int, cells []string) []int {
	for i, c := range cells {
		widths[i] = max(widths[i], utf8.RuneCountInString(c))
	}
	return widths
}

// writeRow writes a row, its last cell as long as it is.
func writeRow(w io.Writer, widths []int, cells []string) error {
	var b strings.Builder
	for i, c := range cells[:len(cells)-1] {
		b.WriteString(c)
		b.WriteString(strings.Repeat(" ", widths[i]+2-utf8.RuneCountInString(c)))
	}
	_, err := io.WriteString(w, b.String()+cells[len(cells)-1]+"\n")
	return err
}

func (r listed) cells() []string {
	why := r.Kind
	if r.Message != "" {
		why = strings.TrimPrefix(r.Kind+": "+r.Message, ": ")
	}
	result := string(r.Result)
	if r.Resolved {
		result += "*"
	}
	cells := []string{r.ID[:min(len(r.ID), shortID)], r.Began.Local().Format(time.DateTime), "",
		cmp.Or(r.Board, r.Label), r.Place, r.Version, result, why}
	if r.Seconds > 0 {
		cells[2] = fmt.Sprintf("%.1f s", r.Seconds)
	}
	for i, c := range cells {
		cells[i] = screen.Unbroken(screen.Escape(cmp.Or(c, "-"))) // as wide as it will be
	}
	return cells
}
