package app

import (
	"fmt"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// transfer is how far a transfer has come.
type transfer struct {
	step        string
	done, total int       // bytes
	began       int       // bytes that it had when it first moved, which are no speed
	moved       time.Time // when that was
}

// line is a bar and its figures, as much of them as fit.
func (t transfer) line(width int, now time.Time) screen.Line {
	rate, left := t.speed(now)
	pieces := []string{strings.Repeat(" ", barLeast), t.share(), "  " + t.size(), fmt.Sprintf("  %9s", rate),
		fmt.Sprintf("  %9s", left)}
	head := liveHead(t.step, width)
	room := width - len(head)
	shown := make([]string, len(pieces))
	for _, i := range []int{1, 4, 3, 0, 2} { // what matters most comes first, and what does not fit ends it
		if len(pieces[i]) > room {
			break
		}
		shown[i] = pieces[i]
		room -= len(pieces[i])
	}
	if shown[0] != "" {
		shown[0] = t.bar(min(barLeast+room, barMost))
	}
	return screen.Line{Style: screen.Bold, Head: head, Text: strings.TrimRight(strings.Join(shown, ""), " ")}
}

// Widths of a bar with its brackets and the space behind it, in columns.
const (
	barLeast = 13
	barMost  = 43
)

func (t transfer) bar(width int) string {
	inside := width - len("[] ")
	full := t.done * inside / max(t.total, 1)
	tip := ""
	if full < inside {
		tip = ">"
	}
	return "[" + strings.Repeat("=", full) + tip + strings.Repeat(" ", inside-full-len(tip)) + "] "
}

// text is for a log.
func (t transfer) text(now time.Time) string {
	rate, left := t.speed(now)
	return fmt.Sprintf("%s  %s, %s, %s", t.share(), t.size(), rate, left)
}

func (t transfer) share() string { return fmt.Sprintf("%3d%%", t.done*100/max(t.total, 1)) }

func (t transfer) size() string { return human.Part(t.done, t.total) }

// speed is the rate and the time that is left; empty before there is a rate.
func (t transfer) speed(now time.Time) (rate, left string) {
	took := now.Sub(t.moved)
	if t.done <= t.began || took <= 0 {
		return "", ""
	}
	remains := time.Duration(float64(took) / float64(t.done-t.began) * float64(t.total-t.done))
	return human.Rate(t.done-t.began, took), human.About(remains) + " left"
}
