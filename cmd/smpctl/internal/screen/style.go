package screen

import (
	"strings"
)

// Style is how text of ours looks on a terminal: the numbers of an SGR sequence (ECMA-48). Text of a device never gets
// one: its filter would make text of the sequence.
type Style string

const (
	Plain      Style = ""
	Bold       Style = "1"
	Green      Style = "32"
	Yellow     Style = "33"
	Red        Style = "31"
	BoldGreen  Style = "1;32"
	BoldYellow Style = "1;33"
	BoldRed    Style = "1;31"
)

// Paint is text in this style.
func (s Style) Paint(text string) string {
	if s == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// Columns is how many columns text takes at most: characters that some terminals show twice as wide count as two.
func Columns(text string) int {
	n := 0
	for _, r := range text {
		n += columns(r)
	}
	return n
}

// Wrap breaks text where it has spaces, so that no line takes more than so many columns, and indents all lines but the
// first. A word that is longer stays whole.
func Wrap(text string, width, indent int) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		cut := lineEnd(line, width)
		for cut < len(line) {
			lines = append(lines, line[:cut])
			line = strings.TrimLeft(line[cut:], " ")
			cut = lineEnd(line, width)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"+strings.Repeat(" ", indent))
}

// lineEnd is how many bytes of a text make a line: up to the last space that leaves it within its width.
func lineEnd(text string, width int) int {
	space, used := 0, 0
	for i, r := range text {
		if r == ' ' && (used <= width || space == 0) {
			space = i
		}
		if used += columns(r); used > width && space > 0 {
			return space
		}
	}
	return len(text)
}

// columns is conservative: nothing below U+1100 is wide, and what is above may be.
func columns(r rune) int {
	if r >= 0x1100 {
		return 2
	}
	return 1
}

// Cut is as much of the beginning of text as fits into so many columns.
func Cut(text string, limit int) string {
	n := 0
	for i, r := range text {
		if n += columns(r); n > limit {
			return strings.TrimRight(text[:i], " ")
		}
	}
	return text
}
