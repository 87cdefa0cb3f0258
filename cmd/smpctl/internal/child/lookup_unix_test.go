//go:build !windows

package child

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLookUp finds what cannot run, and leaves alone what only a shell understands.
func TestLookUp(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, plain := write("good", 0o755), write("plain", 0o644)
	missing := filepath.Join(dir, "missing")
	for command, want := range map[string]string{ // part of the error; empty: none
		good:                            "",
		good + " --all; " + missing:     "",
		missing:                         missing + ": there is no such file",
		"  " + missing + " && true":     "no such file",
		"\n" + missing + "\ntrue":       "no such file",
		missing + ";true":               "no such file",
		missing + ">log":                "no such file",
		missing + "|cat":                "no such file",
		"PORT=1 A=b " + missing + " -v": "no such file",
		plain:                           "is not executable (chmod +x " + plain + ")",
		"./" + filepath.Base(missing):   "no such file",
		dir:                             "is a directory",
		"no-such-command-here":          "no-such-command-here: there is no such command",
		"no-such-command-here | cat":    "no such command",
		"sh " + missing:                 "", // sh is there
		"true":                          "",
		"cd / && ./nothing":             "",
		"if true; then true; fi":        "",
		". ./nothing":                   "",
		"exit 3":                        "",
		"exec " + missing:               "",
		"PORT=1":                        "",
		"PATH=/opt:/bin nothing":        "",
		"! nothing":                     "",
		"(nothing)":                     "",
		"{ nothing; }":                  "",
		"$CHECK":                        "",
		"`which nothing`":               "",
		"'no such'":                     "",
		"no\\ such":                     "",
		"no'such'":                      "",
		"~/nothing":                     "",
		"nothing() { true; }; nothing":  "",
		"nothing () { true; }; nothing": "",
		"-v nothing":                    "",
		"2>log nothing":                 "",
		">log nothing":                  "",
		"# nothing":                     "",
		"":                              "",
		"A=$(nothing) nothing":          "",
		"no*such":                       "",
		"größe":                         "",
	} {
		err := LookUp(t.Context(), command)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", command, err, want)
		}
	}
}
