package station

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// view is what the operator sees of the rig.
func (g *rig) view(now time.Time) page.View {
	v := page.View{Counters: page.Counters{Pass: g.past.passed, Fail: g.past.failed, Unknown: g.past.unknown}}
	if g.quota > 0 {
		left := max(0, g.quota-g.past.passed)
		v.Counters.Left = &left
	}
	for _, s := range g.slots {
		v.Tiles = append(v.Tiles, g.tile(now, s))
	}
	v.Messages = g.standing(now)
	for _, m := range g.messages {
		v.Messages = append(v.Messages, m.Message)
	}
	for _, d := range g.past.recent {
		v.History = append(v.History, page.Past{At: d.at, Slot: d.slot, Board: d.board, Label: d.label,
			Result: stateOf(d.result), Kind: d.kind, Seconds: d.seconds})
	}
	return v
}

// standing is what is to be said as long as it is so.
func (g *rig) standing(now time.Time) []page.Message {
	var list []page.Message
	add := func(id string, level page.Level, text string) {
		list = append(list, page.Message{ID: id, Level: level, Text: text})
	}
	if g.ending {
		add("ending", page.Warning, "the station ends: no new boards")
	}
	switch {
	case g.blind != nil:
		add("blind", page.Error, "this computer does not list its ports: "+failure.Text(g.blind))
	case g.isBlind(now):
		add("blind", page.Error, "this computer does not list its ports: does a hub hang?")
	}
	if g.quota > 0 && g.past.passed >= g.quota {
		add("quota", page.Info, "the quota is reached: "+human.Count(g.past.passed, "board")+" passed")
	}
	if g.label != "" {
		add("label", page.Info, g.label+": plug this board in")
	}
	return list
}

// stateOf is how a result is shown.
func stateOf(r journal.Result) page.State {
	switch r {
	case journal.Pass:
		return page.Pass
	case journal.Fail:
		return page.Fail
	}
	return page.Unknown
}

// tile is what the operator sees of a slot.
func (g *rig) tile(now time.Time, s *slot) page.Tile {
	t := page.Tile{Slot: s.name, Board: nameOf(s)}
	switch s.phase {
	case empty:
		t.State, t.Detail = g.unoccupied()
	case held:
		t.State, t.Detail, t.Button = g.waiting(g.wanting(now, s))
	case refused:
		t.State, t.Detail, t.Advice = page.Fail, sentence(s.trouble.kind, s.trouble.text), s.trouble.advice
	case working:
		t.State, t.Detail, t.Percent = page.Working, s.turn.step, s.turn.percent
	case done:
		t.State, t.Advice = stateOf(s.turn.result), s.turn.advice
		t.Detail = strings.TrimSpace(s.turn.kind + " " + s.turn.step)
		if t.State == page.Pass {
			t.Detail = fmt.Sprintf("%.1f s", s.turn.seconds)
		}
	}
	return t
}

// sentence is a kind of failure, and what it is about.
func sentence(kind, text string) string {
	return strings.TrimPrefix(strings.TrimSuffix(kind+": "+text, ": "), ": ")
}

// nameOf is what an operator calls a board.
func nameOf(s *slot) string {
	name := cmp.Or(s.turn.board, s.port.Serial)
	if s.turn.label != "" && s.turn.label != name {
		name = strings.TrimSuffix(s.turn.label+" · "+name, " · ")
	}
	return name
}

// unoccupied is what an empty slot says.
func (g *rig) unoccupied() (page.State, string) {
	switch {
	case g.isClosed():
		return page.Closed, ""
	case g.start == startScan && g.label == "":
		return page.Label, ""
	case g.start == startScan:
		return page.Ready, "plug in " + g.label
	}
	return page.Empty, ""
}

// isClosed tells whether no board is taken now.
func (g *rig) isClosed() bool {
	return g.ending || g.broken != "" || g.isStopped() || g.quota > 0 && g.past.passed >= g.quota
}

// waiting is what a slot says whose board is not worked on yet.
func (g *rig) waiting(w want) (state page.State, detail string, button bool) {
	switch w {
	case wantLabel:
		return page.Label, "scan the label of this board", false
	case wantButton:
		return page.Ready, "press Start", true
	case wantTurn, wantRoom:
		return page.Ready, "waits for its turn", false
	case wantStation, wantRecords, wantEyes, wantOrder, wantSight:
		return page.Closed, "no new boards now", false
	}
	return page.Ready, "", false
}
