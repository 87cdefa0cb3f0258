package browser

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// violation is what axe-core found, with the elements that it is about.
type violation struct {
	ID, Impact, Help string
	Nodes            []string
}

// runAxe looks at all rules that axe-core has, those of good practice too.
const runAxe = `axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.map((v) => ({
	ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.map((n) => n.html + ": " + n.failureSummary) })))`

// looks are how people look at the page; what is not of every day is looked at as the first two do.
var looks = []look{wall, {width: 1920, height: 1080, dark: true}, {width: 1920, height: 1080, moving: true}, phone,
	{width: 390, height: 844, narrow: true, dark: true}}

func TestAxeFindsNothing(t *testing.T) {
	t.Parallel()
	if *axeFile == "" {
		t.Skip("without -axe")
	}
	axe, err := os.ReadFile(*axeFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func(*testing.T) *tab{
		"story":   func(t *testing.T) *tab { return visit(t, wall, serve(t, withMessage()).url) },
		"stopped": func(t *testing.T) *tab { return visit(t, wall, serve(t, stopped()).url) },
		"done":    func(t *testing.T) *tab { return visit(t, wall, serve(t, done()).url) },
		"16":      func(t *testing.T) *tab { return visit(t, wall, serve(t, many(16)).url) },
		"lost": func(t *testing.T) *tab {
			s := serve(t, story())
			b := visit(t, wall, s.url)
			b.wait(`document.querySelectorAll("#tiles li").length === 8`)
			s.stop()
			b.wait(lost)
			b.keys("SN0000001\r")
			b.wait(`document.querySelector("#deaf").checkVisibility()`)
			return b
		},
		"login": func(t *testing.T) *tab {
			b := openTab(t, wall)
			b.do(navigate(serveWith(t, "127.0.0.1:0", page.Options{Token: "correct horse"}, story()).url))
			b.wait(`document.querySelector("#token")`)
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			eval[any](b, string(axe)+"; 0")
			ways := looks[:2]
			if name == "story" {
				ways = looks
			}
			for _, l := range ways {
				b.look(l)
				for _, v := range eval[[]violation](b, runAxe) {
					t.Errorf("%s: %s (%s): %s\n%s", l, v.ID, v.Impact, v.Help, strings.Join(v.Nodes, "\n"))
				}
			}
		})
	}
}

// Axe sees what is wrong: without this, a test that found nothing could be one that looks at nothing.
func TestAxeFindsSomething(t *testing.T) {
	t.Parallel()
	if *axeFile == "" {
		t.Skip("without -axe")
	}
	axe, err := os.ReadFile(*axeFile)
	if err != nil {
		t.Fatal(err)
	}
	b := visit(t, wall, serve(t, story()).url)
	eval[any](b, string(axe)+"; 0")
	eval[any](b, `document.querySelector("#scan").labels[0].remove(); document.querySelector("[data-state=pass] .word").id = "grey";
		const s = new CSSStyleSheet(); s.replaceSync("#grey { color: #1a7a3d !important; }"); document.adoptedStyleSheets.push(s)`)
	found := map[string]bool{}
	for _, v := range eval[[]violation](b, runAxe) {
		found[v.ID] = true
	}
	if !found["label"] || !found["color-contrast"] {
		t.Errorf("found only %v", found)
	}
}

// look changes how a tab is looked at, and waits until it is drawn.
func (b *tab) look(l look) {
	b.t.Helper()
	b.size(l)
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: l.features()})
	eval[bool](b, `Promise.all(document.getAnimations().filter((a) => !a.effect || a.effect.getTiming().iterations !== Infinity)
		.map((a) => a.finished)).then(() => new Promise(requestAnimationFrame)).then(() => true)`)
}
