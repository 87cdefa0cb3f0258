package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// open opens a journal, which ends with the test.
func open(t *testing.T, dir string, o journal.Options) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func at(s string) func() time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return func() time.Time { return t }
}

func all(t *testing.T, dir string) []journal.Record {
	t.Helper()
	var rs []journal.Record
	for r, err := range journal.Read(dir) {
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
	return rs
}

func TestBeginAndEnd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "records")
	j := open(t, dir, journal.Options{Station: journal.Station{Name: "line2-a"}, Now: at("2026-11-21T09:12:00Z")})
	board := journal.Board{ID: "E66C", Source: "usb"}
	id, err := j.Begin(journal.Record{Board: board, Operator: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.End(id, journal.Record{Result: journal.Pass, Seconds: 12.4}); err != nil {
		t.Fatal(err)
	}
	got := all(t, dir)
	if len(got) != 2 || got[0].ID != id || got[1].ID != id {
		t.Fatalf("records %+v, want a begin and an end of %s", got, id)
	}
	want := journal.Record{V: 1, Seq: 2, Prev: got[1].Prev, ID: id, Event: journal.End, Began: got[0].Began, Seconds: 12.4,
		Station: journal.Station{Name: "line2-a"}, Operator: "anna", Board: board, Result: journal.Pass}
	if diff := cmp.Diff(want, got[1]); diff != "" {
		t.Errorf("end (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(filepath.Join(dir, "2026-11.jsonl")); err != nil ||
		runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		t.Errorf("file of the month: %v, %v", info, err)
	}
	if err := j.End(id, journal.Record{}); err == nil {
		t.Error("a second end is taken")
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	_, err := journal.Open(dir, journal.Options{})
	var locked *journal.LockedError
	if !errors.Is(err, journal.ErrLocked) || !errors.As(err, &locked) || locked.Holder == "" {
		t.Errorf("second: %v, want who writes", err)
	}
	j.Close()
	open(t, dir, journal.Options{})
}

func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			id, err := j.Begin(journal.Record{})
			if err == nil {
				err = j.End(id, journal.Record{Result: journal.Pass})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seq := int64(0)
	for _, r := range all(t, dir) {
		if seq++; r.Seq != seq {
			t.Fatalf("line %d has the number %d", seq, r.Seq)
		}
	}
	if seq != 128 {
		t.Errorf("%d lines, want 128", seq)
	}
}

func TestBeginWithoutEndIsUnknown(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	id, err := j.Begin(journal.Record{Board: journal.Board{ID: "E66C"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // while it is open, and after
		n := 0
		for r, err := range journal.History(dir) {
			if n++; err != nil || r.ID != id || r.Result != journal.Unknown || r.Board.ID != "E66C" {
				t.Errorf("record %+v, %v, want one that is unknown", r, err)
			}
		}
		if n != 1 {
			t.Errorf("%d records, want 1", n)
		}
		j.Close()
	}
}

func TestStationKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "smpctl", "station.pem")
	first, err := journal.StationKey(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := journal.StationKey(path)
	if err != nil || !first.Equal(second) {
		t.Errorf("read again: another key, or %v", err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("private key: %v, %v, want it for the user alone", info.Mode(), err)
	}
	if _, err := os.Stat(journal.PublicKeyPath(path)); err != nil {
		t.Error(err)
	}
}

func TestResolved(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	id := begin(t, j)
	j.Close()
	j = open(t, dir, journal.Options{Operator: "anna"})
	if err := j.Resolve(id, journal.Record{Result: journal.Fail, Message: "lay on the floor"}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for turn, err := range journal.History(dir) {
		if n++; err != nil || turn.Result != journal.Unknown || turn.Outcome() != journal.Fail ||
			turn.Resolved.Operator != "anna" || turn.Resolved.Message != "lay on the floor" {
			t.Errorf("%+v, %v", turn, err)
		}
	}
	if v := verify(t, dir, journal.VerifyOptions{}); n != 1 || !v.Whole() {
		t.Errorf("%d turns, want 1; %+v", n, v.Findings)
	}
}
