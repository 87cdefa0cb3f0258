package records

import (
	"errors"
	"io/fs"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/spf13/pflag"
)

// folderFlag declares --dir, which all commands here have.
func folderFlag(f *pflag.FlagSet, dir *string) {
	f.StringVar(dir, "dir", "records", "`folder` of the records")
}

// unreadable is about a folder that cannot be read as records; nil stays nil.
func unreadable(err error) error {
	var line *journal.LineError
	switch {
	case errors.As(err, &line):
		return failure.WithHint(err, "smpctl records verify says what is wrong with the records")
	case errors.Is(err, fs.ErrNotExist):
		return failure.WithHint(failure.AsUsage(err), "--dir names the folder that holds the records")
	}
	return err
}
