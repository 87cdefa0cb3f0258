package smp

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPrintable limits how much of a device's text an error message repeats, in bytes.
const maxPrintable = 512

// printable makes text from a device fit for a terminal: everything that is not a printable character is escaped as
// in a Go string, and a very long text is cut.
func printable(s string) string {
	cut := len(s) > maxPrintable
	if cut {
		s = s[:maxPrintable]
	}
	if strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) >= 0 {
		quoted := strconv.Quote(s)
		s = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	}
	if cut {
		s += "…"
	}
	return s
}
