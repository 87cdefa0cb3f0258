package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxLine bounds the bytes of a line with its line end: a record has some 1,000, and what the programs of a user
// measure may add to that.
const MaxLine = 1 << 20

// ErrTooLong is a record that does not fit into a line.
var ErrTooLong = errors.New("record is larger than 1 MiB")

// none is the prev of the very first line.
var none = strings.Repeat("0", 2*sha256.Size)

// sumOf is what the next line says of this one, which is without its line end.
func sumOf(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// encode makes the line of a record, without its line end. Characters that could steer a terminal are escaped, so that
// a journal can be read with any program.
func encode(r Record) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	line := escape(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	if len(line) >= MaxLine {
		return nil, ErrTooLong
	}
	return line, nil
}

// escape writes what is not printable ASCII or a printable character as JSON writes any.
func escape(line []byte) []byte {
	plain := func(r rune) bool { return r < 0x7f || strconv.IsPrint(r) && r != utf8.RuneError }
	if bytes.IndexFunc(line, func(r rune) bool { return !plain(r) }) < 0 {
		return line
	}
	out := make([]byte, 0, len(line)+64)
	for _, r := range string(line) {
		switch high, low := utf16.EncodeRune(r); {
		case plain(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// decode reads a line, which is without its line end. Keys that a later smpctl adds are passed over.
func decode(line []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		return Record{}, errors.New("is no record: " + strings.TrimPrefix(err.Error(), "json: "))
	}
	if r.V != Version {
		return Record{}, fmt.Errorf("is of format %d, which this smpctl does not know", r.V)
	}
	return r, nil
}

// link is the beginning of a line: its place in the chain, and what it is about.
type link struct {
	seq   int64
	prev  []byte // hexadecimal digits
	id    []byte
	event Event
}

// parseLink reads the beginning of a line without the rest. Its slices are those of the line. It takes only what
// encode writes.
func parseLink(line []byte) (l link, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"v":1,"seq":`))
	if !ok {
		return link{}, false
	}
	digits := bytes.IndexByte(rest, ',')
	if digits < 1 || digits > 18 || rest[0] < '1' || rest[0] > '9' {
		return link{}, false
	}
	l.seq, ok = digitsOf(rest[:digits])
	if !ok {
		return link{}, false
	}
	if l.prev, rest, ok = text(rest[digits:], `,"prev":"`); !ok || len(l.prev) != 2*sha256.Size {
		return link{}, false
	}
	if l.id, rest, ok = text(rest, `,"id":"`); !ok {
		return link{}, false
	}
	event, _, ok := text(rest, `,"event":"`)
	l.event = eventOf(event)
	return l, ok
}

func digitsOf(b []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil
}

// text reads a plain text behind its key.
func text(b []byte, key string) (value, rest []byte, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte(key))
	if !ok {
		return nil, nil, false
	}
	end := bytes.IndexByte(b, '"')
	if end < 0 || bytes.IndexByte(b[:end], '\\') >= 0 {
		return nil, nil, false
	}
	return b[:end], b[end+1:], true
}

// eventOf is an event without a text of its own for each line.
func eventOf(b []byte) Event {
	for _, e := range events {
		if string(e) == string(b) {
			return e
		}
	}
	return Event(b)
}

func (e Event) known() bool { return slices.Contains(events, e) }
