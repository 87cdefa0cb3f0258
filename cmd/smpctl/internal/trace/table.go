package trace

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// table makes rows of entries.
type table struct {
	connections  int
	offset       time.Duration // of the connection, since the trace began
	last         time.Duration // of the row before
	conversation conversation
}

const title = `# smpctl trace, begun %s. Rows: > sent, < received, = connected, ! about the link.
# Times: seconds since then, milliseconds since the row before; of answers, milliseconds since the request.
# Search for "again" and "refused". All bytes are in hex on the right, from column 161: less -S keeps them out of sight.
#  seconds       ms   seq ver  len
`

// add appends the rows of a line of package transport, which came at the time now since the trace began.
func (t *table) add(rows []byte, line string, began time.Time, now time.Duration) []byte {
	e := parse(line)
	if e.kind == beginning {
		if t.connections == 0 {
			rows = fmt.Appendf(rows, title, began.UTC().Format(time.RFC3339))
		}
		t.connections++
		t.offset, t.conversation = now, conversation{}
	}
	at := t.offset + e.at
	column, words := t.describe(e, at)
	front := fmt.Sprintf("%10.6f %+8.1f %s  ", at.Seconds(), (at-t.last).Seconds()*1e3, column)
	t.last = at
	return appendRows(rows, front, words, e.bytes)
}

// emptyLine is what [transport.Conn.EndLine] sends.
const emptyLine = "\x04\x14\n"

// describe gives what stands between the times and the words, and the words.
func (t *table) describe(e entry, at time.Duration) (column, words string) {
	direction := '<'
	if e.sent {
		direction = '>'
	}
	switch e.kind {
	case beginning:
		return fmt.Sprintf("= %12s", ""), fmt.Sprintf("connection %d", t.connections)
	case note:
		return fmt.Sprintf("! %12s", "link"), printable(e.note)
	case text:
		if e.sent && string(e.bytes) == emptyLine {
			return fmt.Sprintf("%c %12s", direction, "text"), "(an empty line, which ends what may stand before it)"
		}
		return fmt.Sprintf("%c %12s", direction, "text"), line(e.bytes)
	}
	h, payload, err := smp.ParseHeader(e.bytes)
	if err != nil {
		return fmt.Sprintf("%c %12s", direction, "packet"), printable(err.Error())
	}
	column = fmt.Sprintf("%c %3d v%d %5d", direction, h.Sequence, h.Version, h.Length)
	remark := ""
	if e.sent {
		remark = t.conversation.request(h, payload, at)
	} else {
		remark = t.conversation.answer(h, payload, at)
	}
	return column, printable(asked(h, e.sent) + oddities(h, e.bytes) + remark + "  " + notation(payload))
}

// oddities are what no packet should have.
func oddities(h smp.Header, packet []byte) (s string) {
	if h.Flags != 0 {
		s += fmt.Sprintf(", flags %#02x", h.Flags)
	}
	if more := len(packet) - smp.HeaderLen - int(h.Length); more > 0 {
		s += fmt.Sprintf(", %d bytes too many", more)
	}
	return s
}

// The columns of the words, and how many rows they may take: an answer may hold 64 KiB.
const (
	indent    = 36 // of further rows
	wordsEnd  = 120
	bytesFrom = 160 // wider than the terminals in which rows are read
	mostRows  = 25
)

// appendRows appends words in as many rows as they need, the bytes behind the last one.
func appendRows(rows []byte, front, words string, raw []byte) []byte {
	width := max(wordsEnd-len(front), 1)
	for n := 1; len(words) > width; n++ {
		if n == mostRows {
			words = fmt.Sprintf("(%d more characters)", len(words))
			break
		}
		cut := breakAt(words, width)
		rows = append(append(append(rows, front...), words[:cut]...), '\n')
		front, words = strings.Repeat(" ", indent), strings.TrimPrefix(words[cut:], " ")
		width = wordsEnd - indent
	}
	if len(raw) == 0 {
		return append(append(append(rows, front...), words...), '\n')
	}
	return fmt.Appendf(rows, "%-*s| %s\n", bytesFrom, front+words, hex.EncodeToString(raw))
}

// breakAt is where a row of at most width characters ends: at the last space behind a comma or else the last space,
// unless that would make it short.
func breakAt(words string, width int) int {
	if comma := strings.LastIndex(words[:width+1], ", "); comma > width/2 {
		return comma + 1
	}
	if space := strings.LastIndexByte(words[:width+1], ' '); space > width/2 {
		return space
	}
	return width
}
