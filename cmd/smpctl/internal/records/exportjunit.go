package records

import (
	"bufio"
	"cmp"
	"encoding/xml"
	"fmt"
	"strconv"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// suiteTotals is what stands before the cases of a JUnit file.
type suiteTotals struct {
	tests, failures, errors int
	seconds                 float64
}

func (s *suiteTotals) add(t journal.Turn) error {
	s.tests++
	s.seconds += t.Seconds
	switch t.Outcome() {
	case journal.Fail:
		s.failures++
	case journal.Unknown:
		s.errors++
	}
	return nil
}

// jUnit writes one case for each turn: a board is the test, the image what it is a test of.
type jUnit struct {
	w      *bufio.Writer
	e      *xml.Encoder
	totals suiteTotals
	began  bool
}

func newJUnit(w *bufio.Writer, totals suiteTotals) *jUnit {
	e := xml.NewEncoder(w)
	e.Indent("    ", "  ")
	return &jUnit{w: w, e: e, totals: totals}
}

// testCase is a turn, as JUnit's XML has it.
type testCase struct {
	XMLName    xml.Name   `xml:"testcase"`
	Name       string     `xml:"name,attr"`
	Class      string     `xml:"classname,attr"`
	Seconds    string     `xml:"time,attr"`
	Properties []property `xml:"properties>property,omitempty"`
	Failure    *complaint `xml:"failure"`
	Error      *complaint `xml:"error"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type complaint struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
}

func (j *jUnit) begin() error {
	if j.began {
		return nil
	}
	j.began = true
	s := j.totals
	_, err := fmt.Fprintf(j.w, xml.Header+"<testsuites>\n  <testsuite name=\"smpctl\" tests=\"%d\" failures=\"%d\""+
		" errors=\"%d\" time=\"%.3f\">\n", s.tests, s.failures, s.errors, s.seconds)
	return err
}

func (j *jUnit) add(t journal.Turn) error {
	if err := j.begin(); err != nil {
		return err
	}
	c := testCase{Name: harmlessXML(cmp.Or(t.Board.ID, t.Fields["label"], t.ID)), Class: "smpctl",
		Seconds: strconv.FormatFloat(t.Seconds, 'f', -1, 64)}
	if t.Image != nil && t.Image.Version != "" {
		c.Class = harmlessXML(t.Image.Version)
	}
	c.Properties = propertiesOf(t)
	why := &complaint{harmlessXML(t.Message), harmlessXML(cmp.Or(t.Kind, string(t.Outcome())))}
	switch t.Outcome() {
	case journal.Fail:
		c.Failure = why
	case journal.Unknown:
		c.Error = why
	}
	return j.e.Encode(c)
}

func propertiesOf(t journal.Turn) []property {
	all := []property{{"record", t.ID}, {"began", t.Began.UTC().Format(time.RFC3339Nano)}, {"station", t.Station.Name},
		{"operator", t.Operator}, {"slot", t.Board.Slot}, {"fields", fieldList(t.Fields)}, {"measures", measureList(t.Hooks)}}
	var given []property
	for _, p := range all {
		if p.Value != "" {
			given = append(given, property{p.Name, harmlessXML(p.Value)})
		}
	}
	return given
}

func (j *jUnit) end() error {
	if err := j.begin(); err != nil {
		return err
	}
	if err := j.e.Close(); err != nil {
		return err
	}
	_, err := j.w.WriteString("\n  </testsuite>\n</testsuites>\n")
	return err
}

// harmlessXML is a text without characters that XML or a terminal cannot take.
func harmlessXML(s string) string { return screen.Unbroken(screen.Escape(s)) }
