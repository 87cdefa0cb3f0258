package journal_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// testKey is the same in every run, so that a failure can be looked at again.
var testKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func public(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

// clock is a time that the test sets.
type clock struct{ t time.Time }

func (c *clock) now() time.Time {
	c.t = c.t.Add(time.Second)
	return c.t
}

// random are bytes that are the same in every run.
type random struct{ n byte }

func (r *random) Read(b []byte) (int, error) {
	for i := range b {
		r.n++
		b[i] = r.n
	}
	return len(b), nil
}

// small makes a journal of two months: two boards in the first, one in the second, then it is closed.
func small(t *testing.T, dir string, key ed25519.PrivateKey) {
	t.Helper()
	c := clock{at("2026-10-31T23:00:00Z")()}
	j := open(t, dir, journal.Options{Key: key, Now: c.now, Random: &random{},
		Station: journal.Station{Name: "line2-a", Smpctl: "1.3.0"}})
	for n := range 3 {
		if n == 2 {
			c.t = at("2026-11-01T07:00:00Z")()
		}
		id, err := j.Begin(journal.Record{Board: journal.Board{ID: fmt.Sprint("board", n)}})
		if err == nil {
			err = j.End(id, journal.Record{Result: journal.Pass, Message: "grün"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// content is a journal in memory, file by file.
type content map[string][]byte

func load(t *testing.T, dir string) content {
	t.Helper()
	c := content{}
	for _, name := range []string{"2026-10.jsonl", "2026-11.jsonl"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		c[name] = data
	}
	return c
}

func put(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, dir string, o journal.VerifyOptions) journal.Verdict {
	t.Helper()
	v, err := journal.Verify(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// names reports whether a line is among those that something is said of.
func names(v journal.Verdict, dir, file string, line int) bool {
	return slices.ContainsFunc(v.Findings, func(f journal.Finding) bool {
		return f.File == filepath.Join(dir, file) && f.Line == line
	})
}

func TestWhole(t *testing.T) {
	for name, key := range map[string]ed25519.PrivateKey{"signed": testKey, "unsigned": nil} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			small(t, dir, key)
			o := journal.VerifyOptions{}
			lines := 6
			if key != nil {
				o.Keys, lines = []ed25519.PublicKey{public(key)}, 8 // a head for each month
			}
			v := verify(t, dir, o)
			if !v.Whole() || v.Files != 2 || v.Lines != lines || v.Boards != 3 || v.Seq != int64(lines) {
				t.Errorf("verdict %+v, want %d lines in 2 files, of 3 boards, whole", v, lines)
			}
			if key != nil && v.Signed != v.Seq {
				t.Errorf("signed up to %d, want %d", v.Signed, v.Seq)
			}
			again := verify(t, dir, journal.VerifyOptions{Seq: v.Seq, SHA256: v.SHA256})
			if !again.Whole() {
				t.Errorf("with its own head: %+v", again.Findings)
			}
		})
	}
}

// stride is from one byte of a file that is tried to the next. Files are slow on Windows, and slower under Wine.
var stride = map[bool]int{false: 1, true: 23}[runtime.GOOS == "windows"]

// TestOneByteFlipped changes every single byte: a closed journal that is signed has none that nobody vouches for, and
// one without signatures only those of its last line.
func TestOneByteFlipped(t *testing.T) {
	for name, key := range map[string]ed25519.PrivateKey{"signed": testKey, "unsigned": nil} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			small(t, dir, key)
			synctest.Test(t, func(t *testing.T) { // a line that is cut off is waited for
				for file, data := range load(t, dir) {
					flipAll(t, dir, file, data, key)
				}
			})
		})
	}
}

func flipAll(t *testing.T, dir, file string, data []byte, key ed25519.PrivateKey) {
	vouched := key != nil || file == "2026-10.jsonl"
	masks := []byte{0x01, '\n'} // signatures take their time
	if key == nil {
		masks = []byte{0x20, 0x80, '"', '\n'}
	}
	last := bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line := 1
	for i := range data {
		for _, mask := range masks {
			if i%stride != 0 {
				break
			}
			if mask == '"' || mask == '\n' { // ends a text, or a line
				mask ^= data[i]
			}
			if mask == 0 || !vouched && i >= last && i < len(data)-1 {
				continue
			}
			change(t, f, i, data[i]^mask)
			if v := verify(t, dir, journal.VerifyOptions{}); !names(v, dir, file, line) {
				t.Fatalf("%s: byte %d of %d, in line %d, is %q instead of %q: %+v", file, i, len(data), line,
					data[i]^mask, data[i], v.Findings)
			}
		}
		change(t, f, i, data[i])
		if data[i] == '\n' {
			line++
		}
	}
}

func change(t *testing.T, f *os.File, at int, to byte) {
	t.Helper()
	if _, err := f.WriteAt([]byte{to}, int64(at)); err != nil {
		t.Fatal(err)
	}
}

// TestLinesMoved deletes, doubles and swaps lines.
func TestLinesMoved(t *testing.T) {
	dir := t.TempDir()
	small(t, dir, testKey)
	whole := load(t, dir)
	known := verify(t, dir, journal.VerifyOptions{})
	check := func(what, file string, lines [][]byte, around int) {
		t.Helper()
		put(t, dir, file, bytes.Join(lines, nil))
		v := verify(t, dir, journal.VerifyOptions{Seq: known.Seq, SHA256: known.SHA256})
		found := slices.ContainsFunc(v.Findings, func(f journal.Finding) bool {
			inside := f.File == filepath.Join(dir, file) && f.Line >= around-1 && f.Line <= around+2
			after := file == "2026-10.jsonl" && strings.HasSuffix(f.File, "2026-11.jsonl") && f.Line == 1
			end := file == "2026-11.jsonl" && f.File == dir
			return inside || after || end
		})
		if !found {
			t.Errorf("%s, line %d %s: %+v", file, around, what, v.Findings)
		}
		put(t, dir, file, whole[file])
	}
	for file, data := range whole {
		lines := bytes.SplitAfter(data, []byte("\n"))
		lines = lines[:len(lines)-1]
		for i := range lines {
			check("deleted", file, slices.Delete(slices.Clone(lines), i, i+1), i+1)
			check("doubled", file, slices.Insert(slices.Clone(lines), i, lines[i]), i+1)
			if i > 0 {
				swapped := slices.Clone(lines)
				swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
				check("swapped", file, swapped, i)
			}
			check("and all after it deleted", file, lines[:i], i)
		}
	}
}

// TestCutAnywhere cuts the last file at every byte. Between two lines, only the line that is known tells.
func TestCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	small(t, dir, testKey)
	known := verify(t, dir, journal.VerifyOptions{})
	data := load(t, dir)["2026-11.jsonl"]
	synctest.Test(t, func(t *testing.T) {
		for n := 0; n < len(data); n += stride {
			put(t, dir, "2026-11.jsonl", data[:n])
			if v := verify(t, dir, journal.VerifyOptions{Seq: known.Seq, SHA256: known.SHA256}); v.Whole() {
				t.Errorf("cut at byte %d: not found", n)
			}
		}
	})
}

func TestFileMissing(t *testing.T) {
	dir := t.TempDir()
	small(t, dir, testKey)
	if err := os.Remove(filepath.Join(dir, "2026-10.jsonl")); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, dir, journal.VerifyOptions{}); !names(v, dir, "2026-11.jsonl", 1) {
		t.Errorf("%+v", v.Findings)
	}
}

// TestRewritten makes up a journal without the key, all its hashes right.
func TestRewritten(t *testing.T) {
	otherKey := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	for name, key := range map[string]ed25519.PrivateKey{"without signatures": nil, "with another key": otherKey} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			small(t, dir, key)
			if v := verify(t, dir, journal.VerifyOptions{}); !v.Whole() {
				t.Fatalf("without the key: %+v", v.Findings)
			}
			v := verify(t, dir, journal.VerifyOptions{Keys: []ed25519.PublicKey{public(testKey)}})
			if v.Whole() {
				t.Error("with the key nothing is found")
			}
		})
	}
}

// TestHeadsAreWrittenInTime counts the lines that no head is about.
func TestHeadsAreWrittenInTime(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{Key: testKey})
	keys := journal.VerifyOptions{Keys: []ed25519.PublicKey{public(testKey)}}
	for n := range 70 {
		id, err := j.Begin(journal.Record{})
		if err == nil {
			err = j.End(id, journal.Record{Result: journal.Pass})
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%16 != 0 && n < 60 {
			continue
		}
		if v := verify(t, dir, keys); v.Seq-v.Signed > 64 || v.Signed > 0 && !v.Whole() {
			t.Fatalf("after %d lines, %d are signed: %+v", v.Seq, v.Signed, v.Findings)
		}
	}
	// What a kill leaves is signed at the next start.
	id, err := j.Begin(journal.Record{})
	if err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	open(t, copied, journal.Options{Key: testKey})
	v := verify(t, copied, keys)
	if !v.Whole() || v.Signed != v.Seq {
		t.Errorf("after the next start: %+v", v)
	}
	for r, err := range journal.History(copied) {
		if err != nil || (r.ID == id) != (r.Result == journal.Unknown) {
			t.Errorf("%+v, %v", r, err)
		}
	}
}
