package browser

import (
	"fmt"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// seen is what a user sees of a tile.
type seen struct {
	Slot, State, Word, Text string
	Shape                   string  // name of the drawing
	ShapeSize               float64 // of its smaller side, in pixels
	Back, Fore, Border      string  // colours and style
	Font                    float64 // height of the word's letters, with their ascents and descents, in pixels
	Narrow                  float64 // how much of its width the word has
	Inside                  bool    // the tile is in the window
	Holds                   bool    // all of its parts are in it
	Whole                   bool    // its text is not cut
	Free                    bool    // nothing lies over it
}

// look at tiles: what is drawn, not what the script meant to draw.
const lookAtTiles = `[...document.querySelectorAll("#tiles li")].map((li) => {
	const word = li.querySelector(".word"), shape = li.querySelector(".shape"), use = li.querySelector("use");
	const box = li.getBoundingClientRect(), style = getComputedStyle(li), drawn = shape.getBoundingClientRect();
	const into = (e) => { const b = e.getBoundingClientRect(); return b.width === 0 ||
		b.top >= box.top - 1 && b.bottom <= box.bottom + 1 && b.left >= box.left - 1 && b.right <= box.right + 1; };
	const parts = [...li.querySelectorAll(".slot, .board, .word, .text, progress, button")];
	const middle = word.getBoundingClientRect();
	const top = document.elementFromPoint(middle.x + middle.width / 2, middle.y + middle.height / 2);
	return {
		Slot: li.dataset.slot, State: li.dataset.state, Word: word.innerText, Text: li.innerText,
		Shape: use.getAttribute("href"), ShapeSize: Math.min(drawn.width, drawn.height),
		Back: style.backgroundColor, Fore: getComputedStyle(word).color, Border: style.borderTopStyle,
		Font: parseFloat(getComputedStyle(word).fontSize), Narrow: word.getBoundingClientRect().width / word.offsetWidth,
		Inside: box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight + 1 && box.right <= innerWidth + 1,
		Holds: parts.every(into), Whole: parts.every((e) => e.matches(".word, .slot") ||
			e.scrollHeight <= e.clientHeight + 1 && e.scrollWidth <= e.clientWidth + 1), Free: li.contains(top),
	};
})`

func (b *tab) tiles() []seen { return eval[[]seen](b, lookAtTiles) }

// words are what a tile says from three metres away.
var words = map[page.State]string{page.Empty: "EMPTY", page.Label: "SCAN LABEL", page.Ready: "READY", page.Working: "64 %",
	page.Pass: "PASS", page.Fail: "FAIL", page.Unknown: "UNKNOWN", page.Closed: "CLOSED"}

func TestEveryStateIsAWordAShapeAndAColour(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	for _, l := range []look{wall, {width: 1920, height: 1080, dark: true}} {
		t.Run(l.String(), func(t *testing.T) {
			b := visit(t, l, s.url)
			b.wait(`document.querySelectorAll("#tiles li").length === 8`)
			other := map[string]string{} // where a word, shape or colour was seen
			tiles := b.tiles()
			for _, tile := range tiles {
				checkTile(t, l, tile)
				if tile.Word != words[page.State(tile.State)] {
					t.Errorf("%s says %q, want %q", tile.State, tile.Word, words[page.State(tile.State)])
				}
				for _, sign := range []string{tile.Word, tile.Shape, tile.Back + tile.Border} {
					if at, taken := other[sign]; taken {
						t.Errorf("%s and %s are both %q", tile.State, at, sign)
					}
					other[sign] = tile.State
				}
			}
			if len(tiles) != len(states) {
				t.Errorf("%d tiles, want one of each of %d states", len(tiles), len(states))
			}
			b.silent()
		})
	}
}

// checkTile holds that a tile can be read from three metres away.
func checkTile(t *testing.T, l look, tile seen) {
	t.Helper()
	if want := 0.12 * float64(l.height); tile.Font < want-0.5 {
		t.Errorf("%s: letters of %.0f px, want %.0f (12 %% of the height)", tile.Slot, tile.Font, want)
	}
	if tile.ShapeSize < 0.5*tile.Font {
		t.Errorf("%s: a shape of %.0f px beside letters of %.0f", tile.Slot, tile.ShapeSize, tile.Font)
	}
	if tile.Narrow < 0.6 {
		t.Errorf("%s: %q is squeezed to %.0f %%", tile.Slot, tile.Word, 100*tile.Narrow)
	}
	if !tile.Inside || !tile.Holds || !tile.Whole || !tile.Free {
		t.Errorf("%s %s: in the window %t, its parts in it %t, uncut %t, nothing over it %t: %q", tile.Slot, tile.State,
			tile.Inside, tile.Holds, tile.Whole, tile.Free, tile.Text)
	}
}

func TestAFailureSaysItsKindAndWhatToDo(t *testing.T) {
	t.Parallel()
	b := visit(t, wall, serve(t, story()).url)
	b.wait(`document.querySelectorAll("#tiles li").length === 8`)
	for selector, want := range map[string]string{
		`[data-state=fail] .detail`:                  "no-reply in upload",
		`[data-state=fail] .advice`:                  "pull the board out until this says EMPTY, then try it again; put it aside if that fails too",
		`[data-state=fail] .board`:                   "SN0001241 · E66C38A1B21C",
		`[data-state=unknown] .advice`:               "look at this board before it goes on",
		`#alarm`:                                     "", // what stood there when the page came is not told again
		`#history tr:nth-child(2) td + td + td + td`: "FAIL not-running",
		`[data-count=pass]`:                          "83",
		`[data-count=fail]`:                          "3",
		`[data-count=unknown]`:                       "1",
		`[data-count=yield]`:                         "95.4 %",
		`[data-count=left]`:                          "417",
		`[data-count=unsent]`:                        "12 since 10:32",
		`#messages li`:                               "A1: SN0001240 passed before, on 21 November 09:32",
		`#history tr td`:                             "10:41",
	} {
		if got := eval[string](b, fmt.Sprintf(`document.querySelector(%s).innerText`, quote(selector))); got != want {
			t.Errorf("%s: %q, want %q", selector, got, want)
		}
	}
}

func TestAChangeOfStateIsToldToWhoListens(t *testing.T) {
	t.Parallel()
	v := story()
	s := serve(t, v)
	b := visit(t, wall, s.url)
	b.wait(`document.querySelector("[data-slot=A3]")`)
	v.Tiles[2] = page.Tile{Slot: "A3", State: page.Pass, Detail: "2.0.0 in 12.4 s", Advice: "Take the board out."}
	s.Show(v)
	b.wait(`document.querySelector("#announce").textContent === "A3 PASS 2.0.0 in 12.4 s Take the board out."`)
	v.Tiles[5] = page.Tile{Slot: "B2", State: page.Fail, Detail: "no-reply", Advice: "Plug the board in again."}
	s.Show(v)
	b.wait(`document.querySelector("#alarm").textContent === "B2 FAIL no-reply Plug the board in again."`)
}

func TestAStoppedStationSaysSoAndIsGoneOnByAButton(t *testing.T) {
	t.Parallel()
	s := serve(t, stopped())
	b := visit(t, wall, s.url)
	b.wait(`document.querySelector("#messages [data-level=error]")`)
	for _, tile := range b.tiles() {
		checkTile(t, wall, tile)
		if tile.Word != "CLOSED" {
			t.Errorf("%s says %q", tile.Slot, tile.Word)
		}
	}
	eval[any](b, `document.querySelector("button.acknowledge").focus()`)
	b.keys("\r")
	if in, want := s.entered(), (page.Input{Kind: page.Acknowledge, Message: "stop"}); in != want {
		t.Errorf("entered %+v, want %+v", in, want)
	}
	v := story()
	v.Messages = nil
	s.Show(v)
	b.wait(`document.querySelectorAll("#messages li").length === 0`)
}

func TestAQuotaThatIsDoneSaysSo(t *testing.T) {
	t.Parallel()
	b := visit(t, wall, serve(t, done()).url)
	b.wait(`document.querySelector("[data-count=left]").innerText === "0"`)
	b.wait(`document.querySelector("#messages").innerText.includes("the quota is reached: 500 boards passed")`)
}

// Three messages and a line that is lost leave every tile in sight.
func TestMessagesCoverNoTile(t *testing.T) {
	t.Parallel()
	v := story()
	for i := range 2 {
		v.Messages = append(v.Messages, page.Message{ID: fmt.Sprint(i), Level: page.Error, Acknowledge: true,
			Text: "3 failures in a row: no new boards until somebody has looked into it"})
	}
	s := serve(t, v)
	b := visit(t, wall, s.url)
	b.wait(`document.querySelectorAll(".acknowledge").length === 2`)
	s.stop()
	b.wait(`document.querySelector("#lost").checkVisibility()`)
	for _, tile := range b.tiles() {
		if !tile.Inside || !tile.Holds || !tile.Free {
			t.Errorf("%s %s: in the window %t, its parts in it %t, nothing over it %t", tile.Slot, tile.State, tile.Inside,
				tile.Holds, tile.Free)
		}
	}
}

// Any number of slots that a hub has: nothing is clipped, and up to eight slots every word has its height.
func TestTilesOfAnyNumberOfSlots(t *testing.T) {
	t.Parallel()
	s := serve(t, page.View{})
	b := visit(t, wall, s.url)
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 12, 16, 24, 64} {
		s.Show(many(n))
		b.wait(fmt.Sprintf(`document.querySelectorAll("#tiles li").length === %d`, n))
		for _, tile := range b.tiles() {
			if n <= 8 {
				checkTile(t, wall, tile)
			} else if !tile.Holds || !tile.Inside {
				t.Errorf("%d slots: %s %s: not all of its text is in it: %q", n, tile.Slot, tile.State, tile.Text)
			}
		}
	}
}

// On a phone nothing is cut off at the side; it scrolls downwards.
func TestAPhoneShowsAll(t *testing.T) {
	t.Parallel()
	b := visit(t, phone, serve(t, story()).url)
	b.wait(`document.querySelectorAll("#tiles li").length === 8`)
	for _, tile := range b.tiles() {
		if !tile.Holds || !tile.Whole || tile.Font < 28 {
			t.Errorf("%s %s: %q all in it %t, letters of %.0f px", tile.Slot, tile.State, tile.Text, tile.Holds && tile.Whole, tile.Font)
		}
	}
	if wide := eval[float64](b, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %.0f px wide on a screen of 390", wide)
	}
	if cut := eval[[]string](b, `[...document.querySelectorAll(".board, .slot, td, dd, #station")]
		.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)`); len(cut) > 0 {
		t.Errorf("cut off: %q", cut)
	}
}
