package station

import (
	"slices"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
	"github.com/smpctl/smpctl/transport"
)

// resume takes up what is plugged in as the station starts. A board that the records know keeps its last result, for
// nobody has done anything to it since, as far as the station can know; one that cannot be told from others is not
// touched. So nothing is flashed twice because the station was started twice.
func (g *rig) resume() {
	for _, s := range g.slots {
		if s.phase != held || !g.fits(s.port) {
			continue
		}
		d, known := g.past.serials[s.port.Serial]
		switch {
		case s.port.OwnSerial() == "":
			s.refuse(s.port, trouble{"replug", "it was there before the station started",
				"pull the board out until this says EMPTY, then plug it in"})
		case known:
			s.phase, s.turn = done, d.turn()
		}
	}
	for _, d := range g.past.open {
		if s := g.slotOf(d); s != nil && s.phase == empty {
			s.phase, s.reset, s.turn = done, true, d.turn()
			s.port = transport.Port{USB: true, Location: s.location, Serial: d.serial}
		}
	}
}

// turn is what a slot shows of a deed.
func (d deed) turn() turn {
	t := turn{label: d.label, board: d.board, result: d.result, kind: d.kind, seconds: d.seconds}
	switch d.result {
	case journal.Unknown:
		t.step, t.advice = "nobody saw the end", "pull the board out until this says EMPTY, then plug it in"
	case journal.Fail:
		t.advice = "pull the board out until this says EMPTY, then plug it in"
	}
	return t
}

// slotOf is the slot in which a deed was; nil if there is none any more.
func (g *rig) slotOf(d deed) *slot {
	i := slices.IndexFunc(g.slots, func(s *slot) bool { return s.name == d.slot })
	switch {
	case i >= 0:
		return g.slots[i]
	case len(g.rules.slots) > 0 || d.slot == "" || len(g.slots) >= maxSlots:
		return nil
	}
	return g.addSlot(d.slot)
}

// sayUnknown says which boards somebody has to look at.
func (g *rig) sayUnknown() {
	if len(g.past.open) == 0 {
		return
	}
	var names []string
	for _, d := range g.past.open[:min(len(g.past.open), 8)] {
		name := d.board
		if d.slot != "" {
			name += " in " + d.slot
		}
		names = append(names, name)
	}
	if more := len(g.past.open) - len(names); more > 0 {
		names = append(names, human.Count(more, "other"))
	}
	g.say(saidUnknown, page.Error, "nobody knows how the work with %s ended: look for %s", strings.Join(names, ", "),
		map[bool]string{true: "this board", false: "these boards"}[len(g.past.open) == 1])
}
