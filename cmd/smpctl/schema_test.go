package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/cli"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/schema"
)

// schemaBroken is the exit code of a smpctl whose JSON is not what docs/schema says.
const schemaBroken = 99

// checkedMain is smpctl, and holds all JSON that it prints against docs/schema, in every script.
func checkedMain() {
	if !slices.Contains(os.Args, "--json") {
		main()
	}
	terminal := os.Stderr
	out, outDone := tee(&os.Stdout)
	errs, errsDone := tee(&os.Stderr)
	code := mainStatus()
	outDone()
	errsDone()
	if err := checkJSON(os.Args[1:], out.Bytes(), errs.Bytes()); err != nil {
		fmt.Fprintf(terminal, "schema: %v\n", err)
		code = schemaBroken
	}
	os.Exit(code)
}

// tee puts a pipe in the place of a stream, which goes on to the stream. What has passed is there once done is called.
func tee(stream **os.File) (passed *bytes.Buffer, done func()) {
	to := *stream
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	*stream, passed = w, new(bytes.Buffer)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(to, io.TeeReader(r, passed))
		_, _ = io.Copy(passed, r) // after somebody closed the stream
	}()
	return passed, func() {
		w.Close()
		<-ended
		*stream = to
	}
}

// checkJSON holds what a command line printed against the schemas: at most one document, and nothing but events and the
// error.
func checkJSON(args []string, out, errs []byte) error {
	v := schema.Validator{Folder: filepath.Join(os.Getenv("TESTDATA"), "..", "docs", "schema")}
	if len(out) > 0 && !slices.ContainsFunc(args, printsNoJSON) {
		if err := checkDocument(&v, args, out); err != nil {
			return err
		}
	}
	for line := range bytes.Lines(errs) {
		if err := v.Validate(schema.StderrFile, line); err != nil {
			return err
		}
	}
	return nil
}

// checkDocument holds a result against its schema; with --all, that of each board against that of the command too.
func checkDocument(v *schema.Validator, args []string, out []byte) error {
	file := schema.FileOf(commandOf(args))
	if !slices.Contains(args, "--all") {
		return v.Validate(file, out)
	}
	var all struct {
		Boards []struct{ Result json.RawMessage }
	}
	if err := errors.Join(v.Validate(schema.BoardsFile, out), json.Unmarshal(out, &all)); err != nil {
		return err
	}
	for _, b := range all.Boards {
		if b.Result != nil {
			if err := v.Validate(file, b.Result); err != nil {
				return err
			}
		}
	}
	return nil
}

// commandOf names the command of a command line, without smpctl itself.
func commandOf(args []string) string {
	root := cli.NewRoot(&app.App{Env: func(string) (string, bool) { return "", false }})
	command, _, err := root.Find(args)
	if err != nil {
		return "(unknown)"
	}
	if !command.HasParent() { // --version
		return "version"
	}
	return strings.TrimPrefix(command.CommandPath(), "smpctl ")
}

// printsNoJSON reports whether an argument has standard output carry something else: a file, or help.
func printsNoJSON(arg string) bool { return arg == "-" || arg == "--help" || arg == "-h" }

// TestEveryCommandPrintsJSON sees that the scripts have each command print its result as JSON, which is then held
// against its schema.
func TestEveryCommandPrintsJSON(t *testing.T) {
	missing := map[string]bool{}
	schemas, err := filepath.Glob("../../docs/schema/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range schemas {
		if name := filepath.Base(path); name != schema.StderrFile && !schema.IsEvent(name) {
			missing[name] = true
		}
	}
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(schemas) < 60 || len(scripts) < 60 {
		t.Fatalf("%v, %d schemas and %d scripts found", err, len(schemas), len(scripts))
	}
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if args := strings.Fields(line); len(args) > 1 && args[0] == "smpctl" && slices.Contains(args, "--json") {
				file := schema.FileOf(commandOf(args[1:]))
				if slices.Contains(args, "--all") {
					file = schema.BoardsFile
				}
				delete(missing, file)
			}
		}
	}
	for name := range missing {
		t.Errorf("no script prints what %s describes", name)
	}
}
