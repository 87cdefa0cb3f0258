package trace

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// kind is what an entry is about.
type kind byte

const (
	beginning kind = iota // of a connection
	packet
	text // bytes outside packets
	note // what happened to the link
)

// entry is a line that package transport wrote (transport.Options.Trace).
type entry struct {
	kind  kind
	at    time.Duration // since the connection was made
	sent  bool          // of a packet or text: by us
	bytes []byte        // of a packet or text
	note  string        // untrusted, as is everything from the device
}

// parse reads a line. One that is not as package transport writes them becomes a note.
func parse(line string) entry {
	line = strings.TrimSuffix(line, "\n")
	if strings.HasPrefix(line, "#") {
		return entry{kind: beginning}
	}
	time, rest, _ := strings.Cut(line, " ")
	direction, rest, _ := strings.Cut(rest, " ")
	e := entry{sent: direction == ">"}
	if !e.stamp(time) || !e.content(direction, rest) {
		return entry{kind: note, at: e.at, note: line}
	}
	return e
}

func (e *entry) stamp(seconds string) bool {
	at, err := time.ParseDuration(seconds + "s")
	e.at = max(at, 0)
	return err == nil
}

// content reads what stands behind the direction: a text, a note, or the words of a header and a packet in hex.
func (e *entry) content(direction, rest string) bool {
	word, quoted, _ := strings.Cut(rest, " ")
	var err error
	switch {
	case direction == "!" && word == "note":
		e.kind = note
		e.note, err = strconv.Unquote(quoted)
	case direction != "<" && direction != ">":
		return false
	case word == "text":
		e.kind = text
		var s string
		s, err = strconv.Unquote(quoted)
		e.bytes = []byte(s)
	default:
		e.kind = packet
		e.bytes, err = hex.DecodeString(rest[strings.LastIndexByte(rest, ' ')+1:])
	}
	return err == nil
}
