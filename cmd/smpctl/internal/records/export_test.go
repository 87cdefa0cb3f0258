package records

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// hostile are texts that a board, or who edits records, may send.
var hostile = []string{"=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1", "a,b\"c\nd",
	"<script>alert(1)</script>",
	"]]>", "\x00\x01\x1b[2J", "\u202eabc\u2028", "\xff\xfe", "javascript:alert(1)", "{{.}}", "--><b>", "' onload='x"}

// hostileTurn has a text everywhere.
func hostileTurn(text string) journal.Turn {
	slots := []journal.Slot{{Version: text, Hash: text}}
	r := journal.Record{ID: text, Began: time.Unix(1e9, 0), Seconds: 1,
		Station:  journal.Station{Name: text, Smpctl: text, Config: text},
		Operator: text, Fields: map[string]string{text: text, "label": text},
		Board: journal.Board{ID: text, Source: text, Port: text, VID: text, PID: text,
			Serial: text, Location: text, Slot: text},
		Image:  &journal.Image{File: text, FileSHA256: text, Hash: text, Version: text, Signature: text, KeyHash: text},
		Before: slots, After: slots, Steps: []journal.Step{{Step: text, Seconds: 1}},
		Hooks:  []journal.Hook{{Name: text, Measures: []journal.Measure{{Name: text, Value: 1, Unit: text}}}},
		Result: journal.Result(text), Kind: text, Message: text}
	later := r
	later.Result = journal.Fail
	return journal.Turn{Record: r, Resolved: &later}
}

// TestCSVHasNoFormulas reads back what is written: as many cells as columns, and none that a spreadsheet computes.
func TestCSVHasNoFormulas(t *testing.T) {
	var b bytes.Buffer
	c := newCSV(&b)
	for _, text := range hostile {
		if err := c.add(hostileTurn(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.end(); err != nil {
		t.Fatal(err)
	}
	checkPlain(t, b.String())
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != len(hostile)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for i, cell := range row {
			if strings.ContainsAny(first(strings.TrimSpace(cell)), "=+-@＝") {
				t.Errorf("column %s: %q is a formula", csvHead[i], cell)
			}
		}
	}
}

// TestJUnitIsXML reads back what is written.
func TestJUnitIsXML(t *testing.T) {
	var b bytes.Buffer
	totals := suiteTotals{}
	for _, text := range hostile {
		_ = totals.add(hostileTurn(text))
	}
	w := bufio.NewWriter(&b)
	j := newJUnit(w, totals)
	for _, text := range hostile {
		if err := j.add(hostileTurn(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(j.end(), w.Flush()); err != nil {
		t.Fatal(err)
	}
	checkPlain(t, b.String())
	var got struct {
		Suite struct {
			Tests    int        `xml:"tests,attr"`
			Failures int        `xml:"failures,attr"`
			Cases    []testCase `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if n := len(hostile); got.Suite.Tests != n || got.Suite.Failures != n || len(got.Suite.Cases) != n {
		t.Errorf("%+v, want %d cases that failed", got.Suite, n)
	}
}

// TestReportHasNoForeignElements looks at each element and attribute of a page full of hostile texts.
func TestReportHasNoForeignElements(t *testing.T) {
	f := newFigures()
	for _, text := range hostile {
		turn := hostileTurn(text)
		_ = f.add(turn)
		turn.Resolved = nil
		_ = f.add(turn)
	}
	var b bytes.Buffer
	if err := writePage(&b, newPage(f, hostile[9], time.UTC)); err != nil {
		t.Fatal(err)
	}
	checkPlain(t, b.String())
	allowed := map[string]bool{}
	for name := range strings.FieldsSeq("html head meta title style body header main section h1 h2 p span dl div dt dd " +
		"svg line rect polyline text table thead tbody tr th td details summary") {
		allowed[name] = true
	}
	d := xml.NewDecoder(&b)
	d.Strict, d.AutoClose, d.Entity = false, []string{"meta"}, xml.HTMLEntity
	pictures := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !allowed[e.Name.Local] {
			t.Errorf("element %s", e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "javascript:") {
				t.Errorf("%s has %s=%q", e.Name.Local, a.Name.Local, a.Value)
			}
		}
		if e.Name.Local == "svg" {
			pictures++
		}
	}
	if pictures != 5 {
		t.Errorf("%d pictures, want 5", pictures)
	}
}

// checkPlain sees that nothing in a text could steer a terminal.
func checkPlain(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' {
			t.Errorf("%U in the output", r)
			return
		}
	}
}
