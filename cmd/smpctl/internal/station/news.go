package station

import (
	"sync"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
)

// news is what jobs say of how far they are, from their goroutines: the last of each counts.
type news struct {
	mu   sync.Mutex
	last map[int64]advance
}

// advance is how far the work with a board has come.
type advance struct {
	board   string // what names it, once that is known
	step    string
	percent *int // of the step
}

// begin has the news of a turn taken in from now on, until it is forgotten.
func (n *news) begin(turn int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last == nil {
		n.last = map[int64]advance{}
	}
	n.last[turn] = advance{}
}

// hear takes in an event of the work of a turn. It never waits for anybody.
func (n *news) hear(turn int64, e app.Event) {
	n.note(turn, func(a *advance) {
		switch e := e.(type) {
		case app.ProgressEvent:
			percent := 0
			if e.Total > 0 {
				percent = min(100, int(int64(e.Done)*100/int64(e.Total)))
			}
			a.step, a.percent = e.Step, &percent
		case app.StepEvent:
			a.step, a.percent = e.Step, nil
		case app.WaitingEvent:
			a.step, a.percent = e.Text, nil
		}
	})
}

// named takes in what names the board of a turn.
func (n *news) named(turn int64, board string) {
	n.note(turn, func(a *advance) { a.board = board })
}

func (n *news) note(turn int64, change func(*advance)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if a, ok := n.last[turn]; ok { // what comes after the end of a turn is of no use
		change(&a)
		n.last[turn] = a
	}
}

// take hands out what is known of all turns, and forget drops one that ended.
func (n *news) take(each func(turn int64, a advance)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for turn, a := range n.last {
		each(turn, a)
	}
}

func (n *news) forget(turn int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.last, turn)
}
