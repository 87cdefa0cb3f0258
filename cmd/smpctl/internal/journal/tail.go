package journal

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

// tail is the end of a journal, where lines are added.
type tail struct {
	dir  string
	name string   // of the last file; empty before there is one
	f    *os.File // it; nil until a line is written
	size int64    // of it, bytes
	seq  int64    // of the last line; 0: there is none
	prev string   // its SHA-256

	key      ed25519.PrivateKey // signs heads; nil: there are none
	unsigned int                // lines that no head is about
	failed   error              // after which nothing can be written any more
}

// append gives a record its place in the chain and writes it: one write, on the disk when it returns.
func (t *tail) append(r *Record, segment string) error {
	if t.failed != nil {
		return t.failed
	}
	if err := t.open(segment); err != nil {
		return err
	}
	r.Seq, r.Prev = t.seq+1, t.prev
	line, err := encode(*r)
	if err != nil {
		return err
	}
	if r.Event == Head {
		line = sign(line, t.key)
	}
	if err := t.put(append(line, '\n')); err != nil {
		return files.FileError(filepath.Join(t.dir, t.name), err)
	}
	t.seq, t.prev = r.Seq, sumOf(line)
	t.unsigned++
	if r.Event == Head {
		t.unsigned = 0
	}
	return nil
}

// open opens the file for a line: the last one, or a new one.
func (t *tail) open(name string) error {
	if t.f != nil && name == t.name {
		return nil
	}
	path := filepath.Join(t.dir, name)
	if name == t.name { // it was there before
		f, err := openSegment(t.dir, name, os.O_RDWR)
		t.f = f
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return files.FileError(path, err)
	}
	if err := syncFolder(t.dir); err != nil {
		f.Close()
		return err
	}
	t.close()
	t.f, t.name, t.size = f, name, 0
	return nil
}

// errChanged is a file that somebody else changed, moved or removed while it was written.
var errChanged = errors.New("was changed or moved by another program")

// put writes a line. What a full disk took of it is removed, so that nothing of it is in the way of the next.
func (t *tail) put(line []byte) error {
	if err := t.check(); err != nil {
		t.failed = err
		return err
	}
	if _, err := t.f.WriteAt(line, t.size); err != nil {
		if cut := t.f.Truncate(t.size); cut != nil {
			t.failed = fmt.Errorf("%w, and a part of a line cannot be removed: %w", err, cut)
		}
		return err
	}
	if err := t.f.Sync(); err != nil { // what is on the disk now, nobody knows
		_ = t.f.Truncate(t.size)
		t.failed = err
		return err
	}
	t.size += int64(len(line))
	return nil
}

// check sees that the file is the one of that name, and as long as it was left.
func (t *tail) check() error {
	own, err := t.f.Stat()
	if err != nil {
		return err
	}
	there, err := os.Lstat(filepath.Join(t.dir, t.name))
	if err != nil || !os.SameFile(own, there) || own.Size() != t.size {
		return errChanged
	}
	return nil
}

func (t *tail) close() {
	if t.f != nil {
		t.f.Close()
		t.f = nil
	}
}

// syncFolder makes names in a folder durable. Windows does so by itself.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return files.FileError(dir, err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return files.FileError(dir, err)
	}
	return nil
}
