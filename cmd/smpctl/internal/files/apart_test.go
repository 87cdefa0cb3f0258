package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestApart(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"in", "other"} {
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link("in", "hard"); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("in", "soft"); err != nil {
		t.Skip(err)
	}
	absolute, err := filepath.Abs("in")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name            string
		outputs, inputs []string
		want            string // of the error; empty if there is none
	}{
		{"different", []string{"other", "new"}, []string{"in"}, ""},
		{"nothing", []string{"", ""}, []string{"", "in"}, ""},
		{"missing input", []string{"new"}, []string{"missing", "exec:sign"}, ""},
		{"devices", []string{os.DevNull, os.DevNull}, []string{os.DevNull}, ""},
		{"same path", []string{"in"}, []string{"other", "in"}, "in: is the input in, which is never overwritten"},
		{"other spelling", []string{"./in"}, []string{absolute}, "./in: is the input "},
		{"hard link", []string{"hard"}, []string{"in"}, "hard: is the input in"},
		{"symbolic link", []string{"soft"}, []string{"in"}, "soft: is the input in"},
		{"symbolic link as input", []string{"in"}, []string{"soft"}, "in: is the input soft"},
		{"two outputs", []string{"other", "./other"}, nil, "./other: is the output other too"},
		{"two new outputs", []string{"new", "./new"}, nil, "./new: is the output new too"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Apart(tt.outputs, tt.inputs)
			switch {
			case tt.want == "" && err != nil, tt.want != "" && err == nil:
				t.Errorf("Apart = %v, want %q", err, tt.want)
			case err != nil && !strings.Contains(err.Error(), tt.want):
				t.Errorf("Apart = %v, want %q", err, tt.want)
			}
		})
	}
}
