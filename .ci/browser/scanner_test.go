package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// focusOn are what may have the focus when somebody scans.
var focusOn = map[string]string{
	"the field": `document.querySelector("#scan").focus()`,
	"nothing":   `document.activeElement.blur()`,
	"the sound": `document.querySelector("#sound").focus()`,
	"enter":     `document.querySelector("#entry button").focus()`,
	"start":     `document.querySelector("[data-slot=B2] .start").focus()`,
	"a message": `document.querySelector(".acknowledge").focus()`,
}

// withMessage is the story with a message that asks to be read.
func withMessage() page.View {
	v := story()
	v.Messages[0].Acknowledge = true
	return v
}

func TestAScannerIsHeardWhereverTheFocusIs(t *testing.T) {
	t.Parallel()
	s := serve(t, withMessage())
	b := visit(t, wall, s.url)
	b.wait(`document.querySelector(".acknowledge")`)
	n := 0
	for name, focus := range focusOn {
		for _, end := range []string{"\r", "\r\n"} {
			n++
			label := fmt.Sprintf("SN%07d", n)
			eval[any](b, focus)
			b.keys(label + end)
			if in, want := s.entered(), (page.Input{Kind: page.Scan, Text: label}); in != want {
				t.Errorf("%s had the focus, %q ends it: entered %+v, want %+v", name, end, in, want)
			}
			if rest := eval[string](b, `document.querySelector("#scan").value`); rest != "" {
				t.Errorf("%s had the focus: %q is left in the field", name, rest)
			}
		}
	}
	b.click("#station", 2) // marks a word
	b.keys("SN0000099\r")
	if in, want := s.entered(), (page.Input{Kind: page.Scan, Text: "SN0000099"}); in != want {
		t.Errorf("after a click on a text: entered %+v, want %+v", in, want)
	}
	s.untouched()
	if on := eval[string](b, `document.querySelector("#sound").getAttribute("aria-pressed")`); on != "false" {
		t.Error("a scan has pressed a button")
	}
}

func TestLabelsInARowArriveInOrder(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	b := visit(t, wall, s.url)
	b.keys("SN0000001\rSN0000002\rSN0000002\rSN 3/ä-ß_4\r")
	for _, want := range []string{"SN0000001", "SN0000002", "SN0000002", "SN 3/ä-ß_4"} {
		if in := s.entered(); in != (page.Input{Kind: page.Scan, Text: want}) {
			t.Errorf("entered %+v, want %q", in, want)
		}
	}
	s.untouched()
}

func TestWhatIsNotALabelIsNotSent(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	b := visit(t, wall, s.url)
	b.wait(`document.querySelector("[data-slot=B2] .start")`)
	b.keys("\r\r\r")          // an empty line
	b.keys("SN1" + kb.Escape) // begun, and taken back
	for _, m := range []chromedp.Modifier{chromedp.ModifierCtrl, chromedp.ModifierAlt, chromedp.ModifierMeta} {
		eval[any](b, `document.activeElement.blur()`)
		b.do(chromedp.KeyEvent("k", chromedp.KeyModifiers(m)))
		if at := eval[string](b, `document.activeElement.id`); at == "scan" {
			t.Errorf("a shortcut with %v moved the focus", m)
		}
	}
	b.keys(kb.F2 + kb.ArrowDown + kb.PageDown + kb.Tab)
	if left := eval[string](b, `document.querySelector("#scan").value`); left != "" {
		t.Errorf("%q is left in the field", left)
	}
	b.keys("half a label") // never ended
	if url := eval[string](b, `location.href`); url != s.url+"/" {
		t.Errorf("what was typed stands in the address: %s", url)
	}
	if kept := eval[int](b, `localStorage.length + sessionStorage.length + document.cookie.length`); kept != 0 {
		t.Errorf("the browser keeps %d things of it", kept)
	}
	s.untouched()
}

// A scanner that sends thousands of characters, or a control character, is a broken one.
func TestALabelThatNeverEndsIsCut(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	b := visit(t, wall, s.url)
	call(b, input.InsertText, input.InsertTextParams{Text: strings.Repeat("x", 300)})
	b.keys("\r")
	if in := s.entered(); len(in.Text) != 200 {
		t.Errorf("entered %d characters, want 200", len(in.Text))
	}
}

func TestAWindowThatHearsNoScannerSaysSo(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	b := visit(t, wall, s.url)
	eval[any](b, `window.dispatchEvent(new Event("blur"))`)
	b.wait(`document.querySelector("#deaf").checkVisibility() && document.querySelector("#deaf").innerText.includes("click here")`)
	for _, tile := range b.tiles() {
		if !tile.Free {
			t.Errorf("%s is covered by it", tile.Slot)
		}
	}
	eval[any](b, `window.dispatchEvent(new Event("focus"))`)
	b.wait(`!document.querySelector("#deaf").checkVisibility()`)
}

func TestAScanThatTheStationDoesNotHearIsNotLostSilently(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	b := visit(t, wall, s.url)
	s.stop()
	b.wait(`document.body.dataset.connection === "lost"`)
	b.keys("SN0000001\r")
	b.wait(`document.querySelector("#deaf").innerText.includes("Not taken")`)
}

func TestAStartButtonWorksByMouseAndKey(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	b := visit(t, wall, s.url)
	b.wait(`document.querySelector("[data-slot=B2] .start").checkVisibility()`)
	want := page.Input{Kind: page.Button, Slot: "B2"}
	b.click(`[data-slot=B2] .start`, 1)
	if in := s.entered(); in != want {
		t.Errorf("click: entered %+v, want %+v", in, want)
	}
	for _, key := range []string{"\r", " "} {
		eval[any](b, `document.querySelector("[data-slot=B2] .start").focus()`)
		b.keys(key)
		if in := s.entered(); in != want {
			t.Errorf("%q: entered %+v, want %+v", key, in, want)
		}
	}
	time.Sleep(100 * time.Millisecond) // what came twice would be here by now
	s.untouched()
	if n := eval[int](b, `[...document.querySelectorAll(".start")].filter((e) => e.checkVisibility()).length`); n != 1 {
		t.Errorf("%d slots can be started, want 1", n)
	}
}

// click clicks with the mouse in the middle of an element, whatever lies over it.
func (b *tab) click(selector string, times int) {
	b.t.Helper()
	at := eval[[]float64](b, `(() => { const r = document.querySelector(`+quote(selector)+`).getBoundingClientRect();
		return [r.x + r.width / 2, r.y + r.height / 2]; })()`)
	for i := range times {
		for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed,
			input.DispatchMouseEventTypeMouseReleased} {
			b.do(chromedp.MouseEvent(kind, at[0], at[1], chromedp.ButtonLeft, chromedp.ClickCount(i+1)))
		}
	}
}
