package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// partFile is a local file that is not complete yet. It lies beside its place, or among the temporary files if it is
// for standard output, and nobody finds a part of it under its name.
type partFile struct {
	f    *os.File
	path string       // where it goes; empty for standard output
	mode *fs.FileMode // of the file in whose place it goes; nil if there is none, and the system decides
}

// NewPart begins a file that has the mode of the one that it replaces, or what the system gives to new ones.
func NewPart(path string) (*partFile, error) {
	if path == StreamName {
		f, err := os.CreateTemp("", "smpctl-*.tmp")
		if err != nil {
			return nil, FileError("temporary file", err)
		}
		return &partFile{f: f}, nil
	}
	return beginFile(path, 0o666)
}

// beginFile begins a file that has the given mode if it is new.
func beginFile(path string, mode fs.FileMode) (*partFile, error) {
	p := &partFile{path: path}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, FileError(path, err)
	case info.IsDir():
		return nil, fmt.Errorf("%s: is a directory", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is not a regular file", path)
	default: // a link stays one
		if p.path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, FileError(path, err)
		}
		mode = info.Mode().Perm()
		p.mode = &mode
	}
	if p.f, err = createBeside(p.path, mode); err != nil {
		return nil, FileError(path, err)
	}
	return p, nil
}

// createBeside makes a new file with a name of its own. [os.CreateTemp] would keep it from everybody else.
func createBeside(path string, mode fs.FileMode) (*os.File, error) {
	for n := range math.MaxInt8 {
		f, err := os.OpenFile(fmt.Sprintf("%s.%d-%d.tmp", path, os.Getpid(), n), os.O_CREATE|os.O_EXCL|os.O_RDWR, mode)
		if !errors.Is(err, os.ErrExist) {
			return f, err
		}
	}
	return nil, os.ErrExist
}

func (p *partFile) Write(b []byte) (int, error) { return p.f.Write(b) }

// Keep puts the complete file in its place, once it is on the disk.
func (p *partFile) Keep() error {
	if err := p.f.Sync(); err != nil {
		return FileError(p.path, err)
	}
	return p.put()
}

// put puts the complete file in its place, without waiting for the disk.
func (p *partFile) put() error {
	var err error
	if p.mode != nil { // with what umask took
		err = p.f.Chmod(*p.mode)
	}
	if closed := p.f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(p.f.Name(), p.path)
	}
	if err != nil {
		return FileError(p.path, err)
	}
	return nil
}

// CopyTo writes the complete file to w.
func (p *partFile) CopyTo(w io.Writer) error {
	if _, err := p.f.Seek(0, io.SeekStart); err != nil {
		return FileError("temporary file", err)
	}
	if _, err := io.Copy(w, p.f); err != nil {
		return FileError("standard output", err)
	}
	return nil
}

// Discard removes the file unless it was kept.
func (p *partFile) Discard() {
	p.f.Close()
	_ = os.Remove(p.f.Name()) // after keep it is gone
}

// Write writes a file so that a reader finds the old one or the new one, whole. It does not wait for the disk, for
// what it writes can be made again. What is no file, such as /dev/stdout, is written as it is.
func Write(path string, data []byte) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return failure.AsImage(fmt.Errorf("%s: is a directory", path))
	case err == nil && !info.Mode().IsRegular():
		if err := os.WriteFile(path, data, 0o666); err != nil {
			return FileError(path, err)
		}
		return nil
	}
	p, err := NewPart(path)
	if err != nil {
		return err
	}
	defer p.Discard()
	if _, err := p.Write(data); err != nil {
		return FileError(path, err)
	}
	return p.put()
}

// WriteOwn does so with a file of smpctl's own, which nobody but the user needs to read, and which cannot be made
// again.
func WriteOwn(path string, data []byte) error {
	p, err := beginFile(path, 0o600)
	if err != nil {
		return err
	}
	defer p.Discard()
	if _, err := p.Write(data); err != nil {
		return FileError(path, err)
	}
	return p.Keep()
}

func SHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// StreamName stands for standard input or output in the place of a local file.
const StreamName = "-"
