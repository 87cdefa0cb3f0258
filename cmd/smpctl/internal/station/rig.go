package station

import (
	"slices"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
	"github.com/smpctl/smpctl/transport"
)

// rig is the fixture with its slots, and decides what is done. It does nothing itself: time, ports, scans and news of
// the work come in, orders come out. One goroutine may use it at a time.
type rig struct {
	rules
	slots   []*slot
	past    *past
	resumed bool  // what was plugged in at the start is taken up
	turns   int64 // so far

	lookedAt time.Time // last time, at the ports
	blind    error     // why that did not work since

	label    string // scanned, and waiting for its board; empty: none
	labelled time.Time
	operator string
	failures int    // in a row
	broken   string // why no record can be written; empty: it can
	ending   bool   // no new boards
	messages []said
	spoken   int // sentences so far
}

// order is to begin the work with a board.
type order struct {
	turn     int64
	slot     string
	port     transport.Port
	label    string
	operator string
}

func newRig(r rules, p *past) *rig {
	g := &rig{rules: r, past: p}
	for _, place := range r.slots {
		g.slots = append(g.slots, &slot{place: place})
	}
	g.sayUnknown()
	return g
}

// sighted takes in a look at the ports, which may have failed.
func (g *rig) sighted(now time.Time, s sight) []order {
	g.blind = s.err
	if s.err != nil {
		return g.decide(now)
	}
	return g.plugged(now, s.ports)
}

// plugged takes in which ports there are, and says what is to be done.
func (g *rig) plugged(now time.Time, ports []transport.Port) []order {
	g.lookedAt = now
	at := map[string][]transport.Port{}
	for _, p := range ports {
		if p.USB {
			at[placeOf(p)] = append(at[placeOf(p)], p)
		}
	}
	if len(g.rules.slots) == 0 {
		g.addSlots(ports)
	}
	for _, s := range g.slots {
		p, there := g.portOf(at[s.location])
		s.look(now, p, there)
	}
	g.reunite()
	if !g.resumed {
		g.resumed = true
		g.resume()
	}
	return g.decide(now)
}

// placeOf is where a port is; without a location its name has to do.
func placeOf(p transport.Port) string {
	if p.Location != "" {
		return p.Location
	}
	return p.Name
}

// addSlots makes a slot of each place where a board was seen.
func (g *rig) addSlots(ports []transport.Port) {
	for _, p := range ports {
		known := slices.ContainsFunc(g.slots, func(s *slot) bool { return s.location == placeOf(p) })
		if !known && p.USB && g.fits(p) && len(g.slots) < maxSlots {
			g.addSlot(placeOf(p))
		}
	}
}

// addSlot makes a slot of a place.
func (g *rig) addSlot(location string) *slot {
	s := &slot{place: place{location, location}}
	g.slots = append(g.slots, s)
	slices.SortFunc(g.slots, func(a, b *slot) int { return compareNames(a.name, b.name) })
	return s
}

// fits tells whether a port is one of a board of this station.
func (g *rig) fits(p transport.Port) bool {
	_, err := g.match.Choose([]transport.Port{p})
	return err == nil
}

// portOf is that of the ports of one place that stands for what is there: one of a board of ours, if there is any.
func (g *rig) portOf(ports []transport.Port) (transport.Port, bool) {
	if len(ports) == 0 {
		return transport.Port{}, false
	}
	if i := slices.IndexFunc(ports, g.fits); i >= 0 {
		return ports[i], true
	}
	return ports[0], true
}

// reunite finds boards that were put into another slot while they are worked on.
func (g *rig) reunite() {
	for _, s := range g.slots {
		if !s.isAway() {
			continue
		}
		i := slices.IndexFunc(g.slots, func(o *slot) bool { return o.phase == held && isSame(s.port, o.port) })
		if i >= 0 {
			s.moveTo(g.slots[i])
		}
	}
}

// tick has time pass.
func (g *rig) tick(now time.Time) []order { return g.decide(now) }

// decide looks at all boards that are not worked on yet.
func (g *rig) decide(now time.Time) []order {
	if g.label != "" && now.Sub(g.labelled) >= labelTime {
		g.sayBriefly(now, page.Warning, "label %s was not used: scan it again", g.label)
		g.label = ""
	}
	g.forget(now)
	var orders []order
	for _, s := range g.slots {
		if s.phase != held {
			continue
		}
		if t := g.troubleWith(now, s); t != (trouble{}) {
			s.refuse(s.port, t)
		} else if g.wanting(now, s) == nothing {
			orders = append(orders, g.begin(now, s))
		}
	}
	return orders
}

// begin orders the work with the board in a slot.
func (g *rig) begin(now time.Time, s *slot) order {
	if d, ok := g.passedBefore(s); ok && g.repeat == repeatWarn {
		g.warnRepeat(now, s, d)
	}
	g.turns++
	t := turn{number: g.turns, label: s.turn.label, board: s.port.Serial}
	if g.start == startScan && t.label == "" {
		t.label, g.label = g.label, ""
	}
	if t.label != "" && g.source == "label" {
		t.board = t.label
	}
	s.begin(t)
	return order{t.number, s.name, s.port, t.label, g.operator}
}

// find is the slot with a turn; nil if there is none.
func (g *rig) find(number int64) *slot {
	i := slices.IndexFunc(g.slots, func(s *slot) bool { return s.turn.number == number && number > 0 })
	if i < 0 {
		return nil
	}
	return g.slots[i]
}

// progress takes in how far a turn has come.
func (g *rig) progress(now time.Time, number int64, a advance) {
	s := g.find(number)
	if s == nil || s.phase != working {
		return
	}
	s.turn.step, s.turn.percent = a.step, a.percent
	if a.board == "" || a.board == s.turn.board {
		return
	}
	s.turn.board = a.board
	if d, ok := g.past.passOf(a.board); ok && g.repeat == repeatWarn { // only the board could tell
		g.warnRepeat(now, s, d)
	}
}

// warnRepeat says that a board is worked on that passed before.
func (g *rig) warnRepeat(now time.Time, s *slot, d deed) {
	g.sayBriefly(now, page.Warning, "%s: %s passed before, on %s", s.name, d.board, d.at.Local().Format(timeForm))
}

// outcome is how a turn ended.
type outcome struct {
	result      journal.Result
	board       string // what names it; empty if that never became known
	kind        string
	step        string       // in which it failed
	failed      *app.Failure // the whole story; nil: it did not
	advice      string       // what to do now
	seconds     float64
	touched     bool   // there is a record of it
	unrecorded  string // why there is no record of the end, or none at all
	interrupted bool
	unfit       bool // it is no board for this station
}

// ended takes in how a turn ended. That a board passed counts only with a record of it.
func (g *rig) ended(now time.Time, number int64, o outcome) []order {
	s := g.find(number)
	if s == nil {
		return nil
	}
	if o.unrecorded != "" {
		g.broken = o.unrecorded
		g.say(saidRecords, page.Error, "no record can be written, so no board is touched: %s", o.unrecorded)
		o.kind, o.advice = "record", "tell the one who looks after this station"
		if o.result == journal.Pass { // it may be on the board, and nobody can prove it
			o.result = journal.Unknown
		}
	}
	t := &s.turn
	t.result, t.kind, t.seconds = o.result, o.kind, o.seconds
	t.advice = o.advice
	if o.board != "" {
		t.board = o.board
	}
	g.count(now, s, o)
	s.end(inStep(o))
	return g.decide(now)
}

// inStep says where it failed.
func inStep(o outcome) string {
	if o.result == journal.Pass || o.step == "" {
		return ""
	}
	return "in " + o.step
}

// count keeps what came of a turn.
func (g *rig) count(now time.Time, s *slot, o outcome) {
	t := s.turn
	if !o.touched {
		return
	}
	g.past.add(deed{at: now, slot: s.name, board: t.board, serial: s.port.OwnSerial(), label: t.label, result: t.result,
		kind: t.kind, seconds: t.seconds})
	switch {
	case t.result == journal.Pass:
		g.failures = 0
	case !o.interrupted && !o.unfit:
		g.failures++
	}
	if g.stopAfter > 0 && g.failures == g.stopAfter {
		g.say(saidStopped, page.Error, "%s in a row: no new boards until somebody has looked into it",
			human.Count(g.failures, "failure"))
	}
}

// button begins the work with the board in a slot.
func (g *rig) button(now time.Time, name string) []order {
	i := slices.IndexFunc(g.slots, func(s *slot) bool { return strings.EqualFold(s.name, name) })
	if i < 0 || g.start != startButton {
		return nil
	}
	s := g.slots[i]
	if s.phase != held || g.wanting(now, s) != wantButton {
		g.sayBriefly(now, page.Warning, "%s: there is nothing to start", s.name)
		return nil
	}
	return []order{g.begin(now, s)}
}
