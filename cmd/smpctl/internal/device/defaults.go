package device

import (
	"errors"
	"os"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/project"
)

// Defaults are those of the project in whose folder the command runs; their Path is empty if there is none.
func Defaults(a *app.App) (project.Defaults, error) {
	here, err := os.Getwd()
	if err != nil { // somebody removed the folder: no project is there
		return project.Defaults{}, nil
	}
	d, err := project.Find(here)
	var wrong *project.FileError
	if errors.As(err, &wrong) {
		return d, failure.AsUsage(failure.WithHint(err, wrong.Hint()))
	}
	return d, err
}

// DefaultKey is the path of the public key that the profile or the project names; empty if neither does.
func DefaultKey(a *app.App) (string, error) {
	if a.Flags.Conn != "" {
		p, err := FindProfile(a, a.Flags.Conn)
		if err != nil || p.Key != "" {
			return p.Key, err
		}
	}
	d, err := Defaults(a)
	return d.Key, err
}

// Setting is a value that says where the device is or how to talk to it, and where the value came from.
type Setting struct {
	Name  string `json:"name"`  // of the setting
	Value string `json:"value"` // as text
	From  string `json:"from"`  // --port, SMPCTL_PORT, profile NAME, path of smpctl.toml, default
}
