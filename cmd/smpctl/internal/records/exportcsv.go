package records

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// csvHead are the columns.
var csvHead = []string{"id", "seq", "began", "seconds", "station", "smpctl", "operator", "board", "source", "port",
	"vid", "pid", "serial", "location", "slot", "fields", "file", "file_sha256", "hash", "version", "signature",
	"key_hash", "before", "after", "steps", "bytes_per_second", "measures", "attempt", "result", "kind", "message",
	"resolved", "resolved_by", "resolved_message"}

// csvWriter writes one line for each turn.
type csvWriter struct {
	w    *csv.Writer
	head bool
}

func newCSV(w io.Writer) *csvWriter { return &csvWriter{w: csv.NewWriter(w)} }

func (c *csvWriter) begin() error {
	if c.head {
		return nil
	}
	c.head = true
	return c.w.Write(csvHead)
}

func (c *csvWriter) add(t journal.Turn) error {
	if err := c.begin(); err != nil {
		return err
	}
	i, later := journal.Image{}, journal.Record{}
	if t.Image != nil {
		i = *t.Image
	}
	if t.Resolved != nil {
		later = *t.Resolved
	}
	b := t.Board
	cells := []string{t.ID, strconv.FormatInt(t.Seq, 10), t.Began.UTC().Format(time.RFC3339Nano), number(t.Seconds),
		t.Station.Name, t.Station.Smpctl, t.Operator, b.ID, b.Source, b.Port, b.VID, b.PID, b.Serial, b.Location, b.Slot,
		fieldList(t.Fields), i.File, i.FileSHA256, i.Hash, i.Version, i.Signature, i.KeyHash, slotList(t.Before),
		slotList(t.After), stepList(t.Steps), number(float64(t.BytesPerSecond)), measureList(t.Hooks),
		number(float64(t.Attempt)), string(t.Result), t.Kind, t.Message, string(later.Result), later.Operator, later.Message}
	for n, cell := range cells {
		cells[n] = harmless(cell)
	}
	return c.w.Write(cells)
}

func (c *csvWriter) end() error {
	if err := c.begin(); err != nil {
		return err
	}
	c.w.Flush()
	return c.w.Error()
}

// harmless keeps a spreadsheet from taking a text for a formula, and a terminal from obeying it.
func harmless(cell string) string {
	cell = screen.Unbroken(screen.Escape(cell))
	// The last four are those that some spreadsheets take for the first.
	if strings.ContainsAny(first(strings.TrimLeft(cell, " \u00a0\u3000")), "=+-@＝＋－＠") {
		return "'" + cell
	}
	return cell
}

// first is the first character of a text.
func first(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// number is empty where there is none.
func number(n float64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

func fieldList(fields map[string]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		list = append(list, name+"="+fields[name])
	}
	return strings.Join(list, "; ")
}

func slotList(slots []journal.Slot) string {
	var list []string
	for _, s := range slots {
		list = append(list, fmt.Sprintf("%d.%d=%s", s.Image, s.Slot, s.Version))
	}
	return strings.Join(list, "; ")
}

func stepList(steps []journal.Step) string {
	var list []string
	for _, s := range steps {
		list = append(list, s.Step+"="+strconv.FormatFloat(s.Seconds, 'f', -1, 64))
	}
	return strings.Join(list, "; ")
}

func measureList(hooks []journal.Hook) string {
	var list []string
	for _, h := range hooks {
		for _, m := range h.Measures {
			list = append(list, strings.TrimSpace(fmt.Sprintf("%s=%g %s", m.Name, m.Value, m.Unit)))
		}
	}
	return strings.Join(list, "; ")
}
