package group

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestHistory(t *testing.T) {
	dir := t.TempDir()
	env := func(name string) (string, bool) { return dir, name == "XDG_CACHE_HOME" }
	open := func() *history {
		t.Helper()
		h, err := openHistory(env)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	first, second := open(), open()
	for _, line := range []string{"one", "two", "two", " ", "three"} {
		first.Add(line)
	}
	second.Add("four")
	for _, h := range []*history{first, second} {
		if err := h.save(); err != nil {
			t.Fatal(err)
		}
	}
	third := open()
	if want := []string{"one", "two", "three", "four"}; !slices.Equal(third.lines, want) || third.At(0) != "four" ||
		third.Len() != 4 {
		t.Errorf("history %q, want %q", third.lines, want)
	}

	path := filepath.Join(dir, "smpctl", "shell_history")
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		t.Errorf("history file: %v, %v, want nobody else to read it", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("good\n\x1b[2Jbad\n"+strings.Repeat("more\nand more\n", maxHistory)),
		0o600); err != nil {
		t.Fatal(err)
	}
	h := open()
	if slices.ContainsFunc(h.lines, func(s string) bool { return strings.Contains(s, "bad") }) {
		t.Error("a line that could steer the terminal is in the history")
	}
	h.Add("last")
	if err := h.save(); err != nil {
		t.Fatal(err)
	}
	if h := open(); h.Len() != maxHistory || h.At(0) != "last" {
		t.Errorf("%d lines, the last one %q", h.Len(), h.At(0))
	}
	if _, err := openHistory(func(string) (string, bool) { return "not/absolute", true }); err == nil {
		t.Error("a relative cache directory is taken")
	}
}
