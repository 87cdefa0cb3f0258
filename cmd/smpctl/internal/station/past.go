package station

import (
	"iter"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// deed is the work with one board, as the records tell it.
type deed struct {
	id      string // of the record
	at      time.Time
	slot    string
	board   string // what names it
	serial  string // of its USB device
	label   string
	result  journal.Result
	kind    string
	seconds float64
}

// past is what the records tell of before, as far as decisions and the page need it.
type past struct {
	passed, failed, unknown int // with this file of the station

	mu      sync.Mutex      // guards boards
	boards  map[string]deed // that passed with this image, by what names them
	labels  map[string]deed // the same, by label
	serials map[string]deed // the last of each USB device, whatever the image
	recent  []deed          // newest first; as many as the page shows
	open    []deed          // of which nobody knows how they ended, and that nobody has looked at
}

func newPast() *past {
	return &past{boards: map[string]deed{}, labels: map[string]deed{}, serials: map[string]deed{}}
}

// readPast goes through the records of a station. Those of the image with this hash, and made with this file of the
// station, are counted.
func readPast(turns iter.Seq2[journal.Turn, error], image, config string) (*past, error) {
	p := newPast()
	for t, err := range turns {
		if err != nil {
			return nil, err
		}
		d := deedOf(t.Record)
		p.remember(d, t.Image != nil && t.Image.FileSHA256 == image, t.Station.Config == config)
		if d.result == journal.Unknown && t.Resolved == nil {
			p.open = append(p.open, d)
		}
	}
	return p, nil
}

// deedOf is what a record tells.
func deedOf(r journal.Record) deed {
	return deed{id: r.ID, at: r.Began.Add(time.Duration(r.Seconds * float64(time.Second))), slot: r.Board.Slot,
		board: r.Board.ID, serial: r.Board.Serial, label: r.Fields["label"], result: r.Result, kind: r.Kind,
		seconds: r.Seconds}
}

// add remembers a deed of now.
func (p *past) add(d deed) { p.remember(d, true, true) }

func (p *past) remember(d deed, thisImage, thisConfig bool) {
	if thisConfig {
		switch d.result {
		case journal.Pass:
			p.passed++
		case journal.Fail:
			p.failed++
		default:
			p.unknown++
		}
	}
	if thisImage && d.result == journal.Pass {
		p.mu.Lock()
		remember(p.boards, d.board, d)
		p.mu.Unlock()
		remember(p.labels, d.label, d)
	}
	remember(p.serials, d.serial, d)
	p.recent = append([]deed{d}, p.recent[:min(len(p.recent), page.HistoryMax-1)]...)
}

// passOf is the last time that a board passed with this image. It may be called from any goroutine.
func (p *past) passOf(board string) (deed, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.boards[board]
	return d, ok
}

func remember(in map[string]deed, key string, d deed) {
	if key != "" {
		in[key] = d
	}
}
