package transport

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// longestText is where a text without newline is cut into lines of the trace.
const longestText = 256

// recorder writes the trace. A nil recorder does nothing, so that a connection
// without trace pays one comparison per packet.
type recorder struct {
	start time.Time

	// mu also covers writing to w: the order of the lines is the point.
	mu   sync.Mutex
	w    io.Writer
	line []byte
	err  error // the first one; nothing is written after it
	done bool  // nothing is written any more: w may belong to someone else

	pending []byte // received text of an unfinished line
	since   time.Duration
}

func newRecorder(w io.Writer) *recorder {
	if w == nil {
		return nil
	}
	r := &recorder{start: time.Now(), w: w}
	r.write([]byte(traceTitle))
	return r
}

func (r *recorder) packet(kind traceKind, p []byte) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
	r.entry(traceEntry{At: time.Since(r.start), Kind: kind, Packet: p})
}

// text records bytes outside frames. Received text arrives in arbitrary pieces
// and is gathered into lines.
func (r *recorder) text(kind traceKind, p []byte) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if kind == sentText {
		r.flush()
		r.entry(traceEntry{At: time.Since(r.start), Kind: kind, Text: string(p)})
		return
	}
	for _, b := range p {
		if len(r.pending) == 0 {
			r.since = time.Since(r.start)
		}
		r.pending = append(r.pending, b)
		if b == '\n' || len(r.pending) == longestText {
			r.flush()
		}
	}
}

func (r *recorder) note(text string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
	r.entry(traceEntry{At: time.Since(r.start), Kind: note, Text: text})
}

// close writes what is pending and returns the first error of the writer.
func (r *recorder) close() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
	r.done = true
	return r.err
}

func (r *recorder) flush() {
	if len(r.pending) == 0 {
		return
	}
	r.entry(traceEntry{At: r.since, Kind: receivedText, Text: string(r.pending)})
	r.pending = r.pending[:0]
}

func (r *recorder) entry(e traceEntry) {
	r.line = e.Append(r.line[:0])
	r.write(r.line)
}

func (r *recorder) write(line []byte) {
	if r.err == nil && !r.done {
		_, r.err = r.w.Write(line)
	}
}

// describeDamage says which counters of damage grew.
func describeDamage(before, now Stats) string {
	var grown []string
	for _, c := range [...]struct {
		name        string
		before, now uint64
	}{
		{"incomplete packet", before.Incomplete, now.Incomplete},
		{"line cut off", before.CutLines, now.CutLines},
		{"stray line", before.StrayLines, now.StrayLines},
		{"line too long", before.LongLines, now.LongLines},
		{"bad base64", before.BadBase64, now.BadBase64},
		{"bad length", before.BadLength, now.BadLength},
		{"bad crc", before.BadCRC, now.BadCRC},
		{"no packet header", before.BadHeader, now.BadHeader},
	} {
		if n := c.now - c.before; n > 0 {
			grown = append(grown, fmt.Sprintf("%s (%d)", c.name, n))
		}
	}
	return "dropped: " + strings.Join(grown, ", ")
}
