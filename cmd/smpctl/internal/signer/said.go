package signer

import (
	"bytes"
	"strings"
)

// failed is a signer that did not give a signature. The reason is for programs.
type failed struct {
	signer string
	reason string
	err    error
}

// Reason is what the JSON of an error has.
func (e *failed) Reason() string { return e.reason }

func (e *failed) Error() string { return e.signer + ": " + e.err.Error() }

func (e *failed) Unwrap() error { return e.err }

// Limits of what is taken from a signer, so that a wrong command cannot fill the memory or the screen.
const (
	maxOutput = 64 << 10 // bytes; the longest signature in hex has 1 KiB
	maxNotes  = 64 << 10 // bytes of its standard error that are shown
	maxNote   = 1 << 10  // bytes of one line
)

// notes shows a signer's standard error line by line while it runs, as it may ask for a touch or a card, and keeps the
// last line.
type notes struct {
	show  func(text string)
	line  bytes.Buffer
	last  string
	shown int
}

func (n *notes) Write(b []byte) (int, error) {
	for _, c := range b {
		if c == '\n' || c == '\r' {
			n.flush()
		} else if n.line.Len() < maxNote {
			n.line.WriteByte(c)
		}
	}
	return len(b), nil
}

func (n *notes) flush() {
	text := strings.TrimSpace(n.line.String())
	n.line.Reset()
	if text == "" {
		return
	}
	n.last = text
	n.shown += len(text)
	if n.shown <= maxNotes {
		n.show(text)
	}
}
