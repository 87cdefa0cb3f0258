package screen

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// Line is a line that changes in place.
type Line struct {
	Style Style
	Head  string // in that style
	Text  string
}

// Display is where news goes: text, and on a terminal one line below it that changes in place. What cannot be written
// is dropped, for whoever closed it does not want it: a command outlives its log. It may be used from any goroutine.
type Display struct {
	W     io.Writer
	Width func() int // columns of the terminal as it is now; nil or 0: no line that changes
	Still bool       // no line that changes all the same
	Color bool

	mu     sync.Mutex // guards what follows, and is held while W is written to
	draw   func(width int) Line
	line   string // as it is on the terminal
	drawn  int    // its columns; 0: there is none
	within bool   // text ended within a line, which goes on
	raw    bool
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
	d.line, d.drawn = d.render()
	out.WriteString(d.line)
	_, _ = d.W.Write(out.Bytes())
	return len(p), nil
}

// Show draws a line that changes, or none. It is asked again at each [Display.Redraw].
func (d *Display) Show(draw func(width int) Line) {
	d.mu.Lock()
	d.draw = draw
	d.mu.Unlock()
	d.Redraw()
}

// Redraw draws the line as it is now.
func (d *Display) Redraw() {
	d.mu.Lock()
	defer d.mu.Unlock()
	line, columns := d.render()
	if line == d.line {
		return
	}
	var out bytes.Buffer
	d.erase(&out)
	d.line, d.drawn = line, columns
	out.WriteString(line)
	_, _ = d.W.Write(out.Bytes())
}

// Hide takes the line away until it is drawn again, for text that comes to the terminal in another way.
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

// render is the line as it is now, and its columns.
func (d *Display) render() (line string, columns int) {
	width := d.Columns() - margin
	if d.draw == nil || d.within || d.Still || width <= 0 {
		return "", 0
	}
	l := d.draw(width)
	head := Cut(Unbroken(Escape(l.Head)), width)
	text := Cut(Unbroken(Escape(l.Text)), width-Columns(head))
	return d.Paint(l.Style, head) + text, Columns(head + text)
}

// erase takes the line away. A window that was made narrower meanwhile shows it in several rows, as terminals reflow.
func (d *Display) erase(out *bytes.Buffer) {
	if d.drawn == 0 {
		return
	}
	if width := d.Columns(); width > 0 && d.drawn > width {
		fmt.Fprintf(out, "\x1b[%dA", (d.drawn-1)/width)
	}
	out.WriteString("\r\x1b[J")
	d.line, d.drawn = "", 0
}
