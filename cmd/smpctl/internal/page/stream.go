package page

import (
	"io"
	"net/http"
	"time"
)

// between is the least time from one view to the next: no eye sees more.
const between = 100 * time.Millisecond

// stream sends the view, and again whenever it changed. What a browser is too slow for, it never sees.
func (p *Page) stream(w http.ResponseWriter, r *http.Request) {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		http.Error(w, "too many browsers look at this station", http.StatusServiceUnavailable)
		return
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // that of the request, which has arrived
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	s := stream{w: w, control: control, slow: p.o.SlowAfter}
	if s.send("retry: 1000\n\n") != nil {
		return
	}
	for {
		_, shown, changed := p.now()
		if s.send("event: view\ndata: "+string(shown)+"\n\n") != nil || !s.rest(r, changed, p.o.Alive) {
			return
		}
	}
}

// stream is the way to one browser.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	slow    time.Duration
}

// send writes an event. It waits for the browser, but not for ever.
func (s stream) send(event string) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(s.slow)); err != nil {
		return err
	}
	if _, err := io.WriteString(s.w, event); err != nil {
		return err
	}
	return s.control.Flush()
}

// rest waits for a change, says meanwhile that the station is there, and whether there is somebody to tell.
func (s stream) rest(r *http.Request, changed <-chan struct{}, alive time.Duration) bool {
	pause(r.Context(), between)
	t := time.NewTicker(alive)
	defer t.Stop()
	for {
		select {
		case <-changed:
			return r.Context().Err() == nil
		case <-r.Context().Done():
			return false
		case <-t.C:
			if s.send("event: alive\ndata:\n\n") != nil {
				return false
			}
		}
	}
}
