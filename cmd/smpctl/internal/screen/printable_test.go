package screen

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	tests := []struct{ text, people, programs string }{
		{"plain, grün\ttab\n", "plain, grün\ttab\n", "plain, grün\ttab\n"},
		{"\x1b[31m", `\x1b[31m`, `\u001b[31m`},
		{"delete \x7f", `delete \x7f`, `delete \u007f`},
		{"right to left \u202e", `right to left \u202e`, `right to left \u202e`},
		{"tag \U000e0041", `tag \U000e0041`, `tag \udb40\udc41`},
		{"no text \xff", `no text \xff`, `no text \ufffd`},
		{"replaced \ufffd", `replaced \ufffd`, `replaced \ufffd`},
	}
	for _, tt := range tests {
		if got := Escape(tt.text); got != tt.people {
			t.Errorf("Escape(%q) = %q, want %q", tt.text, got, tt.people)
		}
		if got := EscapeJSON(tt.text); got != tt.programs {
			t.Errorf("EscapeJSON(%q) = %q, want %q", tt.text, got, tt.programs)
		}
	}
}

// FuzzEscapeJSON has JSON mean the same once it is harmless.
func FuzzEscapeJSON(f *testing.F) {
	f.Add("\x7f\U000e0041\u202e\x1b\xff")
	f.Fuzz(func(t *testing.T, text string) {
		data, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		escaped := EscapeJSON(string(data))
		var want, got string
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(escaped), &got); err != nil || got != want {
			t.Errorf("%q became %q, %v", want, got, err)
		}
		if strings.ContainsFunc(escaped, Unprintable) {
			t.Errorf("%q is not harmless", escaped)
		}
	})
}
