package main

import "bytes"

const (
	// maxTextLine is where a line of a device that never ends one is cut, in bytes.
	maxTextLine = 4096
	// lineQuiet is how long a device may pause within a line, in the number of milliseconds that no baud rate needs for
	// a byte.
	lineQuiet = 250e6
)

// lineSplitter puts lines together, however their text was cut. Their ends are not part of them.
type lineSplitter struct{ rest []byte }

// feed takes text and hands on the lines that are complete.
func (s *lineSplitter) feed(p []byte, take func(line string)) {
	for len(p) > 0 {
		room := p[:min(len(p), maxTextLine-len(s.rest))]
		i := bytes.IndexByte(room, '\n')
		if i < 0 {
			s.rest, p = append(s.rest, room...), p[len(room):]
			if len(s.rest) == maxTextLine {
				s.flush(take)
			}
			continue
		}
		s.rest, p = append(s.rest, room[:i]...), p[i+1:]
		take(s.pending())
		s.rest = s.rest[:0]
	}
}

// pending is the line that has no end yet.
func (s *lineSplitter) pending() string { return string(bytes.TrimRight(s.rest, "\r")) }

// flush hands on the line that has no end yet, as if it had one.
func (s *lineSplitter) flush(take func(line string)) {
	if len(s.rest) > 0 {
		take(s.pending())
		s.rest = s.rest[:0]
	}
}
