package clitest

import (
	"strconv"
	"strings"
	"sync"
)

// Screen is a terminal, as far as smpctl steers one: it keeps what a person would see. Lines that are too long go on in
// the next row, and a resize moves them, as most terminals do. What it does not know stays in the text.
type Screen struct {
	mu        sync.Mutex
	width     int // columns
	lines     [][]rune
	line, col int // of the cursor; col counts over all rows of a line
	styled    bool
}

// NewScreen is an empty screen of so many columns.
func NewScreen(width int) *Screen { return &Screen{width: width, lines: [][]rune{nil}} }

// Width is the number of columns now.
func (s *Screen) Width() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width
}

// Resize changes the number of columns.
func (s *Screen) Resize(width int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.width = width
}

// Styled reports whether colours were used.
func (s *Screen) Styled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.styled
}

// Rows are what is on the screen, without empty rows at the end.
func (s *Screen) Rows() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows []string
	for _, line := range s.lines {
		for len(line) > s.width {
			rows = append(rows, string(line[:s.width]))
			line = line[s.width:]
		}
		rows = append(rows, strings.TrimRight(string(line), " "))
	}
	for len(rows) > 0 && rows[len(rows)-1] == "" {
		rows = rows[:len(rows)-1]
	}
	return rows
}

func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for text := string(p); text != ""; {
		if rest, ok := strings.CutPrefix(text, "\x1b["); ok {
			end := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' && r <= '~' })
			if end >= 0 && s.sequence(rest[:end], rest[end]) {
				text = rest[end+1:]
				continue
			}
		}
		r := []rune(text)[0]
		s.put(r)
		text = text[len(string(r)):]
	}
	return len(p), nil
}

func (s *Screen) put(r rune) {
	switch r {
	case '\r':
		s.col = s.row() * s.width
	case '\n':
		s.line++
		s.col = 0
		if s.line == len(s.lines) {
			s.lines = append(s.lines, nil)
		}
	default:
		for len(s.lines[s.line]) <= s.col {
			s.lines[s.line] = append(s.lines[s.line], ' ')
		}
		s.lines[s.line][s.col] = r
		s.col++
	}
}

// row is the row of the cursor within its line. Behind the last column it waits in that row.
func (s *Screen) row() int {
	if s.col > 0 && s.col%s.width == 0 {
		return s.col/s.width - 1
	}
	return s.col / s.width
}

// sequence reports whether it knows a sequence.
func (s *Screen) sequence(numbers string, letter byte) bool {
	n, _ := strconv.Atoi(numbers)
	switch {
	case letter == 'm':
		s.styled = true
	case letter == 'J' && numbers == "":
		s.lines = s.lines[:s.line+1]
		s.lines[s.line] = s.lines[s.line][:min(s.col, len(s.lines[s.line]))]
	case letter == 'A':
		for range n {
			if s.col >= s.width {
				s.col -= s.width
			} else if s.line > 0 {
				s.line--
				s.col += len(s.lines[s.line]) / s.width * s.width
			}
		}
	default:
		return false
	}
	return true
}
