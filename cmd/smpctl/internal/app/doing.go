package app

import (
	"slices"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// redrawEvery is the time between two looks at the line that changes: nobody reads faster.
const redrawEvery = 100 * time.Millisecond

// doing is what the command is doing now, the whole before its parts. A terminal shows the last one that is due.
type doing struct {
	display interface {
		Live() bool
		Show(draw func(width int) screen.Line)
	}
	guarded func(func()) func()

	mu   sync.Mutex // guards what follows
	list []*activity
	tick *time.Timer // nil while there is nothing to draw
}

// activity is something that takes a while. The lock guards it while it is in the list.
type activity struct {
	due  time.Time // when it is worth a word
	draw func(width int) screen.Line
}

// begin shows an activity from its time on, until end.
func (d *doing) begin(x *activity) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, x)
	if d.tick == nil && d.display.Live() {
		d.tick = time.AfterFunc(redrawEvery, d.guarded(d.redraw))
	}
	d.show()
}

// hurry shows an activity at once.
func (d *doing) hurry(x *activity) {
	d.mu.Lock()
	defer d.mu.Unlock()
	x.due = time.Now()
	d.show()
}

// end takes an activity away. It may be called again.
func (d *doing) end(x *activity) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.list, x); i >= 0 {
		d.list = slices.Delete(d.list, i, i+1)
	}
	d.rest()
	d.show()
}

// endAll takes everything away: the line that changes was the last one.
func (d *doing) endAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = nil
	d.rest()
	d.show()
}

// innermost reports whether there is nothing more precise to say than x.
func (d *doing) innermost(x *activity) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.list) > 0 && d.list[len(d.list)-1] == x
}

func (d *doing) redraw() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tick != nil {
		d.show()
		d.tick.Reset(redrawEvery)
	}
}

// rest ends the redrawing when there is nothing to draw. The lock is held.
func (d *doing) rest() {
	if len(d.list) == 0 && d.tick != nil {
		d.tick.Stop()
		d.tick = nil
	}
}

// show hands the display what it is to draw. The lock is held.
func (d *doing) show() {
	now := time.Now()
	for _, x := range slices.Backward(d.list) {
		if !now.Before(x.due) {
			d.display.Show(x.draw)
			return
		}
	}
	d.display.Show(nil)
}
