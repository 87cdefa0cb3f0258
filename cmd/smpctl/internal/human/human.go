package human

import (
	"fmt"
	"strings"
	"time"
)

// Count is a number with its noun.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// OrWords lists three or more words, of which the first is the default.
func OrWords(words []string) string {
	return words[0] + " (default), " + strings.Join(words[1:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// Or lists one or more words, of which one is to be chosen.
func Or(words []string) string { return list(words, " or ") }

// And lists one or more words that all count.
func And(words []string) string { return list(words, " and ") }

func list(words []string, before string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + before + words[last]
}

// Size is a number of bytes for people.
func Size(n int) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	case n < 10_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// Rate is a speed for people.
func Rate(n int, d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1f kB/s", float64(n)/d.Seconds()/1e3)
}

// Span is a time for people.
func Span(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
