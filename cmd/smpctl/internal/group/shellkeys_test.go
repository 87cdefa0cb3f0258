package group

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// TestShellKeys types at the line editor and looks at the lines that it gives.
func TestShellKeys(t *testing.T) {
	tests := []struct {
		name, typed string
		want        []string
	}{
		{"no special key", "one\rtwo\r", []string{"one", "two"}},
		{"Ctrl-C clears the line", "wrong\x03right\r", []string{"right"}},
		{"Ctrl-C in the middle of a line", "wrong\x02\x02\x03right\r", []string{"right"}},
		{"Ctrl-C on an empty line", "\x03right\r", []string{"right"}},
		{"Ctrl-C again and again", "a\x03b\x03\x03c\x03right\r", []string{"right"}},
		{"Ctrl-C after a line in the same moment", "one\r\x03two\r", []string{"one", "two"}},
		{"Ctrl-C after half a key", "wrong\x1b[\x03right\r", []string{"right"}},
		{"Ctrl-D leaves on an empty line", "one\r\x04two\r", []string{"one"}},
		{"Ctrl-D after Ctrl-C", "wrong\x03\x04two\r", nil},
		{"Ctrl-] leaves at once", "one\rtw\x1dthree\r", []string{"one"}},
		{"a line that says ^C", "echo ^C\r", []string{"echo ^C"}},
		{"an arrow brings no line that was given up", "one\rwrong\x03\x1b[A\r", []string{"one", "one"}},
	}
	for _, tt := range tests {
		for way, in := range map[string]io.Reader{"at once": strings.NewReader(tt.typed),
			"key by key": iotest.OneByteReader(strings.NewReader(tt.typed))} {
			t.Run(tt.name+", "+way, func(t *testing.T) {
				l := newEditedLines(in, io.Discard, &history{})
				var got []string
				for {
					line, err := l.readLine()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, line)
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("lines %q, want %q", got, tt.want)
				}
			})
		}
	}
}
