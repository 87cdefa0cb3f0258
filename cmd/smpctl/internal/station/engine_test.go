package station

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
	"github.com/smpctl/smpctl/transport"
)

// plant is an engine with boards that a test plugs in, work that takes ten seconds, and what it shows.
type plant struct {
	*engine
	mu      sync.Mutex
	plugged []transport.Port
	blind   error
	shown   page.View
	done    []string
	pressed chan page.Input
	hang    chan struct{} // not nil: looking at the ports waits for it
	ended   chan struct{}
	stop    context.CancelFunc
}

func newPlant(t *testing.T, change func(*rules)) *plant {
	t.Helper()
	b := newBench(t, change, nil)
	p := &plant{pressed: make(chan page.Input), ended: make(chan struct{})}
	p.engine = &engine{
		app: app.New(app.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard},
			func(string) (string, bool) { return "", false }),
		rig: newRig(b.rig.rules, newPast()), ports: p.look, show: p.see, pressed: p.pressed,
		work: func(ctx context.Context, _ *app.App, o order, named func(string)) outcome {
			named("board " + o.port.Serial)
			select {
			case <-time.After(10 * time.Second):
			case <-ctx.Done():
				return outcome{result: journal.Fail, kind: "interrupted", touched: true, interrupted: true}
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.done = append(p.done, o.slot+" "+o.port.Serial)
			return outcome{result: journal.Pass, touched: true}
		},
	}
	return p
}

func (p *plant) look() ([]transport.Port, error) {
	p.mu.Lock()
	hang := p.hang
	p.mu.Unlock()
	if hang != nil {
		<-hang
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.plugged), p.blind
}

func (p *plant) see(v page.View) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = v
}

func (p *plant) start() {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() {
		defer close(p.ended)
		p.run(ctx)
	}()
}

func (p *plant) plug(slot, serial string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	port := boardPort(serial)
	port.Location = locations[slot]
	p.plugged = append(p.plugged, port)
}

// wants waits a while and looks at the tiles.
func (p *plant) wants(t *testing.T, after time.Duration, want string) {
	t.Helper()
	time.Sleep(after)
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	var got []string
	for _, tile := range p.shown.Tiles {
		got = append(got, strings.TrimSpace(tile.Slot+" "+string(tile.State)+" "+tile.Board))
	}
	if strings.Join(got, ", ") != want {
		t.Errorf("after %v the page shows %q, want %q", after, got, want)
	}
}

func (p *plant) end(t *testing.T) {
	t.Helper()
	p.stop()
	began := time.Now()
	<-p.ended
	if took := time.Since(began); took > time.Second {
		t.Errorf("the end took %v", took)
	}
}

func TestBoardsAreWorkedOnAsTheyArePluggedIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, nil)
		p.start()
		p.wants(t, second, "A1 empty, A2 empty")
		p.plug("A1", "E66C0001")
		p.wants(t, 3*second, "A1 working board E66C0001, A2 empty")
		p.plug("A2", "E66C0002")
		p.wants(t, 9*second, "A1 pass board E66C0001, A2 working board E66C0002")
		p.wants(t, 9*second, "A1 pass board E66C0001, A2 pass board E66C0002")
		p.end(t)
	})
}

func TestTheEndStopsWhatIsWorkedOnAndBeginsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, nil)
		p.start()
		p.plug("A1", "E66C0001")
		p.wants(t, 3*second, "A1 working board E66C0001, A2 empty")
		p.plug("A2", "E66C0002")
		p.end(t)
		p.wants(t, 0, "A1 fail board E66C0001, A2 closed")
		if p.rig.past.failed != 1 || len(p.done) != 0 {
			t.Errorf("%d failed, done %v", p.rig.past.failed, p.done)
		}
	})
}

func TestTheButtonOfThePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, func(r *rules) { r.start = startButton })
		p.start()
		p.plug("A1", "E66C0001")
		p.wants(t, 3*second, "A1 ready E66C0001, A2 empty")
		p.pressed <- page.Input{Kind: page.Button, Slot: "A1"}
		p.wants(t, 3*second, "A1 working board E66C0001, A2 empty")
		p.end(t)
	})
}

func TestAComputerThatDoesNotListItsPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, nil)
		p.hang = make(chan struct{})
		p.start()
		p.plug("A1", "E66C0001")
		p.wants(t, 10*second, "A1 empty, A2 empty")
		if m := p.shown.Messages; len(m) != 1 || !strings.Contains(m[0].Text, "does a hub hang?") {
			t.Errorf("messages %+v", m)
		}
		close(p.hang)
		p.wants(t, 3*second, "A1 working board E66C0001, A2 empty")
		if len(p.shown.Messages) != 0 {
			t.Errorf("messages %+v", p.shown.Messages)
		}
		p.mu.Lock()
		p.blind = errors.New("list serial ports: too many open files")
		p.mu.Unlock()
		p.wants(t, second, "A1 working board E66C0001, A2 empty")
		if m := p.shown.Messages; len(m) != 1 || !strings.Contains(m[0].Text, "too many open files") {
			t.Errorf("messages %+v", m)
		}
		p.end(t)
	})
}

func TestHowFarABoardIs(t *testing.T) {
	var n news
	heard := func() (a advance) {
		n.take(func(_ int64, is advance) { a = is })
		return a
	}
	n.begin(1)
	n.hear(1, app.StepEvent{Event: "step", Step: "upload", Phase: "begin"})
	if a := heard(); a.step != "upload" || a.percent != nil {
		t.Errorf("at the beginning of a step: %+v", a)
	}
	n.hear(1, app.ProgressEvent{Step: "upload", Done: 1 << 29, Total: 3 << 29})
	n.named(1, "E66C0001")
	if a := heard(); a.percent == nil || *a.percent != 33 || a.board != "E66C0001" {
		t.Errorf("in the middle: %+v", a)
	}
	n.hear(1, app.ProgressEvent{Step: "upload"})
	if a := heard(); *a.percent != 0 {
		t.Errorf("of nothing: %d %%", *a.percent)
	}
	n.forget(1)
	n.named(1, "E66C0001") // late
	if a := heard(); a != (advance{}) {
		t.Errorf("after its end: %+v", a)
	}
}
