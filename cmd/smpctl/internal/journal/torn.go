package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

// setAside moves what is behind an offset of a file into a file of its own, and returns what is to be said of it. It
// never was a record: nobody was told that it is on the disk.
func setAside(dir, name string, offset, seq int64) (string, error) {
	path := filepath.Join(dir, name)
	f, err := openSegment(dir, name, os.O_RDWR)
	if err != nil {
		return "", err
	}
	defer f.Close()
	to, err := newAside(filepath.Join(dir, fmt.Sprintf("%s.torn-%d", strings.TrimSuffix(name, ".jsonl"), seq)))
	if err != nil {
		return "", err
	}
	defer to.Close()
	n, err := copyBehind(to, f, offset)
	if err != nil {
		return "", files.FileError(to.Name(), err)
	}
	if err := syncFolder(dir); err != nil {
		return "", err
	}
	if err := errors.Join(f.Truncate(offset), f.Sync()); err != nil {
		return "", files.FileError(path, err)
	}
	return fmt.Sprintf("%d bytes of a line that was cut off are in %s", n, filepath.Base(to.Name())), nil
}

// newAside makes a file that did not exist, whose name begins with the given one.
func newAside(path string) (*os.File, error) {
	const most = 100
	for n := range most {
		name := path
		if n > 0 {
			name = fmt.Sprintf("%s-%d", path, n+1)
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, fmt.Errorf("%s: there are %d of them", path, most)
}

// copyBehind copies what is behind an offset, durably.
func copyBehind(to, from *os.File, offset int64) (int64, error) {
	if _, err := from.Seek(offset, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.Copy(to, from)
	return n, errors.Join(err, to.Sync())
}
