package docs_test

import (
	"path/filepath"
	"regexp"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestWorkflows sees that GitHub can read the workflows and the action, which it does not say on a push: a colon and a
// space in a command once ended all of them. What others wrote is named by its commit.
func TestWorkflows(t *testing.T) {
	files, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatalf("workflows: %q, %v", files, err)
	}
	used := regexp.MustCompile(`(?m)^ *(?:- )?uses: (.*)$`)
	pinned := regexp.MustCompile(`^[\w-]+/[\w/-]+@[0-9a-f]{40} # v\S+$|^\./\.github/workflows/[a-z]+\.yml$`)
	for _, file := range append(files, "../action.yml") {
		text := read(t, file)
		var document struct {
			Name string         `yaml:"name"`
			Jobs map[string]any `yaml:"jobs"`
			Runs map[string]any `yaml:"runs"`
		}
		if err := yaml.Unmarshal([]byte(text), &document); err != nil {
			t.Errorf("%s: %v", file, err)
		} else if document.Name == "" || len(document.Jobs)+len(document.Runs) == 0 {
			t.Errorf("%s does nothing", file)
		}
		for _, m := range used.FindAllStringSubmatch(text, -1) {
			if !pinned.MatchString(m[1]) {
				t.Errorf("%s: %s is not a commit with its version", file, m[1])
			}
		}
	}
}
