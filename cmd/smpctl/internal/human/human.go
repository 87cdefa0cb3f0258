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
	number, unit := scaled(n, n)
	return number + " " + unit
}

// Part is some bytes of a number of bytes, as wide as all of them are.
func Part(n, total int) string {
	all, unit := scaled(total, total)
	number, _ := scaled(n, total)
	return fmt.Sprintf("%*s of %s %s", len(all), number, all, unit)
}

// scaled is n in the unit that goes with another number of bytes.
func scaled(n, like int) (number, unit string) {
	switch {
	case like < 10_000:
		return fmt.Sprint(n), "bytes"
	case like < 10_000_000:
		return fmt.Sprintf("%.1f", float64(n)/1e3), "kB"
	}
	return fmt.Sprintf("%.1f", float64(n)/1e6), "MB"
}

// Flash is the size of a piece of flash for people: in the units that it is laid out in, or in bytes.
func Flash(n uint64) string {
	switch {
	case n > 0 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n > 0 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// Rate is a speed for people.
func Rate(n int, d time.Duration) string {
	if d <= 0 {
		return ""
	}
	if rate := float64(n) / d.Seconds(); rate >= 1e6 {
		return fmt.Sprintf("%.1f MB/s", rate/1e6)
	} else {
		return fmt.Sprintf("%.1f kB/s", rate/1e3)
	}
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
	return About(d)
}

// About is a time in whole seconds, which a person takes in at a glance.
func About(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s/60%60)
}
