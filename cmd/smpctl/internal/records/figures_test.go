package records

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

func turnAt(t *testing.T, began, board string, result journal.Result) journal.Turn {
	t.Helper()
	at, err := time.Parse(time.RFC3339, began)
	if err != nil {
		t.Fatal(err)
	}
	return journal.Turn{Record: journal.Record{Began: at, Board: journal.Board{ID: board}, Result: result}}
}

// TestFirstPassYield counts a board by its first turn only.
func TestFirstPassYield(t *testing.T) {
	f := newFigures()
	for _, turn := range []journal.Turn{
		turnAt(t, "2026-11-21T09:00:00Z", "a", journal.Pass),
		turnAt(t, "2026-11-21T09:10:00Z", "b", journal.Fail),
		turnAt(t, "2026-11-21T09:20:00Z", "b", journal.Pass),
		turnAt(t, "2026-11-21T11:20:00Z", "c", journal.Unknown),
		turnAt(t, "2026-11-21T11:30:00Z", "d", journal.Pass),
	} {
		_ = f.add(turn)
	}
	if got := f.firstPass(); got != 50 || f.Yield() != 60 {
		t.Errorf("first-pass yield %g and yield %g, want 50 and 60", got, f.Yield())
	}
	list, each := f.periods(time.UTC)
	want := []counts{{Pass: 2, Fail: 1}, {}, {Pass: 1, Unknown: 1}}
	var got []counts
	for _, p := range list {
		got = append(got, p.counts)
	}
	if each != time.Hour || !slices.Equal(got, want) {
		t.Errorf("%v of %s each, want hours with %v", got, each, want)
	}
}

// TestPeriodsAreBounded has records of all times, as a clock that was wrong gives.
func TestPeriodsAreBounded(t *testing.T) {
	for _, last := range []string{"2026-11-21T09:00:00Z", "2026-12-21T09:00:00Z", "2029-11-21T09:00:00Z",
		"9999-12-31T23:59:59Z"} {
		for _, zone := range []*time.Location{time.UTC, time.FixedZone("", 5*3600+1800), time.FixedZone("", -8*3600)} {
			f := newFigures()
			_ = f.add(turnAt(t, "2026-11-21T09:00:00Z", "a", journal.Pass))
			_ = f.add(turnAt(t, last, "b", journal.Fail))
			list, each := f.periods(zone)
			sum := counts{}
			for _, p := range list {
				sum.sum(p.counts)
			}
			end, err := time.Parse(time.RFC3339, last)
			if err != nil || list[len(list)-1].From.After(end) || list[len(list)-1].From.Add(each).Before(end) {
				t.Errorf("until %s in %s: the last period is from %s", last, zone, list[len(list)-1].From)
			}
			if len(list) > 2*mostPeriods || sum != (counts{Pass: 1, Fail: 1}) {
				t.Errorf("until %s in %s: %d periods with %v", last, zone, len(list), sum)
			}
		}
	}
}

func TestEmptyReport(t *testing.T) {
	var b bytes.Buffer
	if err := writePage(&b, newPage(newFigures(), "Line 2", time.UTC)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "There are no records.") || strings.Contains(b.String(), "<svg") ||
		strings.Contains(b.String(), ">0.0 %<") {
		t.Errorf("%s", b.String())
	}
}

// Boards that nothing names have no first-pass yield: nobody knows which of them came again.
func TestReportOfBoardsWithoutNames(t *testing.T) {
	f := newFigures()
	f.add(journal.Turn{Record: journal.Record{Result: journal.Pass}})
	var b bytes.Buffer
	if err := writePage(&b, newPage(f, "", time.UTC)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "not known, for no board has a name") || strings.Contains(b.String(), ">0.0 %<") {
		t.Errorf("%s", b.String())
	}
}
