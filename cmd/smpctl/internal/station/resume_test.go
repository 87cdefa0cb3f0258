package station

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// turns are what became of boards, for [readPast].
func turns(list ...journal.Turn) iter.Seq2[journal.Turn, error] {
	return func(yield func(journal.Turn, error) bool) {
		for _, t := range list {
			if !yield(t, nil) {
				return
			}
		}
	}
}

func endOf(id, serial, slot string, r journal.Result) journal.Turn {
	return journal.Turn{Record: journal.Record{ID: id, Event: journal.End, Result: r, Station: journal.Station{Config: "sha256:c"},
		Board: journal.Board{ID: serial, Source: "usb", Serial: serial, Slot: slot, Location: locations[slot]},
		Image: &journal.Image{FileSHA256: "i"}, Began: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)}}
}

func pastOf(t *testing.T, list ...journal.Turn) *past {
	t.Helper()
	p, err := readPast(turns(list...), "i", "sha256:c")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestThePastIsThatOfTheRecords(t *testing.T) {
	other := endOf("3", "E66C0003", "A1", journal.Pass)
	other.Station.Config, other.Image = "sha256:d", &journal.Image{FileSHA256: "j"}
	labelled := endOf("2", "E66C0002", "A2", journal.Pass)
	labelled.Fields = map[string]string{"label": "SN0001234"}
	seen := endOf("4", "E66C0004", "A1", journal.Unknown)
	seen.Resolved = &journal.Record{ID: "4", Event: journal.Resolve}
	p := pastOf(t, endOf("1", "E66C0001", "A1", journal.Fail), labelled, other, seen,
		endOf("5", "E66C0005", "A2", journal.Unknown))
	got := fmt.Sprintf("%d/%d/%d boards %d labels %d open %d recent %d newest %s", p.passed, p.failed, p.unknown,
		len(p.boards), len(p.labels), len(p.open), len(p.recent), p.recent[0].board)
	if want := "1/1/2 boards 1 labels 1 open 1 recent 5 newest E66C0005"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if p.open[0].board != "E66C0005" {
		t.Errorf("open is %+v, want the one that nobody looked at", p.open)
	}
}

func TestRecordsThatCannotBeReadAreAnError(t *testing.T) {
	damaged := errors.New("line 7 is no record")
	_, err := readPast(func(yield func(journal.Turn, error) bool) { yield(journal.Turn{}, damaged) }, "i", "c")
	if !errors.Is(err, damaged) {
		t.Errorf("error %v, want %v", err, damaged)
	}
}

func TestThePastDoesNotGrowOnThePage(t *testing.T) {
	p := newPast()
	for i := range 1000 {
		p.add(deed{board: fmt.Sprint(i), result: journal.Pass})
	}
	if len(p.recent) != 20 || p.recent[0].board != "999" {
		t.Errorf("%d boards are shown, the newest is %s", len(p.recent), p.recent[0].board)
	}
}

// restart is a bench on which boards are plugged in as the station starts.
func restart(t *testing.T, p *past, plugged map[string]string) *bench {
	t.Helper()
	b := newBench(t, nil, p)
	b.rig.resumed = false
	for _, s := range b.rig.slots {
		s.clear()
	}
	for slot, serial := range plugged {
		port := boardPort(serial)
		port.Location = locations[slot]
		b.ports[port.Location] = port
	}
	b.look()
	b.wait(10 * second)
	return b
}

func TestAStationThatIsStartedAgainFlashesNothingAgain(t *testing.T) {
	p := pastOf(t, endOf("1", "E66C0001", "A1", journal.Pass), endOf("2", "E66C0002", "A2", journal.Fail))
	b := restart(t, p, map[string]string{"A1": "E66C0001", "A2": "E66C0002"})
	b.want("A1 pass, A2 fail")
	b.pull("A2")
	b.wait(3 * second)
	b.plug("A2", boardPort("E66C0002"))
	b.wait(second)
	b.want("A1 pass, A2 working", "A2 E66C0002")
}

func TestWhatIsUnknownIsSaidEvenIfNoPortCanBeSeen(t *testing.T) {
	g := newRig(newBench(t, nil, nil).rig.rules, pastOf(t, endOf("1", "E66C0001", "A1", journal.Unknown)))
	g.sighted(time.Now(), sight{err: errors.New("list serial ports: too many open files")})
	if m := g.view(time.Now()).Messages; len(m) != 2 || !strings.Contains(m[1].Text, "nobody knows how the work with E66C0001") {
		t.Errorf("messages %+v", m)
	}
}

func TestABoardThatIsNewIsFlashedAtTheStart(t *testing.T) {
	b := restart(t, newPast(), map[string]string{"A1": "E66C0001", "A2": ""})
	b.want("A1 working, A2 fail", "A1 E66C0001") // nobody knows what the second one is
}

func TestABoardIsUnknownUntilSomebodyLooks(t *testing.T) {
	for _, plugged := range []bool{true, false} {
		p := pastOf(t, endOf("1", "E66C0001", "A1", journal.Unknown), endOf("2", "E66C0002", "A7", journal.Unknown))
		boards := map[string]string{}
		if plugged {
			boards["A1"] = "E66C0001"
		}
		b := restart(t, p, boards)
		b.want("A1 unknown, A2 empty")
		b.wantSaid("nobody knows how the work with E66C0001 in A1, E66C0002 in A7 ended: look for these boards")
		_, seen := b.rig.acknowledged(b.now, saidUnknown)
		if len(seen) != 2 || seen[0].id != "1" {
			t.Errorf("seen %+v, want both records", seen)
		}
		if said := b.says(); strings.Contains(said, "nobody knows") {
			t.Errorf("still said: %s", said)
		}
		b.want(map[bool]string{true: "A1 unknown, A2 empty", false: "A1 empty, A2 empty"}[plugged])
		b.plug("A1", boardPort("E66C0003"))
		b.wait(second)
		b.want("A1 working, A2 empty", "A1 E66C0003")
	}
}

func TestWithoutNamesEachPlaceIsASlot(t *testing.T) {
	b := newBench(t, func(r *rules) { r.slots = nil }, nil)
	b.plug("A2", boardPort("E66C0002"))
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.want("1-1.1 working, 1-1.2 working", "1-1.1 E66C0001", "1-1.2 E66C0002")
	p := boardPort("E66C0003")
	p.VID = 0x1a86
	p.Location = "1-1.3"
	b.ports["1-1.3"] = p // somebody's mouse is no slot
	b.wait(10 * second)
	if n := len(b.rig.slots); n != 2 {
		t.Errorf("%d slots, want 2", n)
	}
}
