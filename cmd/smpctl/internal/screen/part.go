package screen

import (
	"slices"
	"strings"
)

// Part is a share of a display for one of several things that go on at the same time: what is written to it goes to
// the display line by line, each line with its name before it, and it has a line of its own that changes. It may be
// used from any goroutine.
type Part struct {
	name    string
	display *Display
	text    Lines                // guarded by the lock of the display, as what follows
	draw    func(width int) Line // nil: nothing but the name
}

// Part begins a part. [Part.End] ends it.
func (d *Display) Part(name string) *Part {
	p := &Part{name: name, display: d}
	d.mu.Lock()
	d.parts = append(d.parts, p)
	d.mu.Unlock()
	return p
}

// Write takes text. It never fails.
func (p *Part) Write(text []byte) (int, error) {
	var whole []string
	p.display.mu.Lock()
	p.text.Feed(text, func(line string) { whole = append(whole, line) })
	p.display.mu.Unlock()
	p.say(whole)
	return len(text), nil
}

// say writes lines to the display.
func (p *Part) say(lines []string) {
	if len(lines) == 0 {
		return
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(p.name + ": " + line + "\n")
	}
	_, _ = p.display.Write([]byte(b.String()))
}

// Show has the line of the part drawn so from the next redraw of the display on.
func (p *Part) Show(draw func(width int) Line) {
	p.display.mu.Lock()
	defer p.display.mu.Unlock()
	p.draw = draw
}

// End takes the line of the part away, and ends the text. It may be called again.
func (p *Part) End() {
	var rest []string
	d := p.display
	d.mu.Lock()
	p.text.Flush(func(line string) { rest = append(rest, line) })
	d.parts = slices.DeleteFunc(d.parts, func(q *Part) bool { return q == p })
	d.mu.Unlock()
	p.say(rest)
	d.Redraw()
}

// widestName is how much of a line the names of parts may take, in columns.
const widestName = 24

// partLines are those of parts that change, their names below each other.
func partLines(parts []*Part, width int) []Line {
	longest := 0
	for _, p := range parts {
		longest = max(longest, min(Columns(Escape(p.name)), widestName))
	}
	list := make([]Line, len(parts))
	for i, p := range parts {
		name := Cut(Unbroken(Escape(p.name)), longest)
		name += strings.Repeat(" ", longest-Columns(name)) + "  "
		if p.draw != nil {
			list[i] = p.draw(max(width-Columns(name), 1))
		}
		list[i].Head = name + list[i].Head
	}
	return list
}
