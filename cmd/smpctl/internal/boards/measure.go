package boards

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// What a program of the user may measure: a record has to hold it.
const (
	maxMeasures    = 1000 // in one run
	maxMeasureName = 64   // characters of a name
	maxMeasureUnit = 16   // characters of a unit
)

// measures are those that a program has printed so far. The first one that is not understood or outside its limits
// fails the board: nobody may take it for good.
type measures struct {
	list  []journal.Measure
	wrong error
}

// line takes a line that the program printed.
func (m *measures) line(text string) {
	measure, is, err := parseMeasure(text)
	switch {
	case !is:
		return
	case err == nil && len(m.list) == maxMeasures:
		err = fmt.Errorf("prints more than %d measures", maxMeasures)
	case err == nil:
		m.list = append(m.list, measure)
		err = outside(measure)
	}
	if m.wrong == nil {
		m.wrong = err
	}
}

// meantAsMeasure is how a line begins that is a measure, or was to be one.
var meantAsMeasure = regexp.MustCompile(`^\s*\{\s*"measure"\s*:`)

// parseMeasure reads a line {"measure":{…}}. It is none if it does not begin so: programs print what they like. What
// does begin so has to be right to the last key, for a limit that is spelled wrong would never be looked at.
func parseMeasure(text string) (m journal.Measure, is bool, err error) {
	if !meantAsMeasure.MatchString(text) {
		return m, false, nil
	}
	var line struct {
		Measure struct {
			Name  string   `json:"name"`
			Value *float64 `json:"value"`
			Min   *float64 `json:"min"`
			Max   *float64 `json:"max"`
			Unit  string   `json:"unit"`
		} `json:"measure"`
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	got := &line.Measure
	problem := ""
	switch err := d.Decode(&line); {
	case err != nil:
		problem = strings.TrimPrefix(err.Error(), "json: ")
	case more(d):
		problem = "something stands behind it"
	case !label(got.Name, maxMeasureName) || got.Name == "":
		problem = fmt.Sprintf("its name has to have 1 to %d printable characters", maxMeasureName)
	case !label(got.Unit, maxMeasureUnit):
		problem = fmt.Sprintf("its unit has to have at most %d printable characters", maxMeasureUnit)
	case got.Value == nil:
		problem = "it has no value"
	}
	if problem != "" {
		return m, true, errors.New("prints a measure that is none: " + problem)
	}
	return journal.Measure{Name: got.Name, Value: *got.Value, Min: got.Min, Max: got.Max, Unit: got.Unit}, true, nil
}

// more reports whether there is anything but white space left.
func more(d *json.Decoder) bool {
	_, err := d.Token()
	return !errors.Is(err, io.EOF)
}

// label reports whether a text is short and harmless enough to stand in a table.
func label(s string, most int) bool {
	return utf8.RuneCountInString(s) <= most && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return r == '\n' || r == '\t' || screen.Unprintable(r) })
}

// outside is the error of a measure that is outside its limits; nil if it is within them or has none.
func outside(m journal.Measure) error {
	number := func(v float64) string { return strings.TrimSpace(strconv.FormatFloat(v, 'g', -1, 64) + " " + m.Unit) }
	switch {
	case m.Min != nil && m.Value < *m.Min:
		return fmt.Errorf("%s is %s, and has to be at least %s", m.Name, number(m.Value), number(*m.Min))
	case m.Max != nil && m.Value > *m.Max:
		return fmt.Errorf("%s is %s, and may be at most %s", m.Name, number(m.Value), number(*m.Max))
	}
	return nil
}
