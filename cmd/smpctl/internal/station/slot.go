package station

import (
	"fmt"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/transport"
)

// phase is where a slot is between empty and empty.
type phase int

const (
	empty   phase = iota // nothing in it
	held                 // a board that is not worked on yet: it has to settle, or something is missing
	refused              // a board with which nothing is done; it has to be pulled out
	working              // a board that is worked on, there or away for a reset
	done                 // a board with a result, until it is pulled out
)

// slot is one place of the fixture. It sees ports come and go, and knows what that means; it decides nothing that other
// slots have a say in.
type slot struct {
	place
	phase
	port transport.Port // of the board, as last seen; zero without one
	here transport.Port // what was seen last in the place, whoever's it is
	seen bool           // it is there now
	at   time.Time      // since when it is seen, or not seen

	// reset tells that the board was away when its work ended. That it comes back then is no new board.
	reset bool

	trouble trouble // why a board is refused
	turn    turn    // while working and done
}

// trouble is why nothing is done with a board, and what to do now.
type trouble struct{ kind, text, advice string }

// turn is the work with one board, and what came of it.
type turn struct {
	number  int64 // no other has it
	label   string
	board   string // what names it
	percent *int
	step    string
	result  journal.Result
	kind    string
	advice  string
	seconds float64
}

// look tells the slot what is in its place: nothing if there is none.
func (s *slot) look(now time.Time, p transport.Port, there bool) {
	if there {
		s.here = p
	}
	switch {
	case !there && s.seen:
		s.seen, s.at = false, now
		if s.phase == held {
			s.clear()
		}
	case !there:
		s.wane(now)
	case !s.seen:
		s.arrive(now, p)
	case p != s.port && s.phase != working:
		s.turnInto(now, p)
	}
}

// wane notices that a board was pulled out.
func (s *slot) wane(now time.Time) {
	away := now.Sub(s.at)
	resets := s.phase == done && s.reset && (s.turn.result != journal.Pass || away < lateTime)
	if away >= pulledTime && (s.phase == refused || s.phase == done && !resets) {
		s.clear()
	}
}

// arrive has a board in the place where none was.
func (s *slot) arrive(now time.Time, p transport.Port) {
	s.wane(now)
	s.seen, s.at = true, now
	switch {
	case s.phase == working:
	case s.phase == empty || isOther(s.port, p):
		s.hold(now, p)
	case s.reset && s.turn.result != journal.Pass, isSame(s.port, p):
		s.port, s.reset = p, false
	case s.phase == done: // perhaps another one, which must not have the result of the first
		s.refuse(p, trouble{"changed", "a board was away for a moment",
			"pull the board out until this says EMPTY, then plug it in"})
	default:
		s.port = p
	}
}

// turnInto has a board show itself differently without having been away as far as anybody saw.
func (s *slot) turnInto(now time.Time, p transport.Port) {
	switch {
	case s.phase == held || isOther(s.port, p):
		s.hold(now, p)
	default:
		s.port = p
	}
}

// hold has a new board in the slot.
func (s *slot) hold(now time.Time, p transport.Port) {
	s.phase, s.port, s.seen, s.at = held, p, true, now
	s.reset, s.trouble, s.turn = false, trouble{}, turn{}
}

// refuse does nothing with a board until it is pulled out.
func (s *slot) refuse(p transport.Port, t trouble) {
	s.phase, s.port, s.trouble, s.turn, s.reset = refused, p, t, turn{}, false
}

// clear has nothing in the slot.
func (s *slot) clear() {
	s.phase, s.port, s.reset = empty, transport.Port{}, false
	s.trouble, s.turn = trouble{}, turn{}
}

// begin has the board worked on.
func (s *slot) begin(t turn) {
	s.phase, s.turn, s.trouble = working, t, trouble{}
}

// end has a result for the board, and why it is no better one. If it is away now, that is for the last reset of its
// work. Another board that was put into its place meanwhile must not have its result, and is not worked on before
// somebody has touched it.
func (s *slot) end(why string) {
	if s.seen && isOther(s.port, s.here) {
		s.refuse(s.here, trouble{"changed", fmt.Sprintf("%s was taken out (%s); this is another board", s.turn.board,
			s.turn.result), "pull the board out until this says EMPTY, then plug it in"})
		return
	}
	s.phase, s.reset = done, !s.seen
	s.turn.percent, s.turn.step = nil, why
	if s.seen {
		s.port = s.here
	}
}

// moveTo has the board of this slot, with its work or its result, in another one, where somebody put it.
func (s *slot) moveTo(o *slot) {
	o.phase, o.turn, o.trouble, o.reset = s.phase, s.turn, trouble{}, false
	s.clear()
}

// isAway tells whether the slot has a board that may turn up in another one.
func (s *slot) isAway() bool { return !s.seen && (s.phase == working || s.phase == done && s.reset) }

// isSame tells whether two ports are certainly of one board: by a serial number that is its own, wherever it is.
func isSame(a, b transport.Port) bool {
	return a.OwnSerial() != "" && strings.EqualFold(a.OwnSerial(), b.OwnSerial())
}

// isOther tells whether two ports in one place are certainly of two boards.
func isOther(a, b transport.Port) bool { return len(transport.Same(a, []transport.Port{b})) == 0 }
