package transport

import (
	"bytes"
	"unicode/utf8"
)

// sureRun is how many printable characters in a row are text whatever is around them. Of random bytes, three in eight
// are printable ASCII: one run in 2500 is that long.
const sureRun = 8

// surerRun is how many it takes in the middle of thousands of unreadable bytes.
const surerRun = 2 * sureRun

// shortRun is how many make text of what came if nothing else did, such as the prompt of a shell.
const shortRun = 2

// longestTitle is the longest title of a window that is looked for, in bytes.
const longestTitle = 256

// cursorForward ends the sequence that moves the cursor to the right (ECMA-48, 8.3.20): shells make columns with it.
const cursorForward = 'C'

// readable says how much of a piece of a stream can be read.
type readable struct {
	text       int    // characters
	unreadable int    // bytes, and characters between them
	line       string // as in Heard

	run   []byte // printable so far
	clean bool   // nothing unreadable is at its beginning
	whole bool   // of line both ends came
}

// readText tells text from unreadable bytes. Escape sequences, newlines and the control bytes of our own frames are
// neither.
func readText(p []byte) readable {
	r := readable{clean: true}
	for len(p) > 0 {
		n := escapeLen(p)
		switch {
		case n == 0:
			n = r.character(p)
		case p[n-1] == cursorForward && len(r.run) > 0:
			r.run = append(r.run, ' ')
		}
		p = p[n:]
	}
	r.end(true, false)
	return r
}

// character takes the first character of p and returns its length in bytes.
func (r *readable) character(p []byte) int {
	switch b := p[0]; {
	case b == '\n', b == '\r':
		r.end(true, true)
		return 1
	case b == '\a', b == '\b', b == startFirst, b == contFirst, b == contSecond:
		return 1
	case b == '\t', ' ' <= b && b < 0x7f:
		r.run = append(r.run, max(b, ' '))
		return 1
	}
	c, n := utf8.DecodeRune(p)
	if c < 0xa0 || c == utf8.RuneError && n == 1 { // ASCII and Latin-1 control characters, or no character
		r.end(false, false)
		r.unreadable += n
		return n
	}
	r.run = append(r.run, p[:n]...)
	return n
}

// end ends a run, cleanly at the end of a line or of the piece. A request of ours in it is no text.
func (r *readable) end(clean, newline bool) {
	own := bytes.ReplaceAll(r.run, []byte(echoMark), nil)
	n := utf8.RuneCount(own)
	short := r.clean && clean && n == len(own) && (newline || n >= shortRun)
	switch {
	case len(bytes.TrimSpace(own)) == 0:
	case short, n >= sureRun:
		r.text += n
		if whole := r.clean && newline; whole || !r.whole {
			r.line, r.whole = heardLine(r.run), whole
		}
	default:
		r.unreadable += n
	}
	r.run, r.clean = r.run[:0], clean
}

// heardLine returns the beginning of a line, with dots for our own requests.
func heardLine(text []byte) string {
	text = bytes.ReplaceAll(bytes.TrimSpace(text), []byte(echoMark), []byte("..."))
	if len(text) > maxHeardLine {
		n := maxHeardLine
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = bytes.TrimSpace(text[:n])
	}
	return string(text)
}

// escapeLen returns the length of the escape sequence that p begins with, 0 if it does not (ECMA-48, 5.3, 5.4 and
// 8.3.89).
func escapeLen(p []byte) int {
	const escape, bell, stringTerminator = "\x1b", "\a", "\x1b\\"
	switch {
	case len(p) < 2 || p[0] != escape[0]:
		return 0
	case p[1] == '[':
		return finalLen(p, 2, '@')
	case p[1] == ']': // a string, such as the title of a window
		for _, end := range [...]string{bell, stringTerminator} {
			if i := bytes.Index(p[:min(len(p), longestTitle)], []byte(end)); i >= 0 {
				return i + len(end)
			}
		}
	}
	return finalLen(p, 1, '0')
}

// finalLen returns the length of a sequence that goes on at from and ends with a byte of at least final. The end of p
// ends it too; at a byte that no sequence can have it is none.
func finalLen(p []byte, from int, final byte) int {
	for i, b := range p[from:] {
		switch {
		case b < ' ' || b >= 0x7f:
			return 0
		case b >= final:
			return from + i + 1
		}
	}
	return len(p)
}
