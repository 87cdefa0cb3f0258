package journal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// TestTornLine opens journals whose last line did not reach the disk as a whole.
func TestTornLine(t *testing.T) {
	line := `{"v":1,"seq":9,"prev":"` + strings.Repeat("0", 64) + `","id":"x","event":"end","began":"2026-11-01T07:00:00Z"`
	for name, rest := range map[string]string{
		"half a line":              line,
		"one byte":                 "{",
		"zeros":                    strings.Repeat("\x00", 300),
		"zeros and the line end":   strings.Repeat("\x00", 300) + "\n",
		"its end only":             strings.Repeat("\x00", 100) + `","result":"pass"}` + "\n",
		"a page of it":             line + strings.Repeat("\x00", 100) + "}\n",
		"more than a line may be":  strings.Repeat("x", 3<<20),
		"that much and a line end": strings.Repeat("x", 3<<20) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			small(t, dir, testKey)
			whole := load(t, dir)["2026-11.jsonl"]
			put(t, dir, "2026-11.jsonl", append(bytes.Clone(whole), rest...))
			if v := verify(t, dir, journal.VerifyOptions{}); v.Whole() {
				t.Error("before it is opened, verify says that it is whole")
			}
			before := len(all2(dir))
			j := open(t, dir, journal.Options{Key: testKey, Now: at("2026-11-02T07:00:00Z")})
			begin(t, j)
			if v := verify(t, dir, journal.VerifyOptions{}); !v.Whole() {
				t.Errorf("after it was opened: %+v", v.Findings)
			}
			got := all(t, dir)[8:]
			if len(got) != 3 || got[0].Event != journal.Torn || got[1].Event != journal.Head || before != 8 {
				t.Errorf("%d lines before, then %+v, want 8, then a note and its head, then a begin", before, got)
			}
			aside, err := os.ReadFile(filepath.Join(dir, "2026-11.torn-9"))
			if err != nil || string(aside) != rest {
				t.Errorf("set aside are %d bytes, %v, want %d", len(aside), err, len(rest))
			}
		})
	}
}

// all2 is what a reader gets that passes over what makes no sense.
func all2(dir string) (rs []journal.Record) {
	for r, err := range journal.Read(dir) {
		if err == nil {
			rs = append(rs, r)
		}
	}
	return rs
}

func begin(t *testing.T, j *journal.Journal) string {
	t.Helper()
	id, err := j.Begin(journal.Record{Board: journal.Board{ID: "E66C"}})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestFirstLineOfAMonthTorn loses the only line of a file: the chain goes on from the file before.
func TestFirstLineOfAMonthTorn(t *testing.T) {
	dir := t.TempDir()
	small(t, dir, nil)
	put(t, dir, "2026-11.jsonl", []byte(`{"v":1,"se`))
	open(t, dir, journal.Options{Now: at("2026-12-02T07:00:00Z")})
	if v := verify(t, dir, journal.VerifyOptions{}); !v.Whole() || v.Files != 3 || v.Lines != 5 {
		t.Errorf("%+v, want 4 lines and a note", v)
	}
}

// TestDamagedIsNotGoneOnWith opens a journal that no power cut damaged.
func TestDamagedIsNotGoneOnWith(t *testing.T) {
	for name, change := range map[string]func(content){
		"a board renamed": func(c content) {
			c["2026-11.jsonl"] = bytes.Replace(c["2026-11.jsonl"], []byte("board2"), []byte("board3"), 1)
		},
		"a line missing": func(c content) {
			c["2026-11.jsonl"] = c["2026-11.jsonl"][bytes.IndexByte(c["2026-11.jsonl"], '\n')+1:]
		},
		"the last of another month cut off": func(c content) {
			c["2026-10.jsonl"] = c["2026-10.jsonl"][:len(c["2026-10.jsonl"])-1]
		},
		"a line in the middle that is none": func(c content) {
			c["2026-10.jsonl"] = append([]byte("hello\n"), c["2026-10.jsonl"]...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			small(t, dir, testKey)
			c := load(t, dir)
			change(c)
			for file, data := range c {
				put(t, dir, file, data)
			}
			j, err := journal.Open(dir, journal.Options{})
			if !errors.Is(err, journal.ErrBroken) {
				t.Errorf("opened: %v", err)
			}
			if err == nil {
				j.Close()
			}
			if after := load(t, dir); !bytes.Equal(after["2026-11.jsonl"], c["2026-11.jsonl"]) {
				t.Error("it was changed")
			}
		})
	}
}

// TestChangedWhileOpen has another program at the file: no record may go where nobody finds it.
func TestChangedWhileOpen(t *testing.T) {
	for name, change := range map[string]func(dir, path string) error{
		"emptied":  func(_, path string) error { return os.Truncate(path, 0) },
		"added to": func(_, path string) error { return os.WriteFile(path, []byte(strings.Repeat("x", 2000)), 0o600) },
		"removed":  func(_, path string) error { return os.Remove(path) },
		"replaced": func(_, path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return errors.Join(os.Remove(path), os.WriteFile(path, data, 0o600))
		},
		"folder moved": func(dir, _ string) error { return os.Rename(dir, dir+"2") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "records")
			j := open(t, dir, journal.Options{Now: at("2026-11-02T07:00:00Z")})
			id := begin(t, j)
			if err := change(dir, filepath.Join(dir, "2026-11.jsonl")); err != nil {
				t.Skip(err) // Windows keeps a file from who would move it
			}
			if err := j.End(id, journal.Record{Result: journal.Pass}); err == nil {
				t.Error("the end is written")
			}
		})
	}
}

// TestClockSetBack goes on in the newest file.
func TestClockSetBack(t *testing.T) {
	dir := t.TempDir()
	small(t, dir, testKey)
	j := open(t, dir, journal.Options{Key: testKey, Now: at("1970-01-01T00:00:00Z")})
	begin(t, j)
	if v := verify(t, dir, journal.VerifyOptions{}); !v.Whole() || v.Files != 2 {
		t.Errorf("%+v", v)
	}
}

// TestHostileText keeps what could steer a terminal out of the file, and gives it back.
func TestHostileText(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{Now: at("2026-11-02T07:00:00Z")})
	text := "a\x1b[2J\u009b2Jb\u202ec\x00\n\"é\U0001F600\U000E0001"
	if _, err := j.Begin(journal.Record{Message: text + "\xff"}); err != nil {
		t.Fatal(err)
	}
	if got := all(t, dir)[0].Message; got != text+"\ufffd" {
		t.Errorf("%q, want %q", got, text+"\ufffd")
	}
	data, err := os.ReadFile(filepath.Join(dir, "2026-11.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range strings.TrimSuffix(string(data), "\n") {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == 0xE0001 {
			t.Errorf("the file has %U", r)
		}
	}
}

func TestTooLong(t *testing.T) {
	j := open(t, t.TempDir(), journal.Options{})
	id := begin(t, j)
	if err := j.End(id, journal.Record{Message: strings.Repeat("x", 1<<20)}); !errors.Is(err, journal.ErrTooLong) {
		t.Errorf("%v, want %v", err, journal.ErrTooLong)
	}
	if err := j.End(id, journal.Record{Result: journal.Fail, Message: "short"}); err != nil {
		t.Error(err)
	}
}
