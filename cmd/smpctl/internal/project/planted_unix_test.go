//go:build unix

package project

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// owned makes files belong to a user who is not root, and returns that user.
func owned(t *testing.T, paths ...string) (owner int) {
	t.Helper()
	if user := os.Geteuid(); user != 0 {
		return user
	}
	const owned = 1001
	for _, path := range paths {
		if err := os.Lchown(path, owned, owned); err != nil {
			t.Fatal(err)
		}
	}
	return owned
}

// chmod sets all bits of a mode; os.Chmod has another sticky bit.
func chmod(t *testing.T, path string, mode uint32) {
	t.Helper()
	if err := syscall.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// TestPlanted: what somebody else put into a folder for all, such as /tmp, steers nothing.
func TestPlanted(t *testing.T) {
	for _, c := range []struct {
		name string
		own  bool
		mode uint32 // of the folder
		want bool
	}{
		{"somebody else's in a folder for all", false, 0o1777, true},
		{"somebody else's in a folder for all without the sticky bit", false, 0o777, true},
		{"one's own in a folder for all", true, 0o1777, false},
		{"somebody else's repository, as in a container", false, 0o755, false},
		{"a folder for a group", false, 0o775, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, map[string]string{"shared/smpctl.toml": "mode = 'test'"})
			folder := filepath.Join(root, "shared")
			user := owned(t, filepath.Join(folder, Name))
			if !c.own {
				user++
			}
			chmod(t, folder, c.mode)
			d, err := find(folder, user)
			if err != nil {
				t.Fatal(err)
			}
			if ignored := d.Path == "" && d.Mode == ""; ignored != c.want {
				t.Errorf("find = %+v, want it ignored: %t", d, c.want)
			}
			text := ""
			if c.want {
				text = "ROOT/shared/smpctl.toml: is ignored: it belongs to somebody else, in a folder that everybody " +
					"may write into"
			}
			if got := generic(d.Ignored, root); got != text {
				t.Errorf("Ignored = %q, want %q", got, text)
			}
		})
	}
}

// TestPlantedBelow: the project's own file above such a folder still counts, and what was passed over is told.
func TestPlantedBelow(t *testing.T) {
	root := tree(t, map[string]string{
		".git/": "", "smpctl.toml": "mode = 'test'", "shared/smpctl.toml": "mode = 'permanent'",
	})
	shared := filepath.Join(root, "shared")
	owner := owned(t, filepath.Join(shared, Name))
	chmod(t, shared, 0o777)
	if d, err := find(shared, owner+1); err != nil || d.Mode != "test" || d.Ignored == "" {
		t.Errorf("find = %+v, %v, want the file above, and a word on the other", d, err)
	}
}

// TestPlantedRepository: a .git that somebody made in /tmp does not make it the top of the projects below it.
func TestPlantedRepository(t *testing.T) {
	root := tree(t, map[string]string{"tmp/.git/": "", "tmp/mine/": ""})
	shared := filepath.Join(root, "tmp")
	mine := filepath.Join(shared, "mine")
	owner := owned(t, filepath.Join(shared, ".git"))
	chmod(t, shared, 0o777)
	if got := searched(mine, owner+1); len(got) != 1 || got[0] != mine {
		t.Errorf("searched = %q, want only %q", got, mine)
	}
	if got := searched(mine, owner); len(got) != 2 {
		t.Errorf("searched = %q for who made it, want both folders", got)
	}
}

// TestPlantedByRoot: what root put there is as good as the system, and a link to a file of one's own that somebody else
// made in /tmp is not one's own choice.
func TestPlantedByRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of several users")
	}
	root := tree(t, map[string]string{"home/smpctl.toml": "mode = 'test'", "tmp/a/smpctl.toml": "", "tmp/b/": ""})
	for _, name := range []string{"a", "b"} {
		chmod(t, filepath.Join(root, "tmp", name), 0o777)
	}
	own := filepath.Join(root, "home", Name)
	user := owned(t, own)
	if d, err := find(filepath.Join(root, "tmp", "a"), user); err != nil || d.Path == "" {
		t.Errorf("find = %+v, %v, want root's file", d, err)
	}
	link := filepath.Join(root, "tmp", "b", Name)
	if err := os.Symlink(own, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Lchown(link, user+1, user+1); err != nil {
		t.Fatal(err)
	}
	if d, err := find(filepath.Join(root, "tmp", "b"), user); err != nil || d.Path != "" {
		t.Errorf("find = %+v, %v, want nothing", d, err)
	}
}

// TestFindPipe: a named pipe is no file, and nothing waits for its other end.
func TestFindPipe(t *testing.T) {
	root := tree(t, nil)
	if err := syscall.Mkfifo(filepath.Join(root, Name), 0o644); err != nil {
		t.Fatal(err)
	}
	if d, err := Find(root); err == nil || generic(err.Error(), root) != "ROOT/smpctl.toml: is not a regular file" {
		t.Errorf("Find = %+v, %v", d, err)
	}
}

// TestFindUnreadable: a file that cannot be read is not as if there were none.
func TestFindUnreadable(t *testing.T) {
	root := tree(t, nil)
	if err := os.Symlink("nowhere", filepath.Join(root, Name)); err != nil {
		t.Fatal(err)
	}
	if d, err := Find(root); err == nil || generic(err.Error(), root) != "ROOT/smpctl.toml: no such file or directory" {
		t.Errorf("Find = %+v, %v", d, err)
	}
}
