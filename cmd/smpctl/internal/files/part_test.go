package files

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A local file has its old content until the new one is complete, and nothing else is left beside it.
func TestPartFile(t *testing.T) {
	for _, kept := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "file")
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := NewPart(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write([]byte("new")); err != nil {
			t.Fatal(err)
		}
		checkContent(t, path, "old")
		want := "old"
		if kept {
			want = "new"
			if err := p.Keep(); err != nil {
				t.Fatal(err)
			}
		}
		p.Discard()
		checkContent(t, path, want)
		if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
			t.Errorf("kept %v: %v, %v", kept, names, err)
		}
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
			t.Errorf("kept %v: mode %v, %v", kept, info.Mode(), err)
		}
	}
}

func checkContent(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s: %q, %v, want %q", path, got, err, want)
	}
}

// A symbolic link goes on pointing to the file that was replaced.
func TestPartFileFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Skip(err)
	}
	p, err := NewPart(link)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Discard()
	if err := p.Keep(); err != nil {
		t.Fatal(err)
	}
	checkContent(t, path, "")
	if target, err := os.Readlink(link); err != nil || target != "file" {
		t.Errorf("the link points to %q, %v", target, err)
	}
}

func TestPartFileOfStandardOutput(t *testing.T) {
	p, err := NewPart(StreamName)
	if err != nil {
		t.Fatal(err)
	}
	name := p.f.Name()
	if _, err := p.Write([]byte("\x1b[2Jbytes")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := p.CopyTo(&out); err != nil || out.String() != "\x1b[2Jbytes" {
		t.Errorf("copied %q, %v", out.String(), err)
	}
	p.Discard()
	if _, err := os.Stat(name); err == nil {
		t.Errorf("%s is left", name)
	}
}
