package conn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

// profileApp is an app whose profiles are in a directory of the test, and the name of their file.
func profileApp(t *testing.T) (a *app.App, path string) {
	t.Helper()
	dir := t.TempDir()
	env := func(name string) (string, bool) { return dir, name == "XDG_CONFIG_HOME" }
	return &app.App{Env: env}, filepath.Join(dir, "smpctl", "connections.toml")
}

func TestProfilesRoundTrip(t *testing.T) {
	a, path := profileApp(t)
	want := device.ProfileFile{Connections: map[string]device.Profile{
		"board":         {Type: "serial", ConnString: "dev=COM22,baud=115200,mtu=512", Key: "/keys/pub.pem"},
		"with space":    {Type: "serial", ConnString: `/dev/ttyACM0`, Key: ""},
		"a.b":           {Type: "udp", ConnString: "[2001:db8::1]:1337", Key: ""},
		"ünïcode":       {Type: "serial", ConnString: "", Key: ""},
		`quote"and'tic`: {Type: "serial", ConnString: `C:\odd "name"`, Key: ""},
	}}
	err := device.ChangeProfiles(t.Context(), a, func(f device.ProfileFile) (bool, error) {
		maps.Copy(f.Connections, want.Connections)
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := device.Profiles(a)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("profiles: %v (-want +got):\n%s", err, diff)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode != 0o600 {
		t.Errorf("mode is %o, want 600", mode)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 2 {
		t.Errorf("got %v, %v, want the file and its lock", entries, err)
	}
}

// TestLockIsWaitedFor gives up when the user does, and after a while.
func TestLockIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := files.Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(failure.ErrInterrupted)
	if _, err := files.Lock(ctx, path); !errors.Is(err, failure.ErrInterrupted) {
		t.Errorf("of another: %v, want %v", err, failure.ErrInterrupted)
	}
	unlock()
	again, err := files.Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestProfilesErrors(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"syntax", "[connections.board\ntype = 'serial'\n", []string{"[connections.board", "~"}},
		{"unknown key", "[connections.board]\ntype = 'serial'\nbaud = 9600\n",
			[]string{"unknown key", "3| baud = 9600", "~~~~"}},
		{"unknown table", "[profiles.board]\ntype = 'serial'\n", []string{"unknown key", "profiles"}},
		{"wrong type", "[connections.board]\ntype = 7\n", []string{"2| type = 7", "~"}},
		{"key twice", "[connections.board]\ntype = 'a'\ntype = 'b'\n", []string{"type"}},
		{"not text", "\x00\x01\x02", nil},
		{"too large", strings.Repeat("#", device.MaxProfileFile+1), []string{"is larger than 1 MiB"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, path := profileApp(t)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := device.Profiles(a)
			if err == nil || !strings.HasPrefix(err.Error(), "connection profiles: ") ||
				!strings.Contains(err.Error(), path) {
				t.Fatalf("got %v, want an error that names %s", err, path)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
			for what, change := range map[string]func() (app.Result, error){
				"add":    func() (app.Result, error) { return connAdd(t.Context(), a, "new", []string{"type=serial"}) },
				"delete": func() (app.Result, error) { return connDelete(t.Context(), a, "board") },
			} {
				if r, err := change(); err == nil {
					t.Errorf("%s: got %v, want the error", what, r)
				}
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != tt.text {
				t.Errorf("the file was changed: %.100q, %v", after, err)
			}
		})
	}
}

func TestEmptyProfileFile(t *testing.T) {
	a, path := profileApp(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := connAdd(t.Context(), a, "board", []string{"type=serial"}); err != nil {
		t.Fatal(err)
	}
	if p, err := device.FindProfile(a, "board"); err != nil || p != (device.Profile{Type: "serial"}) {
		t.Errorf("got %+v, %v, want the profile just added", p, err)
	}
}

// TestProfileFileThatIsALink keeps the link of people who have their configuration elsewhere.
func TestProfileFileThatIsALink(t *testing.T) {
	a, path := profileApp(t)
	target := filepath.Join(t.TempDir(), "dotfile.toml")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Skip(err)
	}
	if _, err := connAdd(t.Context(), a, "board", []string{"type=serial"}); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(path); err != nil || to != target {
		t.Errorf("the link leads to %q, %v, want %q", to, err, target)
	}
	if text, err := os.ReadFile(target); err != nil || !strings.Contains(string(text), "[connections.board]") {
		t.Errorf("the file behind the link: got %q, %v, want the profile", text, err)
	}
}

// TestProfilesCannotBeWritten keeps the old file when the new one cannot be made.
func TestProfilesCannotBeWritten(t *testing.T) {
	a, path := profileApp(t)
	if err := os.WriteFile(filepath.Dir(path), []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := connAdd(t.Context(), a, "board", []string{"type=serial"}); err == nil ||
		!strings.HasPrefix(err.Error(), "connection profiles: ") {
		t.Errorf("got %v, want an error", err)
	}
}

func TestProfilePathIsAbsolute(t *testing.T) {
	a := &app.App{Env: func(name string) (string, bool) { return "config", name == "XDG_CONFIG_HOME" }}
	if _, err := device.Profiles(a); err == nil || !strings.Contains(err.Error(), "XDG_CONFIG_HOME") {
		t.Errorf("got %v, want an error about XDG_CONFIG_HOME", err)
	}
}

func TestProfileNames(t *testing.T) {
	a, _ := profileApp(t)
	for _, name := range []string{"", "a\nb", "a\x1b[0m", "a\u202eb"} {
		t.Run(fmt.Sprintf("%q", name), func(t *testing.T) {
			if _, err := connAdd(t.Context(), a, name, []string{"type=serial"}); err == nil {
				t.Error("got no error")
			}
		})
	}
}
