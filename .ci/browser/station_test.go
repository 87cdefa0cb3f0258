package browser

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/smp/sim"
)

// turnTime is how long a board may take on a machine that has other things to do.
const turnTime = 60 * time.Second

// says is that a slot says a word, and a text below it.
func says(slot, word, text string) string {
	return fmt.Sprintf(`(() => { const li = document.querySelector("[data-slot=%s]");
		return li?.querySelector(".word").innerText === %q && li.innerText.includes(%q); })()`, slot, word, text)
}

// count is that a counter says a number.
func count(name string, n int) string {
	return fmt.Sprintf(`document.querySelector("[data-count=%s]").innerText === "%d"`, name, n)
}

// otherKey is one that signed nothing.
func otherKey(t *testing.T) *ecdsa.PublicKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &k.PublicKey
}

// runs is the version that a board runs.
func runs(b *sim.Board) string {
	v, _, ok := b.Device().Running(0)
	if !ok {
		return "nothing"
	}
	return v.String()
}

// Eight boards, one of them with the wrong key, one that is pulled out in the middle and put back.
func TestBoardsAreFlashedAsTheyArePluggedIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "", "")
	b := visit(t, wall, f.url())
	for slot := range sockets {
		b.wait(shows(slot, "EMPTY"))
	}
	boards := map[string]*sim.Board{}
	for slot := range sockets {
		o := sim.Options{}
		switch slot {
		case "A2":
			o.Key = otherKey(t)
		case "B1":
			o.Baud = 57600 // time enough to be pulled out
		}
		boards[slot] = f.board("SER-"+slot, o)
		f.plug(boards[slot], slot)
	}
	b.waitFor(`document.querySelector("[data-slot=B1]").dataset.percent >= 20`, turnTime)
	boards["B1"].Unplug()
	for slot := range sockets {
		switch slot {
		case "A2":
			b.waitFor(says(slot, "FAIL", "put the board aside"), turnTime)
		case "B1":
		default:
			b.waitFor(says(slot, "PASS", "SER-"+slot), turnTime)
		}
	}
	b.wait(`document.querySelector("[data-slot=B1]").dataset.state !== "pass"`)
	f.plug(boards["B1"], "B1")
	b.waitFor(says("B1", "PASS", "SER-B1"), turnTime)
	b.wait(count("pass", 7))
	b.wait(count("fail", 1))
	for slot, board := range boards {
		version, result := "2.0.0", journal.Pass
		if slot == "A2" {
			version, result = "1.0.0", journal.Fail
		}
		if got := runs(board); !strings.HasPrefix(got, version) {
			t.Errorf("%s runs %s, want %s", slot, got, version)
		}
		if r := f.records("SER-" + slot); len(r) != 1 || r[0].Result != result {
			t.Errorf("%s has the records %+v, want one of %s", slot, r, result)
		}
	}
	f.whole()
	boards["A1"].Unplug()
	b.wait(shows("A1", "EMPTY"))
	f.plug(boards["A1"], "A1") // nothing is flashed twice
	b.wait(says("A1", "FAIL", "passed before"))
	if n := len(f.records("SER-A1")); n != 1 {
		t.Errorf("a board that is done has %d records", n)
	}
	b.silent()
}

// An operator with a scanner, and his mistakes.
func TestLabelsAreScanned(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "start = \"scan\"\nlabel = '^SN\\d{7}$'\n", "")
	b := visit(t, wall, f.url())
	b.wait(shows("A1", "SCAN LABEL"))
	b.keys("http://example.com/\r") // the wrong code on the board
	b.wait(`document.querySelector("#messages").innerText.includes("is not a label of this station")`)
	b.keys("SN0000001\r")
	b.wait(shows("A1", "READY"))
	b.keys("SN0000001\r") // twice
	b.wait(`document.querySelector("#messages").innerText.includes("was scanned already")`)
	first := f.board("SERIAL-1", sim.Options{})
	f.plug(first, "A3")
	b.waitFor(says("A3", "PASS", "SN0000001"), turnTime)
	if r := f.records("SERIAL-1"); len(r) != 1 || r[0].Fields["label"] != "SN0000001" {
		t.Errorf("records %+v", r)
	}
	b.keys("SN0000001\r") // of a board that is done
	b.wait(`document.querySelector("#messages").innerText.includes("passed before")`)
	b.wait(shows("A1", "SCAN LABEL"))
	second := f.board("SERIAL-2", sim.Options{})
	f.plug(second, "B4") // before its label
	b.wait(shows("B4", "SCAN LABEL"))
	b.keys("SN0000002\r")
	b.waitFor(says("B4", "PASS", "SN0000002"), turnTime)
	if got := runs(second); !strings.HasPrefix(got, "2.0.0") {
		t.Errorf("the board runs %s", got)
	}
	f.whole()
}

// The power fails in the middle of a board.
func TestAPowerCut(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "", "")
	b := visit(t, wall, f.url())
	done, slow := f.board("SER-DONE", sim.Options{}), f.board("SER-SLOW", sim.Options{Baud: 38400})
	f.plug(done, "A1")
	b.waitFor(shows("A1", "PASS"), turnTime)
	f.plug(slow, "B2")
	b.waitFor(`document.querySelector("[data-slot=B2]").dataset.percent >= 10`, turnTime)
	f.kill()
	b.wait(lost)
	slow.Unplug()
	f.start()
	b.wait(live)
	b.wait(says("B2", "UNKNOWN", ""))
	b.wait(count("unknown", 1))
	b.wait(count("pass", 1))
	if r := f.records("SER-SLOW"); len(r) != 1 || r[0].Result == journal.Pass || r[0].Result == journal.Fail {
		t.Errorf("records of a board that was cut off: %+v", r)
	}
	eval[any](b, `document.querySelector(".acknowledge").focus()`)
	b.keys(" ")
	b.wait(shows("B2", "EMPTY"))
	b.wait(`document.querySelectorAll(".acknowledge").length === 0`)
	f.plug(slow, "B2")
	b.waitFor(shows("B2", "PASS"), turnTime)
	f.whole()
}

// Three failures in a row stop the station until somebody has looked; a quota ends it.
func TestFailuresInARowAndAQuota(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "stop_after = 2\nquota = 1\n", "")
	b := visit(t, wall, f.url())
	b.wait(`document.querySelector("[data-count=left]").innerText === "1"`)
	for i, slot := range []string{"A1", "A2"} {
		f.plug(f.board(fmt.Sprintf("SER-BAD%d", i), sim.Options{Key: otherKey(t)}), slot)
		b.waitFor(shows(slot, "FAIL"), turnTime)
	}
	b.wait(shows("B1", "CLOSED"))
	b.wait(`document.querySelector("#messages [data-level=error]") !== null`)
	good := f.board("SER-GOOD", sim.Options{})
	f.plug(good, "B1")
	time.Sleep(2 * time.Second) // longer than a board has to settle
	b.wait(shows("B1", "CLOSED"))
	if got := runs(good); !strings.HasPrefix(got, "1.0.0") || len(f.records("SER-GOOD")) != 0 {
		t.Errorf("a station that has stopped flashed a board: it runs %s", got)
	}
	b.click(".acknowledge", 1)
	b.waitFor(shows("B1", "PASS"), turnTime)
	b.wait(`document.querySelector("[data-count=left]").innerText === "0"`)
	b.wait(shows("B2", "CLOSED"))
	f.whole()
}

// A board that passed before may be flashed again where the file says so; it is said.
func TestABoardThatPassedBeforeIsWarnedOf(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "repeat = \"warn\"\n", "")
	b := visit(t, wall, f.url())
	board := f.board("SERIAL-1", sim.Options{})
	f.plug(board, "A1")
	b.waitFor(shows("A1", "PASS"), turnTime)
	board.Unplug()
	b.wait(shows("A1", "EMPTY"))
	f.plug(board, "A2")
	b.wait(`document.querySelector("#messages [data-level=warning]")?.innerText.includes("SERIAL-1 passed before")`)
	b.waitFor(shows("A2", "PASS"), turnTime)
	if n := len(f.records("SERIAL-1")); n != 2 {
		t.Errorf("%d records, want 2", n)
	}
}

// Whoever presses the button begins.
func TestAButtonBegins(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "start = \"button\"\n", "")
	b := visit(t, wall, f.url())
	board := f.board("SERIAL-1", sim.Options{})
	f.plug(board, "A4")
	b.wait(shows("A4", "READY"))
	b.wait(`document.querySelector("[data-slot=A4] .start").checkVisibility()`)
	if len(f.records("SERIAL-1")) != 0 {
		t.Error("it began by itself")
	}
	b.click("[data-slot=A4] .start", 1)
	b.waitFor(shows("A4", "PASS"), turnTime)
}

// A board whose every text is an attack, at a station that looks at them.
func TestAHostileBoardAtAStation(t *testing.T) {
	t.Parallel()
	evil := `<img src=x onerror="window.__pwned=1"><script>window.__pwned=1</script>`
	f := newFixture(t, "", "[boards.expect]\nboard = \"acme\"\n")
	b := visit(t, wall, f.url())
	for slot, facts := range map[string]sim.Facts{
		"A1": {Serial: evil, Product: evil, Manufacturer: evil},         // another type, when asked
		"A2": {Serial: "../../../../etc/passwd", Product: "../.."},      // a path
		"A3": {VID: 0xdead, PID: 0xbeef, Serial: evil, Product: evil},   // another type, on USB
		"A4": {Serial: `$(reboot)"; reboot; '{{1}}`, Product: "%s%n%x"}, // a program
	} {
		board, err := f.rack.Add(facts, sim.Options{Key: f.publicKey(), Board: evil})
		if err != nil {
			t.Fatal(err)
		}
		f.plug(board, slot)
	}
	b.waitFor(shows("A1", "FAIL"), turnTime)
	b.waitFor(shows("A2", "FAIL"), turnTime)
	b.waitFor(says("A3", "FAIL", "other-board"), turnTime)
	b.waitFor(shows("A4", "FAIL"), turnTime)
	if got := eval[string](b, `String(window.__pwned) + document.querySelectorAll("img").length + document.title`); got !=
		"undefined0bench · smpctl station" {
		t.Errorf("something ran: %s", got)
	}
	if text := b.text(); !strings.Contains(text, "<img src=x") {
		t.Errorf("the page does not say what the board called itself:\n%s", text)
	}
	f.whole()
	b.silent()
}

// The demonstration: among eight boards one with another key, one that is pulled out, one that never comes back.
func TestTheDemonstration(t *testing.T) {
	t.Parallel()
	f := newDemo(t)
	b := visit(t, wall, f.url())
	b.waitFor(`Number(document.querySelector("[data-count=pass]").innerText) >= 5`, 2*turnTime)
	b.waitFor(`Number(document.querySelector("[data-count=fail]").innerText) >= 3`, 2*turnTime)
	rows := eval[[]string](b, `[...document.querySelectorAll("#history [data-result=fail]")].map((r) => r.innerText)`)
	if len(rows) < 3 {
		t.Errorf("failures: %q", rows)
	}
	t.Logf("failures: %q", rows)
	b.silent()
}
