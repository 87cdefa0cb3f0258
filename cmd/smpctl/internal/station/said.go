package station

import (
	"fmt"
	"slices"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// said is a sentence for the operator.
type said struct {
	page.Message
	until time.Time // zero: until it is acknowledged
}

// maxSaid are the sentences that are kept; the oldest that nobody has to acknowledge goes first.
const maxSaid = 8

// say says something that somebody has to acknowledge. The same thing is said once.
func (g *rig) say(id string, level page.Level, format string, args ...any) {
	g.unsay(id)
	g.keep(said{Message: page.Message{ID: id, Level: level, Text: fmt.Sprintf(format, args...), Acknowledge: true}})
}

// sayBriefly says something that is gone after a while.
func (g *rig) sayBriefly(now time.Time, level page.Level, format string, args ...any) {
	g.spoken++
	g.messages = slices.DeleteFunc(g.messages, func(m said) bool { return !m.until.IsZero() }) // one at a time
	g.keep(said{page.Message{ID: fmt.Sprintf("said-%d", g.spoken), Level: level, Text: fmt.Sprintf(format, args...)},
		now.Add(sayTime)})
}

func (g *rig) keep(m said) {
	g.messages = append(g.messages, m)
	if len(g.messages) > maxSaid {
		g.messages = slices.Delete(g.messages, 0, 1)
	}
}

// unsay takes back what was said.
func (g *rig) unsay(id string) {
	g.messages = slices.DeleteFunc(g.messages, func(m said) bool { return m.ID == id })
}

// forget drops what was said some time ago.
func (g *rig) forget(now time.Time) {
	g.messages = slices.DeleteFunc(g.messages, func(m said) bool { return !m.until.IsZero() && !now.Before(m.until) })
}

// What is said that has a consequence when it is acknowledged.
const (
	saidStopped = "stopped" // after failures in a row
	saidRecords = "records" // that cannot be written
	saidUnknown = "unknown" // boards of which nobody knows how they ended
)

// acknowledged takes in that somebody has read what was said; an empty id is all of it. The records of boards come back
// that somebody has looked at now.
func (g *rig) acknowledged(now time.Time, id string) (orders []order, seen []deed) {
	is := func(what string) bool {
		said := slices.ContainsFunc(g.messages, func(m said) bool { return m.ID == what })
		return said && (id == what || id == "")
	}
	if is(saidStopped) {
		g.failures = 0
	}
	if is(saidRecords) {
		g.broken = ""
	}
	if is(saidUnknown) {
		seen, g.past.open = g.past.open, nil
		g.clearUnknown()
	}
	if id == "" {
		g.messages = nil
	} else {
		g.unsay(id)
	}
	return g.decide(now), seen
}

// clearUnknown empties the slots whose boards are unknown and not there any more.
func (g *rig) clearUnknown() {
	for _, s := range g.slots {
		if s.phase == done && !s.seen && s.turn.number == 0 {
			s.clear()
		}
	}
}
