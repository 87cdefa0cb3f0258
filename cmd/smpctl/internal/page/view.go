package page

import (
	"strings"
	"time"
	"unicode"
)

// State is what a tile says from three metres away.
type State string

// States of a tile.
const (
	Empty   State = "empty"   // no board
	Label   State = "label"   // waits for the label of the board
	Ready   State = "ready"   // waits for the board, or for the button
	Working State = "working" // hands off
	Pass    State = "pass"
	Fail    State = "fail"
	Unknown State = "unknown" // begun, and nobody knows how it ended
	Closed  State = "closed"  // takes no board now
)

// Tile is one slot.
type Tile struct {
	Slot    string `json:"slot"` // its name, which no other has
	State   State  `json:"state"`
	Percent *int   `json:"percent,omitempty"` // of the work, 0 to 100; nil: not known
	Board   string `json:"board,omitempty"`   // what names the board in it
	Detail  string `json:"detail,omitempty"`  // the step, or the kind of a failure
	Advice  string `json:"advice,omitempty"`  // what to do now
	Button  bool   `json:"button,omitempty"`  // can be started by a button
}

// Counters are of the run.
type Counters struct {
	Pass        int       `json:"pass"`
	Fail        int       `json:"fail"`
	Unknown     int       `json:"unknown"`
	Left        *int      `json:"left,omitempty"` // of the quota; nil: there is none
	Sends       bool      `json:"sends"`          // records are sent somewhere
	Unsent      int       `json:"unsent"`         // records that were not sent yet
	UnsentSince time.Time `json:"unsent_since,omitzero"`
}

// Past is a board that was done.
type Past struct {
	At      time.Time `json:"at"`
	Slot    string    `json:"slot"`
	Board   string    `json:"board"`
	Label   string    `json:"label,omitempty"`
	Result  State     `json:"result"` // Pass, Fail or Unknown
	Kind    string    `json:"kind,omitempty"`
	Seconds float64   `json:"seconds"`
}

// Level is how much a message matters.
type Level string

// Levels of a message.
const (
	Info    Level = "info"
	Warning Level = "warning"
	Error   Level = "error"
)

// Message is a sentence for the operator.
type Message struct {
	ID          string `json:"id"` // which no other message has
	Level       Level  `json:"level"`
	Text        string `json:"text"`
	Acknowledge bool   `json:"acknowledge"` // stays until somebody says that it was read
}

// View is all that the page shows.
type View struct {
	Station  string    `json:"station"`
	Image    string    `json:"image"` // what is flashed, in words
	Tiles    []Tile    `json:"tiles"`
	Counters Counters  `json:"counters"`
	Messages []Message `json:"messages"`
	History  []Past    `json:"history"` // newest first; those after HistoryMax are not shown
}

// What a view may hold; the rest is left out.
const (
	HistoryMax  = 20
	messagesMax = 10
	tilesMax    = 128 // twice the most boards at a time
	textMax     = 300 // characters of a text
)

// bounded is a view that fits into these limits, and whose texts are one line each of characters that show.
func (v View) bounded() View {
	v.Station, v.Image = plain(v.Station), plain(v.Image)
	v.Tiles = boundedList(v.Tiles, tilesMax, func(t *Tile) {
		t.Slot, t.Board, t.Detail, t.Advice = plain(t.Slot), plain(t.Board), plain(t.Detail), plain(t.Advice)
	})
	v.Messages = boundedList(v.Messages, messagesMax, func(m *Message) { m.Text = plain(m.Text) })
	v.History = boundedList(v.History, HistoryMax, func(p *Past) {
		p.Slot, p.Board, p.Label, p.Kind = plain(p.Slot), plain(p.Board), plain(p.Label), plain(p.Kind)
	})
	return v
}

// boundedList is a copy of the first n of a list, each seen to.
func boundedList[T any](list []T, n int, see func(*T)) []T {
	out := make([]T, min(len(list), n)) // never nil: it is a list in JSON too
	copy(out, list)
	for i := range out {
		see(&out[i])
	}
	return out
}

// plain is a text without what does not show or turns the direction of what follows.
func plain(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		switch {
		case n >= textMax:
			return -1
		case unicode.IsSpace(r):
			r = ' '
		case !unicode.IsPrint(r):
			r = unicode.ReplacementChar
		}
		n++
		return r
	}, s)
}
