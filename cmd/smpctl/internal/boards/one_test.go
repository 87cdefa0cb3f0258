package boards

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// board is the App of one of several.
func board(t *testing.T) *app.App {
	t.Helper()
	a := app.New(app.Streams{Err: io.Discard}, func(string) (string, bool) { return "", false }).ForBoard("one", nil)
	t.Cleanup(a.End)
	return a
}

func openJournal(t *testing.T) (*journal.Journal, string) {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j, dir
}

// doing is work that notes that it was done.
func doing(done *int, err error) Work {
	return Work{Name: "upgrade", Do: func(context.Context, *app.App, *Turn) (app.Result, error) {
		*done++
		return nil, err
	}}
}

// TestNobodyPassesWithoutARecord: where the first line cannot be written the board is left alone, and where the last
// one cannot it has not passed.
func TestNobodyPassesWithoutARecord(t *testing.T) {
	j, _ := openJournal(t)
	done := 0
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	out := One(t.Context(), board(t), Job{Work: doing(&done, nil), Journal: j})
	if done != 0 || out.Passed() || out.Touched || out.In != "record" || !errors.Is(out.Err, journal.ErrClosed) {
		t.Errorf("before: done %d times, %+v", done, out)
	}

	j, _ = openJournal(t)
	closing := Work{Do: func(context.Context, *app.App, *Turn) (app.Result, error) { return nil, j.Close() }}
	out = One(t.Context(), board(t), Job{Work: closing, Journal: j})
	if out.Passed() || !out.Touched || out.In != "record" || out.Record.Result != journal.Fail ||
		!strings.Contains(out.Failure.Message, "the board has not passed") {
		t.Errorf("at the end: %+v", out)
	}
}

// TestTurnOfABug: a bug in the work is a failure of the board, with a record.
func TestTurnOfABug(t *testing.T) {
	j, dir := openJournal(t)
	bug := Work{Do: func(context.Context, *app.App, *Turn) (app.Result, error) { panic("oh") }}
	out := One(t.Context(), board(t), Job{Work: bug, Journal: j})
	if out.Passed() || out.Failure.Kind != "other" {
		t.Errorf("%+v", out)
	}
	n := 0
	for r, err := range journal.Read(dir) {
		if err != nil {
			t.Error(err)
		}
		if n++; r.Event == journal.End && r.Result != journal.Fail {
			t.Errorf("%+v", r)
		}
	}
	if n != 2 {
		t.Errorf("%d records", n)
	}
}

// TestWhoIsLeftAlone: refused boards, and those that are not admitted, are not touched, and no program runs for them.
func TestWhoIsLeftAlone(t *testing.T) {
	no := errors.New("no")
	for name, job := range map[string]Job{
		"refused":      {Refused: no, Before: "exit 9", After: "exit 9"},
		"not admitted": {Admit: func(context.Context, *app.App) error { return no }, Before: "exit 9", After: "exit 9"},
	} {
		done := 0
		job.Work = doing(&done, nil)
		out := One(t.Context(), board(t), job)
		if done != 0 || out.Touched || !errors.Is(out.Err, no) || len(out.Record.Hooks) != 0 {
			t.Errorf("%s: done %d times, %+v", name, done, out)
		}
	}
}

// TestIdentityThatIsKnown is not asked for.
func TestIdentityThatIsKnown(t *testing.T) {
	done := 0
	for want, job := range map[string]Job{
		"SN1":      {Board: journal.Board{ID: "SN1", Source: "label"}, ID: Source{fromShell, "nobody hears this"}},
		"E66C38A1": {Board: journal.Board{Serial: "E66C38A1", Port: "ttyACM0"}},
		"":         {Board: journal.Board{Serial: "0123456789ABCDEF", Port: "ttyACM0"}}, // as many products come
	} {
		job.Work = doing(&done, nil)
		if out := One(t.Context(), board(t), job); !out.Passed() || out.Board.ID != want || out.Record.Board.ID != want {
			t.Errorf("%q: %+v", want, out)
		}
	}
}
