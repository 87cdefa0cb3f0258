package browser

import (
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused is the element that keys go to, and how that is shown.
type focused struct {
	Name, Outline, Ring string
	Wide                float64
	Seen                bool // in the window, with nothing over it
}

const lookAtFocus = `(() => {
	const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
	return { Name: e.id || e.innerText, Outline: s.outlineStyle === "none" ? "" : s.outlineColor, Ring: s.boxShadow,
		Wide: parseFloat(s.outlineWidth), Seen: e === document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2) };
})()`

func TestEverythingIsReachedByKeyboard(t *testing.T) {
	t.Parallel()
	for _, l := range []look{wall, phone} {
		t.Run(l.String(), func(t *testing.T) {
			b := visit(t, l, serve(t, withMessage()).url)
			b.wait(`document.querySelector(".start").checkVisibility() || document.querySelectorAll("#tiles li").length === 8`)
			names := []string{}
			for range 5 {
				f := eval[focused](b, lookAtFocus)
				names = append(names, f.Name)
				// Two colours, so that one of them stands out from whatever is around it.
				if f.Outline == "" || f.Wide < 3 || f.Ring == "none" || !f.Seen {
					t.Errorf("the focus is hard to see: %+v", f)
				}
				b.keys(kb.Tab)
			}
			if want := []string{"scan", "Enter", "sound", "Understood", "Start B2"}; !slices.Equal(names, want) {
				t.Errorf("Tab leads to %q, want %q", names, want)
			}
			b.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
			if f := eval[focused](b, lookAtFocus); f.Name != "Start B2" {
				t.Errorf("Tab backwards leads to %q", f.Name)
			}
		})
	}
}

func TestTheSoundIsSwitchedByKey(t *testing.T) {
	t.Parallel()
	b := visit(t, wall, serve(t, story()).url)
	for i, key := range []string{"\r", " "} {
		eval[any](b, `document.querySelector("#sound").focus()`)
		b.keys(key)
		want := []string{"true", "false"}[i]
		if on := eval[string](b, `document.querySelector("#sound").getAttribute("aria-pressed")`); on != want {
			t.Errorf("after %q pressed is %s, want %s", key, on, want)
		}
	}
	b.silent()
}

// Whoever went to a button by keyboard stays there while boards come and go.
func TestTheFocusStaysWhereItIs(t *testing.T) {
	t.Parallel()
	v := withMessage()
	s := serve(t, v)
	b := visit(t, wall, s.url)
	for _, selector := range []string{`[data-slot=B2] .start`, `.acknowledge`, `#sound`} {
		b.wait(`document.querySelector("` + selector + `")`)
		eval[any](b, `document.querySelector("`+selector+`").focus()`)
		v.Counters.Pass++
		v.Tiles[0].Board += "x"
		v.Messages = append(v.Messages, stopped().Messages[0])
		v.Messages[len(v.Messages)-1].ID = selector
		s.Show(v)
		b.wait(`document.querySelector("#messages").children.length === ` + string(rune('0'+len(v.Messages))))
		if !eval[bool](b, `document.activeElement === document.querySelector("`+selector+`")`) {
			t.Errorf("%s lost the focus", selector)
		}
	}
}

func TestWhoWantsNoMotionSeesNone(t *testing.T) {
	t.Parallel()
	v := story()
	s := serve(t, v)
	for _, l := range []look{wall, {width: 1920, height: 1080, moving: true}} {
		b := visit(t, l, s.url)
		b.wait(`document.querySelector("[data-state=fail]")`)
		moving := eval[bool](b, `[...document.querySelectorAll("*")].some((e) => { const s = getComputedStyle(e);
			return s.animationName !== "none" || s.transitionDuration.split(", ").some((d) => parseFloat(d) > 0); })`)
		if moving != l.moving {
			t.Errorf("%v: moving %t", l, moving)
		}
	}
}
