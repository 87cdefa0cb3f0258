package boards

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

func TestParseMeasure(t *testing.T) {
	number := func(v float64) *float64 { return &v }
	for _, tt := range []struct {
		line string
		want journal.Measure
	}{
		{`{"measure":{"name":"vbat","value":3.29,"min":3.2,"max":3.4,"unit":"V"}}`,
			journal.Measure{Name: "vbat", Value: 3.29, Min: number(3.2), Max: number(3.4), Unit: "V"}},
		{` { "measure" : {"name": "current", "value": -1e-3, "max": null}} `,
			journal.Measure{Name: "current", Value: -1e-3}},
		{`{"measure":{"value":0,"name":"größe","unit":"µA"}}`, journal.Measure{Name: "größe", Unit: "µA"}},
	} {
		got, is, err := parseMeasure(tt.line)
		if diff := cmp.Diff(tt.want, got); diff != "" || !is || err != nil {
			t.Errorf("%s: %v, %v (-want +got):\n%s", tt.line, is, err, diff)
		}
	}
}

// TestParseMeasureOfOthers leaves alone what a program prints besides.
func TestParseMeasureOfOthers(t *testing.T) {
	for _, line := range []string{
		"", "measure", "vbat 3.3", "{", "{}", "[1]", `{"measures":{"name":"a"}}`, `{"name":"a","measure":{}}`,
		`"measure":{"name":"a","value":1}`, `x {"measure":{"name":"a","value":1}}`,
	} {
		if _, is, err := parseMeasure(line); is || err != nil {
			t.Errorf("%s: taken for a measure, error %v", line, err)
		}
	}
}

// TestMeasuresThatFail are lines after which no board passes.
func TestMeasuresThatFail(t *testing.T) {
	for line, want := range map[string]string{
		`{"measure":{"name":"vbat","value":3.1,"min":3.2,"unit":"V"}}`:        "vbat is 3.1 V, and has to be at",
		`{"measure":{"name":"vbat","value":3.5,"min":3.2,"max":3.4}}`:         "vbat is 3.5, and may be at most 3.4",
		`{"measure":{"name":"x","value":1,"min":2,"max":0}}`:                  "at least 2",
		`{"measure":{"name":"x","value":1,"mim":2}}`:                          `unknown field "mim"`,
		`{"measure":{"name":"x","value":1},"more":1}`:                         `unknown field "more"`,
		`{"measure":{"name":"x","value":1}} {"measure":{"name":"y"}}`:         "something stands behind it",
		`{"measure":{"name":"x","value":1}`:                                   "unexpected EOF",
		`{"measure":{"name":"x"}}`:                                            "it has no value",
		`{"measure":{"name":"x","value":null}}`:                               "it has no value",
		`{"measure":{"name":"x","value":"3.3"}}`:                              "a measure that is none",
		`{"measure":{"name":"x","value":1e999}}`:                              "a measure that is none",
		`{"measure":{"name":"x","value":NaN}}`:                                "a measure that is none",
		`{"measure":{"name":"","value":1}}`:                                   "its name has to have",
		`{"measure":{"value":1}}`:                                             "its name has to have",
		`{"measure":null}`:                                                    "its name has to have",
		`{"measure":[]}`:                                                      "a measure that is none",
		`{"measure":{"name":"a\u001b[2J","value":1}}`:                         "its name has to have",
		`{"measure":{"name":"a\nb","value":1}}`:                               "its name has to have",
		`{"measure":{"name":"x","value":1,"unit":"` + repeat("u", 17) + `"}}`: "its unit has to have",
		`{"measure":{"name":"` + repeat("n", 65) + `","value":1}}`:            "its name has to have",
		`{"measure":` + repeat("[", 4000):                                     "a measure that is none",
	} {
		var m measures
		m.line(`{"measure":{"name":"before","value":1}}`)
		m.line(line)
		m.line(`{"measure":{"name":"behind","value":1}}`)
		if m.wrong == nil || !strings.Contains(m.wrong.Error(), want) {
			t.Errorf("%.80s: got %v, want %q", line, m.wrong, want)
		}
	}
}

// TestMeasuresAreBounded prints without end: a record has to hold what is kept.
func TestMeasuresAreBounded(t *testing.T) {
	var m measures
	for range maxMeasures {
		m.line(`{"measure":{"name":"x","value":1}}`)
	}
	if m.wrong != nil || len(m.list) != maxMeasures {
		t.Fatalf("%d measures, error %v", len(m.list), m.wrong)
	}
	for range 10 {
		m.line(`{"measure":{"name":"x","value":1}}`)
	}
	if m.wrong == nil || len(m.list) != maxMeasures {
		t.Errorf("%d measures, error %v", len(m.list), m.wrong)
	}
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }

func FuzzParseMeasure(f *testing.F) {
	f.Add(`{"measure":{"name":"vbat","value":3.29,"min":3.2,"max":3.4,"unit":"V"}}`)
	f.Fuzz(func(t *testing.T, line string) {
		m, is, err := parseMeasure(line)
		if err == nil && is && (!label(m.Name, maxMeasureName) || m.Name == "" || !label(m.Unit, maxMeasureUnit)) {
			t.Errorf("%q is taken as %+v", line, m)
		}
	})
}
