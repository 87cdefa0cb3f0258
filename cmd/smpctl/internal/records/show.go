package records

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/spf13/cobra"
)

func showCommand(a *app.App) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "show <record or board>",
		Short: "Show all that is known of a record, or of a board",
		Long: `Show all that is known of a record, by its ID or the beginning of it, or of a board, by its ID,
serial number or label: each of its turns.`,
		Example: "  smpctl records show 019f7a3c-11e2\n  smpctl records show SN0815",
		Args:    app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			turns, err := find(ctx, a, dir, args[0])
			if err != nil {
				return nil, err
			}
			return shown{turns}, nil
		}),
	}
	folderFlag(cmd.Flags(), &dir)
	return cmd
}

// shown is the result of records show.
type shown struct {
	Records []entry `json:"records"` // one for each turn
}

// entry is a turn of a board, with all that is known of it.
type entry struct {
	journal.Record
	Resolved *resolvedAs `json:"resolved,omitempty"` // what a person found out later
}

// resolvedAs is what a person found out about a board.
type resolvedAs struct {
	Result   journal.Result `json:"result"` // pass or fail
	Message  string         `json:"message,omitempty"`
	Operator string         `json:"operator,omitempty"` // who says so
	Written  time.Time      `json:"written"`            // when, in RFC 3339, UTC
}

func newEntry(t journal.Turn) entry {
	e := entry{Record: t.Record}
	if r := t.Resolved; r != nil {
		e.Resolved = &resolvedAs{r.Result, r.Message, r.Operator, r.Began}
	}
	return e
}

const leastPrefix = 4 // digits of an ID

// find looks for the turns of a board, or for those whose ID begins so.
func find(ctx context.Context, a *app.App, dir, name string) ([]entry, error) {
	s := selection{dir: dir}
	var found []entry
	err := s.each(ctx, a, func(t journal.Turn) error {
		prefix := len(name) >= leastPrefix && strings.HasPrefix(t.ID, strings.ToLower(name))
		if prefix || isOf(t.Record, name) {
			found = append(found, newEntry(t))
		}
		return nil
	})
	if err == nil && found == nil {
		err = failure.WithHint(failure.Usage("%s: no record or board is called %s", dir, name),
			"smpctl records list shows them all")
	}
	return found, err
}

func (s shown) Text(w io.Writer) error {
	for i, e := range s.Records {
		if i > 0 {
			fmt.Fprintln(w)
		}
		for _, row := range e.rows() {
			if _, err := fmt.Fprintf(w, "%-10s %s\n", row[0], screen.Unbroken(row[1])); err != nil {
				return err
			}
		}
	}
	return nil
}

// rows are what is known, each with its name.
func (e entry) rows() (rows [][2]string) {
	add := func(name, form string, parts ...any) {
		for _, p := range parts {
			if p == "" {
				return
			}
		}
		rows = append(rows, [2]string{name, fmt.Sprintf(form, parts...)})
	}
	add("record", "%s", e.ID)
	add("began", "%s", e.Began.Local().Format(time.DateTime+" MST"))
	add("result", "%s", e.verdict())
	if e.Seconds > 0 {
		add("took", "%s", human.Span(time.Duration(e.Seconds*float64(time.Second))))
	}
	add("board", "%s", e.Board.ID)
	add("id from", "%s", e.Board.Source)
	add("usb", "%s:%s", e.Board.VID, e.Board.PID)
	add("serial", "%s", e.Board.Serial)
	add("port", "%s", e.Board.Port)
	add("location", "%s", e.Board.Location)
	add("slot", "%s", e.Board.Slot)
	add("station", "%s", e.Station.Name)
	add("operator", "%s", e.Operator)
	add("smpctl", "%s", e.Station.Smpctl)
	add("config", "%s", e.Station.Config)
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		add("field", "%s = %s", name, e.Fields[name])
	}
	if i := e.Image; i != nil {
		add("file", "%s", i.File)
		add("sha256", "%s", i.FileSHA256)
		add("version", "%s", i.Version)
		add("hash", "%s", i.Hash)
		add("signature", "%s", i.Signature)
		add("key", "%s", i.KeyHash)
	}
	for _, s := range e.Before {
		add("before", "%s", slotLine(s))
	}
	for _, s := range e.After {
		add("after", "%s", slotLine(s))
	}
	for _, s := range e.Steps {
		add("step", "%s, %.1f s", s.Step, s.Seconds)
	}
	if e.BytesPerSecond > 0 {
		add("rate", "%s", human.Rate(e.BytesPerSecond, time.Second))
	}
	for _, h := range e.Hooks {
		add("ran", "%s, exit code %d, %.1f s", h.Name, h.Exit, h.Seconds)
		for _, m := range h.Measures {
			add("measured", "%s", measureLine(m))
		}
	}
	if e.Attempt > 1 {
		add("attempt", "%d", e.Attempt)
	}
	add("console", "sha256 %s", e.ConsoleSHA256)
	return rows
}

// verdict is the result and why.
func (e entry) verdict() string {
	text := string(e.Result)
	for _, part := range []string{e.Kind, e.Message} {
		if part != "" {
			text += ": " + part
		}
	}
	if r := e.Resolved; r != nil {
		text += fmt.Sprintf("; then %s", r.Result)
		if r.Operator != "" {
			text += ", says " + r.Operator
		}
		if r.Message != "" {
			text += ": " + r.Message
		}
	}
	return text
}

func slotLine(s journal.Slot) string {
	line := fmt.Sprintf("image %d slot %d: %s", s.Image, s.Slot, s.Version)
	for _, mark := range []struct {
		is   bool
		text string
	}{{s.Active, "active"}, {s.Confirmed, "confirmed"}, {s.Pending, "pending"}, {s.Permanent, "permanent"}} {
		if mark.is {
			line += ", " + mark.text
		}
	}
	if s.Hash != "" {
		line += ", hash " + s.Hash[:min(16, len(s.Hash))]
	}
	return line
}

func measureLine(m journal.Measure) string {
	line := strings.TrimSpace(fmt.Sprintf("%s = %g %s", m.Name, m.Value, m.Unit))
	if m.Min != nil {
		line += fmt.Sprintf(", at least %g", *m.Min)
	}
	if m.Max != nil {
		line += fmt.Sprintf(", at most %g", *m.Max)
	}
	return line
}
