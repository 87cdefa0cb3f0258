package screen

import (
	"bytes"
	"regexp"
	"testing"
	"unicode/utf8"
)

func TestTerminalText(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"text", "plain, grün\ttab\r\n", "plain, grün\ttab\r\n"},
		{"colour", "\x1b[1;31mred\x1b[m", "\x1b[1;31mred\x1b[m"},
		{"editing a line", "abc\x1b[2D\x1b[C\x1b[K\x1b[J\b", "abc\x1b[2D\x1b[C\x1b[K\x1b[J\b"},
		{"clear screen", "\x1b[2J\x1b[H", `\x1b[2J\x1b[H`},
		{"cursor up", "\x1b[5A", `\x1b[5A`},
		{"window title", "\x1b]0;pwned\x07", `\x1b]0;pwned\x07`},
		{"clipboard", "\x1b]52;c;ZWNobw==\x1b\\", `\x1b]52;c;ZWNobw==\x1b\`},
		{"device control", "\x1bP+q544e\x1b\\", `\x1bP+q544e\x1b\`},
		{"question", "\x1b[6n", `\x1b[6n`},
		{"private", "\x1b[?1049h\x1b[>m", `\x1b[?1049h\x1b[>m`},
		{"8 bit", "\x9b31m", `\x9b31m`},
		{"C1 in UTF-8", "\u009b31m", `\u009b31m`},
		{"direction", "a\u202eb", `a\u202eb`},
		{"bell, null, delete", "\x07\x00\x7f", `\x07\x00\x7f`},
		{"no text", "\xff\xc3", `\xff\xc3`},
		{"two escapes", "\x1b\x1b[31mx", `\x1b` + "\x1b[31mx"},
		{"cut off", "x\x1b[3", `x\x1b\x5b\x33`},
		{"numbers without end", "\x1b[1111111111111111111111111111111111111m",
			`\x1b[1111111111111111111111111111111111111m`},
	}
	for _, tt := range tests {
		for step := range []int{0, 1, 2} {
			var out bytes.Buffer
			w := &Terminal{W: &out}
			for p := []byte(tt.text); len(p) > 0; {
				n := len(p)
				if step > 0 {
					n = min(step, n)
				}
				if _, err := w.Write(p[:n]); err != nil {
					t.Fatal(err)
				}
				p = p[n:]
			}
			w.dirty = false
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if tt.name == "numbers without end" && step == 0 {
				continue // in one piece it has an end, and does no harm
			}
			if got := out.String(); got != tt.want {
				t.Errorf("%s, %d bytes at a time: got %q, want %q", tt.name, step, got, tt.want)
			}
		}
	}
}

func TestTerminalTextBeginsLines(t *testing.T) {
	var out bytes.Buffer
	w := &Terminal{W: &out, Raw: true}
	for _, p := range []string{"a\nb\r", "\nc\r\n\x1b[32md"} {
		if _, err := w.Write([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "a\r\nb\r\nc\r\n\x1b[32md\x1b[0m\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzTerminalText has nothing but text and harmless sequences reach the terminal.
func FuzzTerminalText(f *testing.F) {
	f.Add([]byte("\x1b[1;31mred\x1b]0;x\x07\x9b"), 3)
	f.Add([]byte("\x1b[\x1b[2J\xc2\x9b\u202e"), 1)
	harmless := regexp.MustCompile(`\x1b\[[0-9;]*[mCDK]|\x1b\[0?J`)
	f.Fuzz(func(t *testing.T, p []byte, at int) {
		var out bytes.Buffer
		w := &Terminal{W: &out}
		at = min(max(at, 0), len(p))
		_, _ = w.Write(p[:at])
		_, _ = w.Write(p[at:])
		_ = w.Close()
		rest := harmless.ReplaceAll(out.Bytes(), nil)
		if !utf8.Valid(rest) ||
			bytes.ContainsFunc(rest, func(r rune) bool { return r != '\r' && r != '\b' && Unprintable(r) }) {
			t.Errorf("%q cut at %d: the terminal gets %q", p, at, out.Bytes())
		}
	})
}
