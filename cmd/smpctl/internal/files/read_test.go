package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, n int) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, n), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name, path string
		want       string // of the error; empty if there is none
		size       int
	}{
		{"as large as allowed", write("full", 1<<20), "", 1 << 20},
		{"empty", write("empty", 0), "", 0},
		{"larger", write("large", 1<<20+1), ": is larger than 1 MiB", 0},
		{"directory", dir, ": is a directory", 0},
		{"device", os.DevNull, ": is not a regular file", 0},
		{"missing", filepath.Join(dir, "missing"), ": ", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Read(tt.path, 1<<20)
			if tt.want == "" {
				if err != nil || len(got) != tt.size {
					t.Errorf("got %d bytes, %v, want %d", len(got), err, tt.size)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.path+tt.want) {
				t.Errorf("got %v, want %s%s", err, tt.path, tt.want)
			}
		})
	}
}
