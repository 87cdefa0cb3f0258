package page_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

func TestAStreamBeginsWithTheWholeViewAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := page.New(page.Options{})
		p.Show(page.View{Station: "line2-a", Tiles: []page.Tile{{Slot: "A1", State: page.Empty}}})
		_, lines := subscribe(t, serve(t, p))
		if got := next(t, lines, "view"); !strings.Contains(got, `"slot":"A1","state":"empty"`) {
			t.Errorf("first view = %s", got)
		}
		p.Show(page.View{Station: "line2-a", Tiles: []page.Tile{{Slot: "A1", State: page.Pass}}})
		if got := next(t, lines, "view"); !strings.Contains(got, `"state":"pass"`) {
			t.Errorf("second view = %s", got)
		}
		began := time.Now()
		next(t, lines, "alive")
		if d := time.Since(began); d > 4*time.Second {
			t.Errorf("a station that has no news said after %v that it is there", d)
		}
	})
}

func TestManyChangesAreOneView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := page.New(page.Options{})
		_, lines := subscribe(t, serve(t, p))
		next(t, lines, "view")
		go func() {
			for i := range 1000 {
				p.Show(page.View{Station: fmt.Sprint(i)})
				time.Sleep(time.Millisecond)
			}
		}()
		views := 0
		for got := ""; !strings.Contains(got, `"999"`); views++ {
			got = next(t, lines, "view")
		}
		if views > 12 {
			t.Errorf("%d views in one second, want at most 12", views)
		}
	})
}

func TestABrowserThatReadsNothingHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := page.New(page.Options{MaxStreams: 1})
		l := serve(t, p)
		stuck, _ := subscribe(t, l)
		began := time.Now()
		for i := range 1000 {
			p.Show(page.View{Station: fmt.Sprint(i)})
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("Show waited %v for a browser", d)
		}
		time.Sleep(11 * time.Second)
		if _, err := io.Copy(io.Discard, stuck); err != nil {
			t.Errorf("the stuck stream: %v", err)
		}
		_, lines := subscribe(t, l) // the one place is free again
		if got := next(t, lines, "view"); !strings.Contains(got, `"999"`) {
			t.Errorf("view of the next browser = %s", got)
		}
	})
}

func TestOnlySoManyBrowsersAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := page.New(page.Options{MaxStreams: 2})
		l := serve(t, p)
		first, lines := subscribe(t, l)
		next(t, lines, "view")
		_, lines = subscribe(t, l)
		next(t, lines, "view")
		_, lines = subscribe(t, l)
		if lines.Scan(); !strings.Contains(lines.Text(), "503") {
			t.Errorf("third stream: %q, want 503", lines.Text())
		}
		_ = first.Close()
		time.Sleep(10 * time.Second)
		_, lines = subscribe(t, l)
		next(t, lines, "view")
	})
}

func TestManyConnectionsDoNotLockTheOperatorOutForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := page.New(page.Options{})
		l := serve(t, p)
		for range 64 { // all that there are, and not a word from any
			c := l.dial()
			t.Cleanup(func() { _ = c.Close() })
		}
		began := time.Now()
		_, lines := subscribe(t, l)
		next(t, lines, "view")
		if d := time.Since(began); d < time.Second || d > 6*time.Second {
			t.Errorf("the operator waited %v, want the 5 s after which who says nothing is let go", d)
		}
	})
}

func TestASlowRequestIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := page.New(page.Options{})
		c := serve(t, p).dial()
		defer c.Close()
		began := time.Now()
		go func() {
			_, _ = c.Write([]byte("POST /scan HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
				"Content-Length: 4000\r\n\r\n{"))
		}()
		_, _ = io.Copy(io.Discard, c)
		if d := time.Since(began); d > 11*time.Second {
			t.Errorf("a body that never ends held its connection for %v", d)
		}
	})
}
