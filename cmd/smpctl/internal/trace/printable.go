package trace

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// colour is an escape sequence that terminals take as colour or weight.
var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// line is a text of the device, without colours and the end of its line if that leaves anything.
func line(b []byte) string {
	s := strings.TrimRight(colour.ReplaceAllString(string(b), ""), "\r\n")
	if s == "" {
		s = string(b)
	}
	return printable(s)
}

// printable escapes what is not printable ASCII, as Go does.
func printable(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r >= ' ' && r <= '~' {
			b.WriteByte(s[0])
		} else {
			quoted := strconv.QuoteToASCII(s[:n])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[n:]
	}
	return b.String()
}
