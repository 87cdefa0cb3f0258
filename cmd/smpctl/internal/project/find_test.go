package project

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// tree makes files with these contents in a new folder, folders for names that end with a slash, and returns its path
// without links.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		folder := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			folder = path
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if folder == path {
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// generic is a text with ROOT for that folder, and slashes on all systems.
func generic(text, root string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, root, "ROOT"), `\`, "/")
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name, dir string
		files     map[string]string
		want      string // the file that is found, below the root; empty if none
	}{
		{"in the folder", ".", map[string]string{"smpctl.toml": ""}, "smpctl.toml"},
		{"none", ".", map[string]string{".git/": ""}, ""},
		{
			"at the top of the repository", "a/b",
			map[string]string{".git/": "", "smpctl.toml": "", "a/b/": ""}, "smpctl.toml",
		},
		{
			"the nearest of several", "a/b",
			map[string]string{".git/": "", "smpctl.toml": "", "a/smpctl.toml": "", "a/b/": ""}, "a/smpctl.toml",
		},
		{
			"a worktree or a submodule, whose .git is a file", "r/a",
			map[string]string{"r/.git": "gitdir: elsewhere\n", "r/smpctl.toml": "", "r/a/": ""}, "r/smpctl.toml",
		},
		{
			"not above the repository", "r/a",
			map[string]string{"smpctl.toml": "", "r/.git/": "", "r/a/": ""}, "",
		},
		{
			"not above the repository, even in another one", "r/a",
			map[string]string{".git/": "", "smpctl.toml": "", "r/.git/": "", "r/a/": ""}, "",
		},
		{"not above the folder without a repository", "a", map[string]string{"smpctl.toml": "", "a/": ""}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, c.files)
			d, err := Find(filepath.Join(root, c.dir))
			want := ""
			if c.want != "" {
				want = filepath.Join(root, filepath.FromSlash(c.want))
			}
			if err != nil || d.Path != want || d.Ignored != "" {
				t.Errorf("Find = %q (%q), %v, want %q", d.Path, d.Ignored, err, want)
			}
		})
	}
}

// TestFindRelative: paths in the file are relative to its folder, not to the current one.
func TestFindRelative(t *testing.T) {
	root := tree(t, map[string]string{".git/": "", "smpctl.toml": "file = 'build'\nkey = 'keys/a.pem'", "src/": ""})
	t.Chdir(filepath.Join(root, "src"))
	d, err := Find(".")
	if err != nil || d.File != filepath.Join(root, "build") || d.Key != filepath.Join(root, "keys", "a.pem") {
		t.Errorf("Find = %+v, %v", d, err)
	}
}

// TestFindThroughLink: a link from one repository into another does not bring the first one's defaults.
func TestFindThroughLink(t *testing.T) {
	root := tree(t, map[string]string{
		"one/.git/": "", "one/smpctl.toml": "mode = 'test'",
		"two/.git/": "", "two/smpctl.toml": "mode = 'permanent'", "two/a/": "",
	})
	link := filepath.Join(root, "one", "link")
	if err := os.Symlink(filepath.Join(root, "two", "a"), link); err != nil {
		t.Skip(err)
	}
	if d, err := Find(link); err != nil || d.Mode != "permanent" {
		t.Errorf("Find = %+v, %v, want that of the repository in which the folder lies", d, err)
	}
}

func TestFindMistakes(t *testing.T) {
	for _, c := range []struct {
		name, want string
		files      map[string]string
	}{
		{"mistake in a line", `ROOT/smpctl.toml:2: unknown key "x"; known: port, baud, key, file, image, mode`,
			map[string]string{"smpctl.toml": "port = 'a'\nx = 1\n"}},
		{"folder", "ROOT/smpctl.toml: is a directory", map[string]string{"smpctl.toml/": ""}},
		{"too large", "ROOT/smpctl.toml: is larger than 1024 KiB",
			map[string]string{"smpctl.toml": strings.Repeat("#\n", maxFile/2) + "#"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, c.files)
			d, err := Find(root)
			var wrong *FileError
			if !errors.As(err, &wrong) || generic(err.Error(), root) != c.want {
				t.Errorf("Find = %+v, %v, want %s", d, err, c.want)
			}
		})
	}
}

func TestFindLargest(t *testing.T) {
	root := tree(t, map[string]string{"smpctl.toml": strings.Repeat("#\n", maxFile/2)})
	if d, err := Find(root); err != nil || d.Path == "" {
		t.Errorf("Find = %+v, %v, want the file of 1 MiB", d, err)
	}
}

// TestSearchedTop: the top of the file system is nobody's repository, so nothing is searched up to there.
func TestSearchedTop(t *testing.T) {
	top := filepath.VolumeName(os.TempDir()) + string(filepath.Separator)
	dir := filepath.Join(top, "no-such-folder", "below")
	if got := searched(dir, os.Geteuid()); len(got) != 1 || got[0] != dir {
		t.Errorf("searched = %q, want only %q", got, dir)
	}
	if got := searched(top, os.Geteuid()); len(got) != 1 || got[0] != top {
		t.Errorf("searched = %q, want only %q", got, top)
	}
	if runtime.GOOS == "windows" && !filepath.IsAbs(top) {
		t.Errorf("%q is no drive", top)
	}
}
