package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// Options say how a file is written. The zero value is for what a command makes, and can make again.
type Options struct {
	Private bool // a new file is for the user alone; else it has the mode that the system gives
	New     bool // it never takes the place of another: if there is one, the error is [fs.ErrExist]
	Durable bool // it is on the disk before it counts as written
}

// Write writes a file so that a reader finds the old one or the new one, whole.
func Write(path string, data []byte, o Options) error {
	f, err := Create(path, o)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return FileError(path, err)
	}
	return f.Commit()
}

// File is a file that is not complete yet. It lies beside its place, or among the temporary files if it goes into a
// stream, and nobody finds a part of it where it goes.
type File struct {
	f       *os.File
	path    string       // where it goes
	mode    *fs.FileMode // of the file in whose place it goes; nil if there is none, and the system decides
	durable bool
	kept    bool
	to      io.Writer // the stream; nil: it goes to path
	special *os.File  // the stream, if it was opened here
}

// Create begins a file, which [File.Commit] completes; the caller calls [File.Discard] in any case. What is replaced
// keeps its mode, a link stays one, and what is no file, such as /dev/stdout, gets all at the end. A private key is
// never replaced.
func Create(path string, o Options) (*File, error) {
	mode := fs.FileMode(0o666)
	if o.Private {
		mode = 0o600
	}
	p := &File{path: path, durable: o.Durable}
	info, err := os.Stat(path)
	switch {
	case o.New:
		p.f, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, mode)
	case errors.Is(err, fs.ErrNotExist):
		p.f, err = createBeside(path, mode)
	case err != nil:
	case info.IsDir():
		return nil, failure.Usage("%s: is a directory", path)
	case info.Mode().IsRegular():
		err = p.replace(info.Mode().Perm())
	default:
		return createSpecial(path)
	}
	if err != nil {
		return nil, FileError(path, err)
	}
	return p, nil
}

// replace begins a file that goes in the place of one with the given mode.
func (p *File) replace(mode fs.FileMode) (err error) {
	if holdsPrivateKey(p.path) {
		return failure.AsUsage(errors.New("holds a private key, which is never overwritten"))
	}
	if p.path, err = filepath.EvalSymlinks(p.path); err != nil {
		return err
	}
	p.mode = &mode
	p.f, err = createBeside(p.path, mode)
	return err
}

// holdsPrivateKey tells of a file that nobody can make again.
func holdsPrivateKey(path string) bool {
	const most = 1 << 20 // bytes: far more than a key has
	data, err := Read(path, most)
	return err == nil && bytes.Contains(data, []byte("PRIVATE KEY-----"))
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

// createSpecial begins what goes into something that is no file.
func createSpecial(path string) (*File, error) {
	special, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, FileError(path, err)
	}
	p, err := Spool(path, special)
	if err != nil {
		special.Close()
		return nil, err
	}
	p.special = special
	return p, nil
}

// Spool begins what goes into a stream of the given name, such as standard output, once it is complete.
func Spool(name string, to io.Writer) (*File, error) {
	f, err := os.CreateTemp("", "smpctl-*.tmp")
	if err != nil {
		return nil, FileError("temporary file", err)
	}
	return &File{f: f, path: name, to: to}, nil
}

// Write adds to the content.
func (p *File) Write(b []byte) (int, error) { return p.f.Write(b) }

// Commit puts the complete file in its place, or into its stream.
func (p *File) Commit() error {
	var err error
	if p.to != nil {
		err = p.copy()
	} else {
		err = p.put()
	}
	if err != nil {
		return FileError(p.path, err)
	}
	return nil
}

func (p *File) copy() error {
	if _, err := p.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(p.to, p.f)
	return err
}

func (p *File) put() error {
	var err error
	if p.durable {
		err = p.f.Sync()
	}
	if err == nil && p.mode != nil { // with what umask took
		err = p.f.Chmod(*p.mode)
	}
	if closed := p.f.Close(); err == nil {
		err = closed
	}
	if err == nil && p.f.Name() != p.path {
		err = unheld(func() error { return os.Rename(p.f.Name(), p.path) })
	}
	p.kept = err == nil
	return err
}

// Discard removes the file unless it was kept.
func (p *File) Discard() {
	p.f.Close()
	if !p.kept {
		_ = os.Remove(p.f.Name())
	}
	if p.special != nil {
		p.special.Close()
	}
}

// Remove removes a file, also one that somebody else looks into just now. It takes no longer than two seconds.
func Remove(path string) error {
	if err := unheld(func() error { return os.Remove(path) }); err != nil {
		return FileError(path, err)
	}
	return nil
}

// StreamName stands for standard input or output in the place of a local file.
const StreamName = "-"
