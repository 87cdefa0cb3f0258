package conn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/spf13/cobra"
)

func connImportCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:   "import [file]",
		Short: "Take over mcumgr-cli's saved connections",
		Long: `Take over mcumgr-cli's saved connections, from its file .mcumgr.cp.json in your home directory
unless another one is named.

Connections that are saved here already stay as they are; those over Bluetooth and other links that
do not work here are skipped.`,
		Example: "  smpctl conn import",
		Args:    app.Takes(0, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			if len(args) > 0 {
				return connImport(ctx, a, args[0])
			}
			home, err := home(a)
			if err != nil {
				return nil, err
			}
			path := filepath.Join(home, ".mcumgr.cp.json")
			if _, err := os.Stat(path); err != nil { // nobody named it
				return nil, fmt.Errorf("mcumgr-cli's connections: %w", files.FileError(path, err))
			}
			return connImport(ctx, a, path)
		}),
	}
}

// home is where mcumgr-cli looks for its file: $HOME on every system.
func home(a *app.App) (string, error) {
	if home, ok := a.Env("HOME"); ok && home != "" {
		return home, nil
	}
	return os.UserHomeDir()
}

// mcumgrProfile is one entry of mcumgr-cli's file (mynewt-newtmgr, newtmgr/config/connprofile.go).
type mcumgrProfile struct {
	Name       string `json:"MyName"`
	Type       string `json:"MyType"`
	ConnString string `json:"MyConnString"`
}

// connImported is the result of conn import.
type connImported struct {
	File     string           `json:"file"`
	Imported []namedProfile   `json:"imported"` // what was taken over
	Skipped  []skippedProfile `json:"skipped"`  // what was not
}

// skippedProfile is a connection that was not taken over.
type skippedProfile struct {
	namedProfile
	Reason string `json:"reason"` // why not, for people
}

func (r connImported) Text(w io.Writer) error {
	for _, p := range r.Imported {
		fmt.Fprintf(w, "imported %s\n", p)
	}
	for _, p := range r.Skipped {
		fmt.Fprintf(w, "skipped  %s: %s\n", p.Name, p.Reason)
	}
	_, err := fmt.Fprintf(w, "%d imported, %d skipped, from %s\n", len(r.Imported), len(r.Skipped), r.File)
	return err
}

func connImport(ctx context.Context, a *app.App, path string) (app.Result, error) {
	theirs, err := readMcumgrProfiles(path)
	if err != nil {
		return nil, err
	}
	r := connImported{File: path, Imported: []namedProfile{}, Skipped: []skippedProfile{}}
	err = device.ChangeProfiles(ctx, a, func(f device.ProfileFile) (bool, error) {
		for _, t := range theirs {
			p := namedProfile{t.Name, device.Profile{Type: t.Type, ConnString: t.ConnString}}
			if err := takeOver(f, p); err != nil {
				r.Skipped = append(r.Skipped, skippedProfile{p, failure.Text(err)})
				continue
			}
			r.Imported = append(r.Imported, p)
		}
		return len(r.Imported) > 0, nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// takeOver adds a profile of mcumgr-cli; the error is the reason why not.
func takeOver(f device.ProfileFile, p namedProfile) error {
	if err := checkProfileName(p.Name); err != nil {
		return err
	}
	have, exists := f.Connections[p.Name]
	switch {
	case exists && have == p.Profile:
		return errors.New("is here already")
	case exists:
		return fmt.Errorf("another one of this name is here already: type=%s, connstring='%s'",
			have.Type, have.ConnString)
	}
	if err := p.Check(); err != nil {
		return err
	}
	f.Connections[p.Name] = p.Profile
	return nil
}

func readMcumgrProfiles(path string) ([]mcumgrProfile, error) {
	data, err := files.ReadInput("mcumgr-cli's connections", path, device.MaxProfileFile)
	if err != nil {
		return nil, err
	}
	var profiles []mcumgrProfile
	if err := json.Unmarshal(data, &profiles); err != nil {
		return nil, failure.Usage("mcumgr-cli's connections: %s: is no list of them, as mcumgr-cli writes it in JSON",
			path)
	}
	return profiles, nil
}
