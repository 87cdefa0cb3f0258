package screen

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxEscape is the longest escape sequence that is waited for, in bytes.
const maxEscape = 32

// Terminal shows what a device prints on a terminal: text, colours, and what editing a line takes. Everything else
// that could steer the terminal appears as text.
type Terminal struct {
	W     io.Writer
	Raw   bool   // the terminal does not begin lines by itself
	last  byte   // written
	rest  []byte // an escape sequence or a character whose end is still to come
	dirty bool   // a colour may be on
}

// Write takes any piece of the text. It consumes all of it.
func (t *Terminal) Write(p []byte) (int, error) {
	var out bytes.Buffer
	b := append(t.rest, p...)
	for len(b) > 0 {
		n := t.next(&out, b)
		if n == 0 {
			break
		}
		b = b[n:]
	}
	t.rest = append([]byte(nil), b...)
	if _, err := t.W.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close shows what was still waiting for its end, switches colours off, and ends a line that a raw terminal would go on
// with.
func (t *Terminal) Close() error {
	var out bytes.Buffer
	for _, c := range t.rest {
		fmt.Fprintf(&out, `\x%02x`, c)
	}
	if t.rest = nil; t.dirty {
		out.WriteString("\x1b[0m")
	}
	if t.Raw && t.last != '\n' && t.last != 0 {
		out.WriteString("\r\n")
	}
	_, err := t.W.Write(out.Bytes())
	return err
}

// next writes the first character or sequence of b and returns its length, 0 if its end is still to come.
func (t *Terminal) next(out *bytes.Buffer, b []byte) int {
	if b[0] == 0x1b {
		return t.escape(out, b)
	}
	if !utf8.FullRune(b) {
		return 0
	}
	r, n := utf8.DecodeRune(b)
	switch {
	case r == '\n' && t.Raw && t.last != '\r':
		out.WriteString("\r\n")
	case r == '\r', r == '\b', !Unprintable(r):
		out.Write(b[:n])
	case r == utf8.RuneError && n == 1 || r < utf8.RuneSelf:
		fmt.Fprintf(out, `\x%02x`, b[0])
	default:
		fmt.Fprintf(out, `\u%04x`, r)
	}
	t.last = b[n-1]
	return n
}

// escape is next for what begins with ESC. Only sequences of the form ESC [ numbers letter can be harmless (ECMA-48,
// CSI).
func (t *Terminal) escape(out *bytes.Buffer, b []byte) int {
	end := 2
	if len(b) > 1 && b[1] == '[' {
		for end < len(b) && (b[end] >= '0' && b[end] <= '9' || b[end] == ';') {
			end++
		}
	}
	if end >= len(b) && len(b) < maxEscape && (len(b) == 1 || b[1] == '[') {
		return 0
	}
	if end < len(b) && b[1] == '[' && harmless(b[2:end], b[end]) {
		out.Write(b[:end+1])
		t.dirty = t.dirty || b[end] == 'm'
		return end + 1
	}
	out.WriteString(`\x1b`)
	return 1
}

// harmless reports whether a sequence can do no more than colour text or edit the line that the cursor is on: move
// within it, erase its end.
func harmless(numbers []byte, letter byte) bool {
	switch letter {
	case 'm', 'C', 'D':
		return true
	case 'K':
		return true
	case 'J': // from the cursor to the end
		return len(numbers) == 0 || string(numbers) == "0"
	}
	return false
}
