package schema

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// folder holds the schemas, below the root of the module.
var folder = filepath.Join("docs", "schema")

// updating reports whether the schemas are to be written instead of compared: make schema.
func updating() bool { return os.Getenv("UPDATE_SCHEMA") != "" }

// FileOf names the schema of a command, given as the words that call it.
func FileOf(command string) string { return strings.ReplaceAll(command, " ", "-") + ".json" }

// StderrFile is the schema of any line of standard error.
const StderrFile = "stderr.json"

// BoardsFile is the schema of the result of any command with --all.
const BoardsFile = "boards.json"

// eventPrefix begins the names of the schemas of events.
const eventPrefix = "event-"

// FileOfEvent names the schema of an event on standard error.
func FileOfEvent(event string) string { return eventPrefix + event + ".json" }

// IsEvent reports whether a schema is that of an event.
func IsEvent(file string) bool { return strings.HasPrefix(file, eventPrefix) }

// Path is where a schema lies.
func Path(t *testing.T, file string) string {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, folder, file)
}

// Compare holds a file of docs/schema against the types that it stands for.
func Compare(t *testing.T, file, title string, types ...reflect.Type) {
	t.Helper()
	want, err := Make(title, types...)
	if err != nil {
		t.Error(err)
		return
	}
	CompareText(t, file, want)
}

// CompareEvent does so with the type of an event.
func CompareEvent(t *testing.T, event string, typ reflect.Type) {
	t.Helper()
	want, err := MakeEvent(event, "smpctl --json: "+event+", a line of standard error", typ)
	if err != nil {
		t.Error(err)
		return
	}
	CompareText(t, FileOfEvent(event), want)
}

// CompareText does so with a schema that is made already.
func CompareText(t *testing.T, file string, want []byte) {
	t.Helper()
	path := Path(t, file)
	if updating() {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Error(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v (make schema writes it)", err)
	} else if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
		t.Errorf("%s is not what the code says: run make schema, and look at the difference", path)
	}
}
