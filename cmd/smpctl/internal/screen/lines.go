package screen

import (
	"bytes"
)

const (
	// maxTextLine is where a line of a device that never ends one is cut, in bytes.
	maxTextLine = 4096
	// lineQuiet is how long a device may pause within a line, in the number of milliseconds that no baud rate needs for
	// a byte.
	LineQuiet = 250e6
)

// Lines puts lines together, however their text was cut. Their ends are not part of them.
type Lines struct{ rest []byte }

// Feed takes text and hands on the lines that are complete.
func (s *Lines) Feed(p []byte, take func(line string)) {
	for len(p) > 0 {
		room := p[:min(len(p), maxTextLine-len(s.rest))]
		i := bytes.IndexByte(room, '\n')
		if i < 0 {
			s.rest, p = append(s.rest, room...), p[len(room):]
			if len(s.rest) == maxTextLine {
				s.Flush(take)
			}
			continue
		}
		s.rest, p = append(s.rest, room[:i]...), p[i+1:]
		take(s.Pending())
		s.rest = s.rest[:0]
	}
}

// Pending is the line that has no end yet.
func (s *Lines) Pending() string { return string(bytes.TrimRight(s.rest, "\r")) }

// Flush hands on the line that has no end yet, as if it had one.
func (s *Lines) Flush(take func(line string)) {
	if len(s.rest) > 0 {
		take(s.Pending())
		s.rest = s.rest[:0]
	}
}
