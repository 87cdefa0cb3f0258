package page_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

func read(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// script is what a hostile board may say of itself.
const script = `"><script>alert(1)</script><img src=x onerror=alert(1)>`

func TestWhatABoardSaysIsNeverMarkup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := page.New(page.Options{})
		p.Show(page.View{Station: script, Image: script,
			Tiles:    []page.Tile{{Slot: script, State: page.Fail, Board: script, Detail: script, Advice: script}},
			Messages: []page.Message{{ID: script, Text: script}},
			History:  []page.Past{{Slot: script, Board: script, Label: script, Kind: script}},
		})
		html := read(t, ask(p, "GET", "/", ""))
		if strings.Contains(html, "<script>") || strings.Contains(html, "<img") {
			t.Errorf("the page holds it as markup:\n%s", html)
		}
		_, lines := subscribe(t, serve(t, p))
		if got := next(t, lines, "view"); strings.ContainsAny(got, "<>") {
			t.Errorf("the stream holds it as markup: %s", got)
		}
	})
}

func TestATextOfABoardCannotEndAnEventOrTurnALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := page.New(page.Options{})
		p.Show(page.View{Tiles: []page.Tile{{Slot: "A1", Board: "x\n\nevent: view\ndata: {}\r\n\u202eSSAP\x1b[2J"}}})
		_, lines := subscribe(t, serve(t, p))
		want := `"board":"x  event: view data: {}  ` + "\ufffdSSAP\ufffd" + `[2J"`
		if got := next(t, lines, "view"); !strings.Contains(got, want) {
			t.Errorf("view %s, want %s in it", got, want)
		}
	})
}

func TestAViewDoesNotGrowWithTheBoards(t *testing.T) {
	v := page.View{Tiles: []page.Tile{{Slot: "A1", Board: strings.Repeat("x", 1<<20)}}}
	length := func() int {
		n := 0
		synctest.Test(t, func(t *testing.T) {
			p := page.New(page.Options{})
			p.Show(v)
			_, lines := subscribe(t, serve(t, p))
			n = len(next(t, lines, "view"))
		})
		return n
	}
	for i := range page.HistoryMax {
		v.History = append(v.History, page.Past{Slot: "A1", Board: fmt.Sprint(1000 + i)})
	}
	before := length()
	for i := range 980 {
		v.History = append(v.History, page.Past{Slot: "A1", Board: fmt.Sprint(2000 + i)})
	}
	if after := length(); after != before || after > 1<<14 {
		t.Errorf("a view has %d bytes after 1000 boards, %d after %d", after, before, page.HistoryMax)
	}
}

func TestThePageLoadsOnlyWhatIsItsOwn(t *testing.T) {
	p := page.New(page.Options{})
	html := read(t, ask(p, "GET", "/", ""))
	for s := bufio.NewScanner(strings.NewReader(html)); s.Scan(); {
		for _, no := range []string{"http:", "https:", "//", " style=", " onclick", "<style"} {
			if strings.Contains(s.Text(), no) {
				t.Errorf("%q in %s", no, s.Text())
			}
		}
	}
	for _, file := range []string{"/page.js", "/page.css", "/icon.svg"} {
		r := ask(p, "GET", file, "")
		body := read(t, r)
		if r.StatusCode != 200 || !strings.Contains(html, `"`+file+`"`) {
			t.Errorf("%s: %d, or the page does not name it", file, r.StatusCode)
		}
		for _, no := range []string{"innerHTML", "insertAdjacentHTML", "eval(", "document.write", "@import", "url("} {
			if strings.Contains(body, no) {
				t.Errorf("%s has %s", file, no)
			}
		}
	}
}
