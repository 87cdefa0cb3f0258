package main

import (
	"bytes"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// journalLines puts all lines of the records in a folder into a file, whatever month it is: journal DIR FILE.
func journalLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: journal DIR FILE")
	}
	months, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.jsonl"))
	ts.Check(err)
	var all bytes.Buffer
	for _, month := range months { // in order
		text, err := os.ReadFile(month)
		ts.Check(err)
		all.Write(text)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), all.Bytes(), 0o600))
}
