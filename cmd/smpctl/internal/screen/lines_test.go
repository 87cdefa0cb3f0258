package screen

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLineSplitter(t *testing.T) {
	long := strings.Repeat("x", maxTextLine)
	tests := []struct {
		name   string
		pieces []string
		want   []string
		rest   string
	}{
		{"whole", []string{"one\ntwo\r\n"}, []string{"one", "two"}, ""},
		{"cut anywhere", []string{"o", "ne\r", "\ntw", "o\nthree"}, []string{"one", "two"}, "three"},
		{"empty lines", []string{"\n\r\n"}, []string{"", ""}, ""},
		{"endless", []string{long + "y\n"}, []string{long, "y"}, ""},
		{"endless, in pieces", []string{long[1:], "z", "y"}, []string{long[1:] + "z"}, "y"},
	}
	for _, tt := range tests {
		var s Lines
		var got []string
		for _, p := range tt.pieces {
			s.Feed([]byte(p), func(line string) { got = append(got, line) })
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || s.Pending() != tt.rest {
			t.Errorf("%s: rest %q, want %q (-want +got):\n%s", tt.name, s.Pending(), tt.rest, diff)
		}
	}
}
