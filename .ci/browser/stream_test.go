package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// lost is that the page says the station is not heard, in a word, a colour and to who listens.
const lost = `document.body.dataset.connection === "lost" && document.querySelector("#lost").checkVisibility() &&
	document.querySelector("#lost").innerText.startsWith("STATION LOST") &&
	document.querySelector("#lost").getAttribute("role") === "alert" &&
	getComputedStyle(document.querySelector("#tiles")).filter === "grayscale(1)"`

const live = `document.body.dataset.connection === "live" && !document.querySelector("#lost").checkVisibility() &&
	getComputedStyle(document.querySelector("#tiles")).filter === "none"`

// shows is that a slot says a word.
func shows(slot, word string) string {
	return fmt.Sprintf(`document.querySelector("[data-slot=%s] .word")?.innerText === %q`, slot, word)
}

func address(url string) string { return strings.TrimPrefix(url, "http://") }

func TestAStationThatStartsAgainIsShownAsItIs(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	b := visit(t, wall, s.url)
	b.wait(shows("A3", "64 %"))
	s.stop()
	b.wait(lost)
	if word := eval[string](b, `document.querySelector("[data-slot=A3] .word").innerText`); word != "64 %" {
		t.Errorf("what was shown last is gone: %q", word)
	}
	v := story()
	v.Tiles[2] = page.Tile{Slot: "A3", State: page.Unknown, Detail: "begun, and the power failed", Advice: "Look at this board."}
	serveAt(t, address(s.url), v)
	b.wait(live)
	b.wait(shows("A3", "UNKNOWN"))
}

func TestALineThatIsCutAgainAndAgain(t *testing.T) {
	t.Parallel()
	v := story()
	s := serve(t, v)
	l := openLine(t, address(s.url))
	b := visit(t, wall, l.url())
	for i := range 5 {
		percent := 10 + i
		v.Tiles[2].Percent = &percent
		l.cut()
		b.wait(lost)
		s.Show(v)
		b.wait(live)
		b.wait(shows("A3", fmt.Sprintf("%d %%", percent)))
	}
	for range 20 { // faster than it can come back
		l.cut()
		time.Sleep(50 * time.Millisecond)
	}
	v.Tiles[2] = page.Tile{Slot: "A3", State: page.Pass}
	s.Show(v)
	b.wait(live)
	b.wait(shows("A3", "PASS"))
	b.keys("SN0000001\r")
	if in := s.entered(); in.Text != "SN0000001" {
		t.Errorf("entered %+v", in)
	}
}

// A cable that is pulled out ends no connection: only silence tells.
func TestALineThatIsSilentIsNoticed(t *testing.T) {
	t.Parallel()
	v := story()
	s := serve(t, v)
	l := openLine(t, address(s.url))
	b := visit(t, wall, l.url())
	b.wait(shows("A3", "64 %"))
	l.silence()
	b.keys("SN0000001\r")
	b.wait(lost)
	b.wait(`document.querySelector("#deaf").innerText.includes("Not taken")`)
	v.Tiles[2] = page.Tile{Slot: "A3", State: page.Pass}
	s.Show(v)
	l.heal() // what was open stays silent for ever
	b.wait(live)
	b.wait(shows("A3", "PASS"))
}

// A station that stands still says so every few seconds, and nothing flickers.
func TestAStationThatHasNothingToSayIsNotLost(t *testing.T) {
	t.Parallel()
	b := visit(t, wall, serve(t, story()).url)
	eval[any](b, `window.losses = 0; new MutationObserver(() => { if (document.body.dataset.connection !== "live") losses++; })
		.observe(document.body, { attributes: true })`)
	time.Sleep(13 * time.Second) // longer than the page waits for a word
	if n := eval[int](b, `losses`); n != 0 {
		t.Errorf("lost %d times", n)
	}
}

func TestManyTabsOfOneStation(t *testing.T) {
	t.Parallel()
	v := story()
	s := serve(t, v)
	var tabs []*tab
	for range 3 {
		tabs = append(tabs, visit(t, phone, s.url))
	}
	v.Tiles[2] = page.Tile{Slot: "A3", State: page.Pass}
	s.Show(v)
	for _, b := range tabs {
		b.wait(shows("A3", "PASS"))
	}
}
