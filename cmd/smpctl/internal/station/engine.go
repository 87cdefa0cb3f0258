package station

import (
	"context"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
	"github.com/smpctl/smpctl/transport"
)

// Times of the engine.
const (
	lookEvery = 250 * time.Millisecond // at the ports
	tickEvery = 200 * time.Millisecond // the clock of the rig, and of what is shown
)

// engine asks the rig what to do and does it. Whatever may be slow runs in a goroutine of its own; what these say goes
// through the one that owns the rig.
type engine struct {
	app *app.App
	rig *rig

	ports func() ([]transport.Port, error)
	// work does the work with a board, in an App of its own, and says what names it as soon as that is known. It ends
	// soon when ctx does.
	work  func(ctx context.Context, board *app.App, o order, named func(string)) outcome
	seen  func([]deed)     // somebody has looked at these; nil: nobody keeps that
	show  func(page.View)  // must not wait for anybody
	dress func(*page.View) // fills in what the rig does not know; nil: nothing

	pressed <-chan page.Input // of the page; nil: there is none
	scans   <-chan string     // of a scanner at the terminal; nil: there is none

	news  news
	ended chan ending
	jobs  sync.WaitGroup
}

// ending is how a turn ended.
type ending struct {
	turn int64
	outcome
}

// sight is what is plugged in.
type sight struct {
	ports []transport.Port
	err   error
}

// run works until ctx ends: then it begins no more boards, stops those that are worked on, and waits for them.
func (e *engine) run(ctx context.Context) {
	e.rig.lookedAt = time.Now()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	e.ended = make(chan ending, maxSlots)
	sights := e.watch(watching)
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for stopped := ctx.Done(); ; {
		if e.rig.ending && e.rig.busy() == 0 {
			break
		}
		select {
		case s := <-sights:
			e.obey(ctx, e.rig.sighted(time.Now(), s))
		case in := <-e.pressed:
			e.input(ctx, in)
		case text := <-e.scans:
			e.obey(ctx, e.looked(e.rig.scanned(time.Now(), text)))
		case end := <-e.ended:
			e.news.forget(end.turn)
			e.obey(ctx, e.rig.ended(time.Now(), end.turn, end.outcome))
		case <-tick.C:
			e.news.take(func(turn int64, a advance) { e.rig.progress(time.Now(), turn, a) })
			e.obey(ctx, e.rig.tick(time.Now()))
		case <-stopped:
			stopped, e.rig.ending = nil, true
		}
		e.present()
	}
	e.present()
	e.jobs.Wait()
}

// input takes in what an operator did on the page.
func (e *engine) input(ctx context.Context, in page.Input) {
	now := time.Now()
	switch in.Kind {
	case page.Scan:
		e.obey(ctx, e.looked(e.rig.scanned(now, in.Text)))
	case page.Button:
		e.obey(ctx, e.rig.button(now, in.Slot))
	case page.Acknowledge:
		e.obey(ctx, e.looked(e.rig.acknowledged(now, in.Message)))
	}
}

// looked passes on that somebody has looked at boards.
func (e *engine) looked(orders []order, seen []deed) []order {
	if e.seen != nil && len(seen) > 0 {
		e.seen(seen)
	}
	return orders
}

// present shows how things are.
func (e *engine) present() {
	v := e.rig.view(time.Now())
	if e.dress != nil {
		e.dress(&v)
	}
	e.show(v)
}

// obey begins the work with boards.
func (e *engine) obey(ctx context.Context, orders []order) {
	for _, o := range orders {
		e.news.begin(o.turn)
		e.jobs.Go(e.app.Guarded(func() {
			end := ending{o.turn, outcome{result: "fail", kind: "other", step: "smpctl itself"}}
			defer func() { e.ended <- end }()
			board := e.app.ForBoard(o.slot, func(ev app.Event) { e.news.hear(o.turn, ev) })
			defer board.End()
			board.Flags.Quiet = !board.Flags.JSON && !board.News.Live() // the slots tell all that counts
			end.outcome = e.work(ctx, board, o, func(name string) { e.news.named(o.turn, name) })
		}))
	}
}

// watch looks at the ports again and again, and hands on the last sight of them.
func (e *engine) watch(ctx context.Context) <-chan sight {
	sights := make(chan sight, 1)
	e.app.Spawn(func() {
		again := time.NewTicker(lookEvery)
		defer again.Stop()
		for {
			ports, err := e.ports()
			select {
			case <-sights: // nobody has had the time for it
			default:
			}
			sights <- sight{ports, err}
			select {
			case <-again.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return sights
}
