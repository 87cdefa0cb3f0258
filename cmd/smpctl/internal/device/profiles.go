package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

// Profile is a saved connection, in the words of mcumgr-cli, with the public key that images for this device are signed
// with.
type Profile struct {
	Type       string `toml:"type" json:"type"`                   // serial or udp
	ConnString string `toml:"connstring" json:"connstring"`       // dev=ADDRESS,baud=N,mtu=N
	Key        string `toml:"key,omitempty" json:"key,omitempty"` // absolute path of a PEM file
}

// Check tells whether the profile leads to a device, as far as its text shows.
func (p Profile) Check() error {
	c, err := parseConnString(p.Type, p.ConnString)
	switch {
	case err != nil:
		return err
	case p.Type == ConnUDP && c.Dev == "":
		return failure.Usage("connstring: type udp needs an address, such as connstring=192.0.2.1:1337")
	}
	return checkAddress(c.Dev)
}

// ProfileFile is the content of the file that keeps the profiles.
type ProfileFile struct {
	Connections map[string]Profile `toml:"connections"`
}

// Names lists the profiles in alphabetical order.
func (f ProfileFile) Names() []string { return slices.Sorted(maps.Keys(f.Connections)) }

// Find returns a profile, or an error that lists those that exist.
func (f ProfileFile) Find(name string) (Profile, error) {
	if p, ok := f.Connections[name]; ok {
		return p, nil
	}
	if len(f.Connections) == 0 {
		return Profile{}, failure.WithHint(failure.Usage("connection profile %q doesn't exist; there are none yet",
			name),
			`smpctl conn add NAME type=serial connstring="dev=PORT,baud=115200" saves one`)
	}
	return Profile{}, failure.WithHint(failure.Usage("connection profile %q doesn't exist; known: %s", name,
		strings.Join(f.Names(), ", ")), "smpctl conn show shows them all")
}

// profile returns a saved profile by name.
func FindProfile(a *app.App, name string) (Profile, error) {
	f, err := Profiles(a)
	if err != nil {
		return Profile{}, err
	}
	return f.Find(name)
}

// MaxProfileFile bounds the bytes of a file with profiles, ours or mcumgr-cli's.
const MaxProfileFile = 1 << 20

// Profiles reads the saved profiles; without a file there are none. A file that cannot be understood is an error, so
// that nothing of it is ever written over.
func Profiles(a *app.App) (ProfileFile, error) {
	none := ProfileFile{Connections: map[string]Profile{}}
	path, err := profilePath(a)
	if err != nil {
		return none, err
	}
	data, err := files.Read(path, MaxProfileFile)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, failure.AsUsage(fmt.Errorf("connection profiles: %w", err))
	}
	f := none
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&f); err != nil {
		return none, failure.WithHint(failure.Usage("connection profiles: %s: %w", path, explainTOML(err)),
			"mend the file, or remove it and begin anew with smpctl conn add")
	}
	if f.Connections == nil {
		f.Connections = none.Connections
	}
	return f, nil
}

// explainTOML shows the line of a mistake with a caret under it, where the decoder knows it.
func explainTOML(err error) error {
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("unknown key\n%s", unknown.String())
	case errors.As(err, &wrong):
		said := strings.TrimPrefix(wrong.Error(), "toml: ")
		ours := said
		if strings.Contains(said, "cannot decode") { // every value of ours is a text
			ours = "want a text in quotes"
		}
		return fmt.Errorf("%s\n%s", ours, strings.ReplaceAll(wrong.String(), said, ours))
	}
	return err
}

// profilePath is where the profiles are kept.
func profilePath(a *app.App) (string, error) {
	path, err := files.ConfigPath(a.Env, "connections.toml")
	if err != nil {
		return "", fmt.Errorf("connection profiles: %w", err)
	}
	return path, nil
}

const profileHeader = "# Written by smpctl conn, which keeps no comments.\n\n"

// ChangeProfiles reads the saved profiles, has them changed, and writes them unless nothing changed. No other smpctl
// does so meanwhile.
func ChangeProfiles(ctx context.Context, a *app.App, change func(ProfileFile) (changed bool, err error)) error {
	path, err := profilePath(a)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("connection profiles: %w", err)
	}
	unlock, err := files.Lock(ctx, path+".lock")
	if err != nil {
		return fmt.Errorf("connection profiles: %w", err)
	}
	defer unlock()
	f, err := Profiles(a)
	if err != nil {
		return err
	}
	changed, err := change(f)
	if err != nil || !changed {
		return err
	}
	return saveProfiles(path, f)
}

// saveProfiles writes the profiles. The old file stays whole until the new one is.
func saveProfiles(path string, f ProfileFile) error {
	text, err := toml.Marshal(f)
	if err == nil {
		err = files.Write(path, append([]byte(profileHeader), text...), files.Options{Private: true, Durable: true})
	}
	if err != nil {
		return fmt.Errorf("connection profiles: %w", err)
	}
	return nil
}
