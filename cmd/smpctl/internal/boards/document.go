package boards

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// Document is what came of a command with --all.
type Document struct {
	Boards  []Entry `json:"boards"`  // every board that was meant, in the order of their places
	Passed  int     `json:"passed"`  // number of boards that passed
	Failed  int     `json:"failed"`  // number of boards that did not
	Seconds float64 `json:"seconds"` // how long all of it took

	whole bool // results are pages
}

// Entry is one board of several.
type Entry struct {
	Board    string  `json:"board"`          // its name, as events have it: serial number, else location, else port
	ID       string  `json:"id,omitempty"`   // what names it, see --id; absent if that is not known
	Port     string  `json:"port,omitempty"` // as it was at first
	Attempts int     `json:"attempts"`       // tries; 0 if its turn did not come
	Seconds  float64 `json:"seconds"`        // from its first try to the end of the last one
	// Step is that in which it failed: one of the update, or identity, before, after, record.
	Step   string `json:"step,omitempty"`
	Record string `json:"record,omitempty"` // ID of the record of its last try
	// Result is what the command prints for one board, of the last try; absent if it did not come to that.
	Result app.Result   `json:"result,omitempty"`
	Error  *app.Failure `json:"error,omitempty"` // why it did not pass; absent if it passed
}

// newDocument counts who passed.
func newDocument(entries []Entry, took time.Duration, whole bool) Document {
	d := Document{Boards: entries, Seconds: took.Seconds(), whole: whole}
	for _, e := range entries {
		if e.Error == nil {
			d.Passed++
		} else {
			d.Failed++
		}
	}
	return d
}

// Verdict is how the summary is meant.
func (d Document) Verdict() app.Mark {
	if d.Failed > 0 {
		return app.Failed
	}
	return app.Done
}

// Text prints the pages that the user asked for, or else a table, and one line at the end.
func (d Document) Text(w io.Writer) error {
	show := d.table
	if d.whole {
		show = d.pages
	}
	if err := show(w); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, d.summary())
	return err
}

// pages prints the result of each board below its name.
func (d Document) pages(w io.Writer) error {
	for _, e := range d.Boards {
		fmt.Fprintf(w, "%s:\n", e.called())
		if e.Result != nil {
			if err := e.Result.Text(w); err != nil {
				return err
			}
		}
		if e.Error != nil {
			fmt.Fprintln(w, e.failed())
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return nil
}

// table prints a line for each board.
func (d Document) table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "BOARD\tPORT\tTIME\tRESULT")
	for _, e := range d.Boards {
		result := "passed"
		if b, ok := e.Result.(briefed); ok {
			result = cmp.Or(b.Brief(), result)
		}
		if e.Error != nil {
			result = e.failed()
		}
		if e.Attempts > 1 {
			result += fmt.Sprintf(", %d tries", e.Attempts)
		}
		span := "-"
		if e.Attempts > 0 {
			span = human.Span(time.Duration(e.Seconds * float64(time.Second)))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", e.called(), cmp.Or(screen.Unbroken(e.Port), "-"), span,
			screen.Unbroken(result))
	}
	return t.Flush()
}

// called is what people call the board.
func (e Entry) called() string { return screen.Unbroken(cmp.Or(e.ID, e.Board)) }

// failed is why the board did not pass, in a word or two.
func (e Entry) failed() string {
	if e.Step == "" {
		return e.Error.Kind
	}
	return e.Error.Kind + " in " + e.Step
}

// In the summary stand at most so many boards, each with a name of at most so many columns.
const (
	mostNamed   = 3
	longestName = 16
)

// summary is all of it in one line.
func (d Document) summary() string {
	parts := []string{fmt.Sprintf("%d of %d passed", d.Passed, len(d.Boards))}
	failed := slices.DeleteFunc(slices.Clone(d.Boards), func(e Entry) bool { return e.Error == nil })
	for _, e := range failed[:min(len(failed), mostNamed)] {
		name := e.called()
		if short := screen.Cut(name, longestName); short != name {
			name = short + "…"
		}
		parts = append(parts, name+" "+e.failed())
	}
	if more := len(failed) - mostNamed; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return parts[0] + "; " + strings.Join(parts[1:], ", ")
}
