package cli

import (
	"strings"
	"unicode/utf8"
)

// page is text for people, with lines of a limited length.
type page struct {
	strings.Builder
	width int // characters
	names int // the least width of a column of names

	titles []string // lines that begin parts of the text
}

// Limits of a page, in characters: what is longer is hard to read, and a terminal is never that narrow for long.
const (
	widest    = 100
	narrowest = 40
)

func newPage(columns int) *page { return &page{width: min(max(columns, narrowest), widest)} }

// blank ends a part of the text.
func (p *page) blank() { p.WriteString("\n") }

// title begins a part of the text.
func (p *page) title(text string) {
	p.WriteString("\n" + text + ":\n")
	p.titles = append(p.titles, text+":")
}

// line writes words with an indent of its own for the first line and one for the others.
func (p *page) line(first, others int, text string) {
	column, indent := first, first
	p.WriteString(strings.Repeat(" ", first))
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i > 0 && column > indent && column+1+n > p.width:
			indent, column = others, others
			p.WriteString("\n" + strings.Repeat(" ", others))
		case i > 0:
			p.WriteString(" ")
			column++
		}
		p.WriteString(word)
		column += n
	}
	p.WriteString("\n")
}

// prose writes paragraphs, which a blank line ends. Line breaks in them are where the text was written, and do not
// count.
func (p *page) prose(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			p.blank()
		}
		p.line(0, 0, paragraph)
	}
}

// row is a name and what is to be said about it.
type row struct{ name, text string }

// widestName is how long a name may be for the text to stand beside it. What is longer has the line for itself.
const widestName = 26

// rows writes a table of names and texts.
func (p *page) rows(rows []row) {
	const indent, gap, leastText = 2, 2, 24
	column := p.names
	for _, r := range rows {
		if n := utf8.RuneCountInString(r.name); n <= widestName {
			column = max(column, n)
		}
	}
	column += indent + gap
	if p.width-column < leastText {
		column = 5 * indent // below the names
	}
	for _, r := range rows {
		used := indent + utf8.RuneCountInString(r.name)
		p.WriteString(strings.Repeat(" ", indent) + r.name)
		if used+gap > column {
			p.WriteString("\n")
			used = 0
		}
		if r.text == "" {
			p.blank()
			continue
		}
		p.WriteString(strings.Repeat(" ", column-used))
		p.text(column, r.text)
	}
}

// text writes words from a column on, where the cursor stands, and goes on under it.
func (p *page) text(column int, text string) {
	var body page
	body.width = p.width
	body.line(column, column, text)
	p.WriteString(body.String()[column:])
}

// command writes a line for a shell. One that is too long goes on behind a backslash, as shells read it.
func (p *page) command(line string) {
	const indent, more, end = 2, 6, len(` \`)
	column := indent
	p.WriteString(strings.Repeat(" ", indent))
	for i, word := range inPairs(shellWords(line)) {
		n := utf8.RuneCountInString(word)
		switch {
		case i > 0 && column > more && column+1+n+end > p.width:
			p.WriteString(" \\\n" + strings.Repeat(" ", more))
			column = more
		case i > 0:
			p.WriteString(" ")
			column++
		}
		p.WriteString(word)
		column += n
	}
	p.WriteString("\n")
}

// shellWords cuts a line at the spaces that are not in quotes. The quotes stay.
func shellWords(line string) (words []string) {
	quote, start := rune(0), -1
	for i, r := range line {
		switch {
		case r == ' ' && quote == 0:
			if start >= 0 {
				words = append(words, line[start:i])
			}
			start = -1
			continue
		case r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		}
		if start < 0 {
			start = i
		}
	}
	if start >= 0 {
		words = append(words, line[start:])
	}
	return words
}

// inPairs keeps a flag and its value together.
func inPairs(words []string) (pairs []string) {
	for _, word := range words {
		if last := len(pairs) - 1; last > 0 && isFlag(pairs[last]) && !isFlag(word) {
			pairs[last] += " " + word
			continue
		}
		pairs = append(pairs, word)
	}
	return pairs
}

func isFlag(word string) bool { return strings.HasPrefix(word, "-") && !strings.Contains(word, " ") }
