package cli

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/schema"
	"github.com/spf13/cobra"
)

// TestSchemas sees that docs/schema has a good schema for each command with a result, for each event, and no other.
func TestSchemas(t *testing.T) {
	missing := map[string]bool{schema.StderrFile: true, schema.BoardsFile: true}
	for _, c := range everyCommand(testRoot()) {
		if c.HasParent() && hasResult(c) { // --version is version
			missing[schema.FileOf(strings.TrimPrefix(c.CommandPath(), "smpctl "))] = true
		}
	}
	if len(missing) < 60 {
		t.Errorf("only %d commands found", len(missing))
	}
	var events []string
	files, err := filepath.Glob(schema.Path(t, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		if schema.IsEvent(name) {
			events = append(events, name)
		} else if !missing[name] {
			t.Errorf("%s is the schema of nothing", name)
		}
		delete(missing, name)
	}
	for name := range missing {
		t.Errorf("%s is missing", name)
	}
	schema.CompareText(t, schema.StderrFile, anyEvent(t, events))
}

// hasResult reports whether a command has a body of its own.
func hasResult(c *cobra.Command) bool {
	body := reflect.ValueOf(c.RunE)
	return c.RunE != nil && body.Pointer() != reflect.ValueOf(app.NeedsCommand).Pointer()
}

// anyEvent is the schema of a line of standard error.
func anyEvent(t *testing.T, files []string) []byte {
	t.Helper()
	type ref struct {
		Ref string `json:"$ref"`
	}
	var events []ref
	for _, name := range slices.Sorted(slices.Values(files)) {
		events = append(events, ref{name})
	}
	text, err := json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "smpctl --json: a line of standard error", "anyOf": events,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}
