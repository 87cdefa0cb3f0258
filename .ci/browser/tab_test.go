package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience is how long a tab may take for what a test waits for; long, because it only ends tests that fail.
const patience = 30 * time.Second

// look is how a tab is looked at.
type look struct {
	width, height int64
	dark, moving  bool // colours and motion that the user prefers
	narrow        bool // a phone
}

var (
	wall  = look{width: 1920, height: 1080} // without motion, which costs a computer without a GPU much time
	phone = look{width: 390, height: 844, narrow: true}
)

func (l look) String() string {
	s := fmt.Sprintf("%dx%d", l.width, l.height)
	if l.dark {
		s += "-dark"
	}
	if l.moving {
		s += "-moving"
	}
	return s
}

// features are what CSS asks about.
func (l look) features() []*emulation.MediaFeature {
	colours, motion := "light", "reduce"
	if l.dark {
		colours = "dark"
	}
	if l.moving {
		motion = "no-preference"
	}
	return []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: colours},
		{Name: "prefers-reduced-motion", Value: motion}}
}

// tab is one tab, with cookies and storage of its own.
type tab struct {
	t   *testing.T
	ctx context.Context

	mutex   sync.Mutex // guards console
	console []string
}

// openTab is an empty tab that is closed when the test ends.
func openTab(t *testing.T, l look) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	messages := chromedp.Console(ctx)
	go b.listen(messages)
	b.size(l)
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: l.features()})
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	call(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Berlin"})
	call(b, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "en_GB"})
	return b
}

// size makes a tab as large as a look is.
func (b *tab) size(l look) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(l.width, l.height, func(p *emulation.SetDeviceMetricsOverrideParams,
		_ *emulation.SetTouchEmulationEnabledParams) {
		p.Mobile = l.narrow
	}))
}

// visit is a tab in which the page of a station stands, as it is now.
func visit(t *testing.T, l look, url string) *tab {
	t.Helper()
	b := openTab(t, l)
	b.do(chromedp.Navigate(url))
	b.wait(`document.body.dataset.connection === "live"`)
	return b
}

// do runs actions, which must succeed in time.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%v\nconsole: %q", err, b.said())
	}
}

// eval is the value of a JavaScript expression, or of its promise.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	// Not below the first call's context: that of a tab ends the tab.
	v, err := tryEval[T](b, expression)
	if err != nil {
		b.t.Fatalf("%s: %v\nconsole: %q", expression, err, b.said())
	}
	return v
}

func tryEval[T any](b *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// wait waits until a JavaScript condition holds.
func (b *tab) wait(condition string) {
	b.t.Helper()
	b.waitFor(condition, patience)
}

func (b *tab) waitFor(condition string, most time.Duration) {
	b.t.Helper()
	end := time.Now().Add(most)
	for {
		ok, err := tryEval[bool](b, "!!("+condition+")")
		if ok {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("after %v still not: %s (%v)\npage:\n%s\nconsole: %q", most, condition, err, b.text(), b.said())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// text is what a user reads in the tab.
func (b *tab) text() string {
	s, err := tryEval[string](b, "document.body.innerText")
	if err != nil {
		return err.Error()
	}
	return s
}

// keys presses keys, as fast as the browser takes them.
func (b *tab) keys(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// picture is the tab as PNG.
func (b *tab) picture() []byte {
	b.t.Helper()
	return call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{}).Data
}

// listen keeps what the console says until the tab closes.
func (b *tab) listen(messages func(func(chromedp.ConsoleMessage, error) bool)) {
	for m, err := range messages {
		if err != nil {
			return
		}
		b.mutex.Lock()
		b.console = append(b.console, m.String())
		b.mutex.Unlock()
	}
}

// said are the lines of the console.
func (b *tab) said() []string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return slices.Clone(b.console)
}

// silent holds that the console has nothing to complain of, but for lines with one of these texts.
func (b *tab) silent(except ...string) {
	b.t.Helper()
	for _, line := range b.said() {
		if !slices.ContainsFunc(except, func(s string) bool { return strings.Contains(line, s) }) {
			b.t.Errorf("console: %s", line)
		}
	}
}

// quote is a text as JavaScript.
func quote(s string) string {
	q, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(q)
}

// navigate goes to an address.
func navigate(url string) chromedp.Action[chromedp.Void] { return chromedp.Navigate(url) }
