package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/runtime"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// results is how many boards a page sees in a night.
const results = 1000

// A page that stands open for a shift is as large in the evening as in the morning.
func TestAThousandResultsWithoutGrowing(t *testing.T) {
	t.Parallel()
	views := make(chan []byte)
	defer close(views)
	p := page.New(page.Options{})
	p.Show(story())
	mux := http.NewServeMux()
	mux.Handle("/", p.Handler())
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, r *http.Request) { sendAll(w, r, views) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b := openTab(t, phone) // fewer pixels; the page is the same
	go func() { views <- inJSON(story()) }()
	b.do(navigate(server.URL))
	b.wait(live)
	b.click("#sound", 1)
	shift(b, views, 0, 100)
	before := sizeOf(b)
	shift(b, views, 100, 100+results)
	after := sizeOf(b)
	t.Logf("before %v, after %d results %v", before, results, after)
	if after.nodes > before.nodes+100 || after.listeners > before.listeners+10 {
		t.Errorf("from %d to %d nodes, from %d to %d listeners", before.nodes, after.nodes, before.listeners, after.listeners)
	}
	if after.heap > before.heap+300<<10 {
		t.Errorf("the heap grew from %d to %d kB", before.heap>>10, after.heap>>10)
	}
	b.silent()
}

// sendAll sends a stream as fast as a browser takes it, which the station does not do.
func sendAll(w http.ResponseWriter, r *http.Request, views <-chan []byte) {
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		select {
		case v, ok := <-views:
			if !ok {
				return
			}
			fmt.Fprintf(w, "event: view\ndata: %s\n\n", v)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// shift shows boards that are worked on and done, with messages that come and go, until the browser has seen the last.
func shift(b *tab, views chan<- []byte, from, to int) {
	b.t.Helper()
	v, at := story(), time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for n := from; n < to; n++ {
		slot, percent := n%8, n%100
		name := v.Tiles[slot].Slot
		v.Tiles[slot] = page.Tile{Slot: name, State: page.Working, Percent: &percent, Board: fmt.Sprintf("E66C%08d", n)}
		v.Messages = []page.Message{}
		views <- inJSON(v)
		result := page.Pass
		if n%7 == 0 {
			result = page.Fail
			v.Messages = []page.Message{{ID: fmt.Sprint(n), Level: page.Warning, Text: "Look.", Acknowledge: true}}
		}
		v.Tiles[slot] = page.Tile{Slot: name, State: result, Board: fmt.Sprintf("E66C%08d", n), Detail: fmt.Sprint(n)}
		v.Counters.Pass = n
		v.History = append([]page.Past{{At: at.Add(time.Duration(n) * time.Second), Slot: name,
			Board: fmt.Sprintf("E66C%08d", n), Result: result, Seconds: 12}}, v.History[:19]...)
		views <- inJSON(v)
	}
	b.waitFor(fmt.Sprintf(`document.querySelector("[data-count=pass]").innerText === "%d"`, to-1), 2*time.Minute)
}

func inJSON(v page.View) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// size is what a page takes.
type size struct{ nodes, listeners, heap int64 }

// sizeOf is measured after all that is not needed any more was thrown away.
func sizeOf(b *tab) size {
	b.t.Helper()
	time.Sleep(1500 * time.Millisecond) // the last sounds end
	for range 3 {
		call(b, heapprofiler.CollectGarbage, cdp.Empty{})
	}
	n := call(b, memory.GetDOMCounters, cdp.Empty{})
	h := call(b, runtime.GetHeapUsage, cdp.Empty{})
	return size{n.Nodes, n.JsEventListeners, int64(h.UsedSize)}
}
