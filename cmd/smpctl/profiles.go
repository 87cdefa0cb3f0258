package main

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
)

// profile is a saved connection, in the words of mcumgr-cli, with the public key that images for this device are signed
// with.
type profile struct {
	Type       string `toml:"type" json:"type"`
	ConnString string `toml:"connstring" json:"connstring"`
	Key        string `toml:"key,omitempty" json:"key,omitempty"` // absolute path of a PEM file; empty if there is none
}

// check tells whether the profile leads to a device, as far as its text shows.
func (p profile) check() error {
	c, err := parseConnString(p.Type, p.ConnString)
	switch {
	case err != nil:
		return err
	case p.Type == connUDP && c.Dev == "":
		return usage("connstring: type udp needs an address, such as connstring=192.0.2.1:1337")
	}
	return checkAddress(c.Dev)
}

// profileFile is the content of the file that keeps the profiles.
type profileFile struct {
	Connections map[string]profile `toml:"connections"`
}

// names lists the profiles in alphabetical order.
func (f profileFile) names() []string { return slices.Sorted(maps.Keys(f.Connections)) }

// find returns a profile, or an error that lists those that exist.
func (f profileFile) find(name string) (profile, error) {
	if p, ok := f.Connections[name]; ok {
		return p, nil
	}
	if len(f.Connections) == 0 {
		return profile{}, usage("connection profile %q doesn't exist; there are none yet", name)
	}
	return profile{}, usage("connection profile %q doesn't exist; known: %s", name, strings.Join(f.names(), ", "))
}

// profile returns a saved profile by name.
func (a *app) profile(name string) (profile, error) {
	f, err := a.profiles()
	if err != nil {
		return profile{}, err
	}
	return f.find(name)
}

// maxProfileFile bounds the bytes of a file with profiles, ours or mcumgr-cli's.
const maxProfileFile = 1 << 20

// profiles reads the saved profiles; without a file there are none. A file that cannot be understood is an error, so
// that nothing of it is ever written over.
func (a *app) profiles() (profileFile, error) {
	none := profileFile{Connections: map[string]profile{}}
	path, err := a.profilePath()
	if err != nil {
		return none, err
	}
	data, err := readFile(path, maxProfileFile)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("connection profiles: %w", err)
	}
	f := none
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&f); err != nil {
		return none, fmt.Errorf("connection profiles: %s: %w", path, explainTOML(err))
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
		return fmt.Errorf("%w\n%s", wrong, wrong.String())
	}
	return err
}

// profilePath is where the profiles are kept.
func (a *app) profilePath() (string, error) {
	dir, ok := a.env("XDG_CONFIG_HOME")
	if !ok || dir == "" {
		var err error
		if dir, err = os.UserConfigDir(); err != nil {
			return "", fmt.Errorf("connection profiles: %w", err)
		}
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("connection profiles: XDG_CONFIG_HOME: %s is not an absolute path", dir)
	}
	return filepath.Join(dir, "smpctl", "connections.toml"), nil
}

const profileHeader = "# Written by smpctl conn, which keeps no comments.\n\n"

// changeProfiles reads the saved profiles, has them changed, and writes them unless nothing changed. No other smpctl
// does so meanwhile.
func (a *app) changeProfiles(ctx context.Context, change func(profileFile) (changed bool, err error)) error {
	path, err := a.profilePath()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("connection profiles: %w", err)
	}
	unlock, err := lockFile(ctx, path+".lock")
	if err != nil {
		return fmt.Errorf("connection profiles: %w", err)
	}
	defer unlock()
	f, err := a.profiles()
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
func saveProfiles(path string, f profileFile) error {
	text, err := toml.Marshal(f)
	if err == nil {
		err = writeOwnFile(path, append([]byte(profileHeader), text...))
	}
	if err != nil {
		return fmt.Errorf("connection profiles: %w", err)
	}
	return nil
}
