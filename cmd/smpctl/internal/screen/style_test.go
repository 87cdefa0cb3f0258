package screen

import (
	"strings"
	"testing"
)

func TestCut(t *testing.T) {
	tests := []struct {
		text  string
		limit int
		want  string
	}{
		{"waiting for the device", 80, "waiting for the device"},
		{"waiting for the device", 11, "waiting for"},
		{"waiting for the device", 12, "waiting for"}, // no space at the end
		{"waiting", 0, ""},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日本"},
		{"a…b", 3, "a…"}, // which some terminals show as wide as two
		{"", 3, ""},
	}
	for _, tt := range tests {
		if got := Cut(tt.text, tt.limit); got != tt.want || Columns(got) > tt.limit {
			t.Errorf("Cut(%q, %d) = %q of %d columns, want %q", tt.text, tt.limit, got, Columns(got), tt.want)
		}
	}
}

func TestWrap(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"short", "no reply", "no reply"},
		{"empty", "", ""},
		{"cut at spaces", "check port, baud rate and cable", "check port,\n  baud rate\n  and cable"},
		{"exactly as wide", "123456 8901 345", "123456 8901\n  345"},
		{"a long word", "/a/very/long/path is not there", "/a/very/long/path\n  is not\n  there"},
		{"a long word behind others", "open /a/very/long/path now", "open\n  /a/very/long/path\n  now"},
		{"lines of its own", "one\ntwo three four", "one\n  two three\n  four"},
	}
	for _, tt := range tests {
		if got := Wrap(tt.text, 11, 2); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestPaint(t *testing.T) {
	if got := Green.Paint("done"); got != "\x1b[32mdone\x1b[0m" {
		t.Errorf("green: %q", got)
	}
	if got := Plain.Paint("text") + Green.Paint(""); strings.Contains(got, "\x1b") {
		t.Errorf("nothing to paint: %q", got)
	}
}
