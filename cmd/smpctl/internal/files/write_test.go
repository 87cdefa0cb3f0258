package files

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A local file has its old content until the new one is complete, and nothing else is left beside it.
func TestCreate(t *testing.T) {
	for _, kept := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "file")
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := Create(path, Options{Durable: true})
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
			if err := p.Commit(); err != nil {
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
func TestCreateFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Skip(err)
	}
	p, err := Create(link, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Discard()
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	checkContent(t, path, "")
	if target, err := os.Readlink(link); err != nil || target != "file" {
		t.Errorf("the link points to %q, %v", target, err)
	}
}

// A new file is in nobody's place, and is gone if it was not completed.
func TestCreateNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	private := Options{Private: true, New: true, Durable: true}
	p, err := Create(path, private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	p.Discard()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a file is left: %v", err)
	}
	if err := Write(path, []byte("whole"), private); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("other"), private); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second one: %v, want %v", err, fs.ErrExist)
	}
	checkContent(t, path, "whole")
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// Whatever a command writes, it does not take the place of a private key.
func TestCreateKeepsPrivateKeys(t *testing.T) {
	const key = "-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\n"
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("image"), Options{}); err == nil || !strings.Contains(err.Error(), "a private key") {
		t.Errorf("%v, want a refusal", err)
	}
	checkContent(t, path, key)
}

func TestSpool(t *testing.T) {
	var out bytes.Buffer
	p, err := Spool("standard output", &out)
	if err != nil {
		t.Fatal(err)
	}
	name := p.f.Name()
	if _, err := p.Write([]byte("\x1b[2Jbytes")); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 0 {
		t.Errorf("%q is out before it is complete", out.String())
	}
	if err := p.Commit(); err != nil || out.String() != "\x1b[2Jbytes" {
		t.Errorf("copied %q, %v", out.String(), err)
	}
	p.Discard()
	if _, err := os.Stat(name); err == nil {
		t.Errorf("%s is left", name)
	}
}

// What is no file gets the content, and stays what it is.
func TestWriteToDevice(t *testing.T) {
	if err := Write(os.DevNull, []byte("x"), Options{}); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%v, %v", info, err)
	}
}
