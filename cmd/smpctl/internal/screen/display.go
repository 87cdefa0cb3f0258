package screen

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// Line is a line that changes in place.
type Line struct {
	Style Style
	Head  string // in that style
	Text  string
}

// Display is where news goes: text, and on a terminal lines below it that change in place, mostly one. What cannot be
// written is dropped, for whoever closed it does not want it: a command outlives its log. It may be used from any
// goroutine.
type Display struct {
	W      io.Writer
	Width  func() int // columns of the terminal as it is now; nil or 0: no line that changes
	Height func() int // rows of the terminal as it is now; nil or 0: not known
	Still  bool       // no line that changes all the same
	Color  bool

	mu     sync.Mutex // guards what follows, and is held while W is written to
	draw   func(width int) []Line
	text   string // of the lines that change, as it is on the terminal
	drawn  []int  // columns of each of them
	within bool   // text ended within a line, which goes on
	raw    bool
	parts  []*Part
}

// Write shows text above the line that changes. It never fails.
func (d *Display) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out bytes.Buffer
	d.erase(&out)
	if d.raw {
		out.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n")))
	} else {
		out.Write(p)
	}
	if len(p) > 0 {
		d.within = p[len(p)-1] != '\n'
	}
	d.text, d.drawn = d.render()
	out.WriteString(d.text)
	_, _ = d.W.Write(out.Bytes())
	return len(p), nil
}

// Show draws a line that changes, or none. It is asked again at each [Display.Redraw].
func (d *Display) Show(draw func(width int) Line) {
	if draw == nil {
		d.ShowAll(nil)
		return
	}
	d.ShowAll(func(width int) []Line { return []Line{draw(width)} })
}

// ShowAll draws lines that change, or none, like [Display.Show]. A terminal that has no room for all of them shows the
// first ones.
func (d *Display) ShowAll(draw func(width int) []Line) {
	d.mu.Lock()
	d.draw = draw
	d.mu.Unlock()
	d.Redraw()
}

// Redraw draws the lines that change as they are now.
func (d *Display) Redraw() {
	d.mu.Lock()
	defer d.mu.Unlock()
	text, columns := d.render()
	if text == d.text {
		return
	}
	var out bytes.Buffer
	d.erase(&out)
	d.text, d.drawn = text, columns
	out.WriteString(text)
	_, _ = d.W.Write(out.Bytes())
}

// Hide takes the lines that change away until they are drawn again, for text that comes to the terminal in another way.
func (d *Display) Hide() {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out bytes.Buffer
	d.erase(&out)
	if out.Len() > 0 {
		_, _ = d.W.Write(out.Bytes())
	}
}

// Live reports whether there can be a line that changes.
func (d *Display) Live() bool { return !d.Still && d.Columns() > 0 }

// Raw says that the terminal does not begin lines by itself.
func (d *Display) Raw(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.raw = on
}

// Paint is text in a style, if there are colours.
func (d *Display) Paint(s Style, text string) string {
	if !d.Color {
		return text
	}
	return s.Paint(text)
}

// Columns is how wide the terminal is now; 0 if there is none, or it does not say.
func (d *Display) Columns() int {
	if d.Width == nil {
		return 0
	}
	return d.Width()
}

// margin is what a line leaves free: the last column, for where a terminal wraps there differs, and room for the ^C
// that it shows when the user has enough.
const margin = 3

// spared is how many rows of a terminal the lines that change leave to the text above them.
const spared = 2

// render is the lines as they are now, and the columns of each.
func (d *Display) render() (text string, columns []int) {
	width := d.Columns() - margin
	if d.draw == nil && len(d.parts) == 0 || d.within || d.Still || width <= 0 {
		return "", nil
	}
	var b strings.Builder
	for i, l := range d.fitting(d.changing(width)) {
		if i > 0 {
			b.WriteString("\r\n")
		}
		head := Cut(Unbroken(Escape(l.Head)), width)
		rest := Cut(Unbroken(Escape(l.Text)), width-Columns(head))
		b.WriteString(d.Paint(l.Style, head) + rest)
		columns = append(columns, Columns(head+rest))
	}
	return b.String(), columns
}

// changing are the lines that change as they are now: those of its parts, or else its own. The lock is held.
func (d *Display) changing(width int) []Line {
	if len(d.parts) == 0 {
		return d.draw(width)
	}
	return partLines(d.parts, width)
}

// fitting are as many of the lines as the terminal has room for. The last one says how many are left away.
func (d *Display) fitting(lines []Line) []Line {
	if d.Height == nil {
		return lines
	}
	room := max(1, d.Height()-spared)
	if d.Height() <= 0 || len(lines) <= room {
		return lines
	}
	more := Line{Text: fmt.Sprintf("… and %d more", len(lines)-room+1)}
	return append(slices.Clip(lines[:room-1]), more)
}

// erase takes the lines away. A window that was made narrower meanwhile shows each in several rows, as terminals
// reflow.
func (d *Display) erase(out *bytes.Buffer) {
	if d.text == "" {
		return
	}
	above := len(d.drawn) - 1
	if width := d.Columns(); width > 0 {
		for _, columns := range d.drawn {
			above += max(columns-1, 0) / width
		}
	}
	if above > 0 {
		fmt.Fprintf(out, "\x1b[%dA", above)
	}
	out.WriteString("\r\x1b[J")
	d.text, d.drawn = "", nil
}
