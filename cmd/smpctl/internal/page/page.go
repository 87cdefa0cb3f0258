package page

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Options of a page; the zero value is that of a page on loopback.
type Options struct {
	// Token is asked for before anything is shown. Without it only requests whose Host is of this computer are
	// answered; with it any are, so the page must be behind TLS then.
	Token string

	MaxStreams int           // browsers at a time; 0: 16
	Alive      time.Duration // how often a silent stream says that it is there; 0: 3 s
	SlowAfter  time.Duration // a browser that takes nothing for so long is let go; 0: 10 s
}

// InputKind says what the operator did.
type InputKind string

// Kinds of input.
const (
	Scan        InputKind = "scan"        // a scanner, or the keyboard
	Button      InputKind = "button"      // that of a slot
	Acknowledge InputKind = "acknowledge" // of a message
)

// Input is what the operator did.
type Input struct {
	Kind    InputKind
	Text    string // that was scanned
	Slot    string // whose button it was
	Message string // ID of the message that was read
}

// Page is the page of one station. Its methods may be called from several goroutines.
type Page struct {
	o       Options
	session string // what the cookie of a browser holds that knew the token
	inputs  chan Input
	streams chan struct{} // one place a stream

	mutex   sync.Mutex // guards what follows
	view    View
	shown   []byte        // the view as JSON
	changed chan struct{} // closed when shown is replaced
}

// New is a page that shows an empty view.
func New(o Options) *Page {
	if o.MaxStreams == 0 {
		o.MaxStreams = 16
	}
	if o.Alive == 0 {
		o.Alive = 3 * time.Second
	}
	if o.SlowAfter == 0 {
		o.SlowAfter = 10 * time.Second
	}
	p := &Page{o: o, session: rand.Text(), inputs: make(chan Input, 32),
		streams: make(chan struct{}, o.MaxStreams), changed: make(chan struct{})}
	p.Show(View{})
	return p
}

// Show replaces what the page shows. It keeps nothing of v and never waits for a browser.
func (p *Page) Show(v View) {
	v = v.bounded()
	shown, err := json.Marshal(v) // no newlines in it, so it is one line of a stream
	if err != nil {
		panic("page: " + err.Error())
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if bytes.Equal(shown, p.shown) {
		return
	}
	p.view, p.shown = v, shown
	close(p.changed)
	p.changed = make(chan struct{})
}

// Inputs are what operators did, in order. Who does not read them has browsers told that the station is busy.
func (p *Page) Inputs() <-chan Input { return p.inputs }

// now is what is shown, and when that changes.
func (p *Page) now() (View, []byte, <-chan struct{}) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.view, p.shown, p.changed
}

// Handler answers browsers.
func (p *Page) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.document)
	for _, a := range assets {
		mux.HandleFunc("GET /"+a.name, a.serve)
	}
	mux.HandleFunc("POST /login", p.login)
	mux.Handle("GET /stream", p.known(p.stream))
	mux.Handle("POST /scan", p.known(input(p, func(b struct{ Text string }) Input {
		return Input{Kind: Scan, Text: b.Text}
	})))
	mux.Handle("POST /button", p.known(input(p, func(b struct{ Slot string }) Input {
		return Input{Kind: Button, Slot: b.Slot}
	})))
	mux.Handle("POST /acknowledge", p.known(input(p, func(b struct{ Message string }) Input {
		return Input{Kind: Acknowledge, Message: b.Message}
	})))
	return p.guard(mux)
}
