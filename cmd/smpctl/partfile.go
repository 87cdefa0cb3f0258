package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// partFile is a local file that is not complete yet. It lies beside its place, or among the temporary files if it is for standard
// output, and nobody finds a part of it under its name.
type partFile struct {
	f    *os.File
	path string // where it goes; empty for standard output
}

func newPartFile(path string) (*partFile, error) {
	if path == streamName {
		f, err := os.CreateTemp("", "smpctl-*.tmp")
		if err != nil {
			return nil, fileError("temporary file", err)
		}
		return &partFile{f: f}, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fileError(path, err)
	case info.IsDir():
		return nil, fmt.Errorf("%s: is a directory", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is not a regular file", path)
	default: // a link stays one
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, fileError(path, err)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, fileError(path, err)
	}
	return &partFile{f, path}, nil
}

func (p *partFile) Write(b []byte) (int, error) { return p.f.Write(b) }

// keep puts the complete file in its place.
func (p *partFile) keep() error {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(p.path); err == nil {
		mode = info.Mode().Perm()
	}
	err := p.f.Sync()
	if err == nil {
		err = p.f.Chmod(mode)
	}
	if closed := p.f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(p.f.Name(), p.path)
	}
	if err != nil {
		return fileError(p.path, err)
	}
	return nil
}

// copyTo writes the complete file to w.
func (p *partFile) copyTo(w io.Writer) error {
	if _, err := p.f.Seek(0, io.SeekStart); err != nil {
		return fileError("temporary file", err)
	}
	if _, err := io.Copy(w, p.f); err != nil {
		return fileError("standard output", err)
	}
	return nil
}

// discard removes the file unless it was kept.
func (p *partFile) discard() {
	p.f.Close()
	_ = os.Remove(p.f.Name()) // after keep it is gone
}

func sha256Text(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
