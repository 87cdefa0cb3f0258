package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxHolder bounds the bytes in which a holder says who it is.
const maxHolder = 200

// HeldError is a lock that another program has.
type HeldError struct {
	Path   string // of the lock
	Holder string // who has it, as that program says; empty if that cannot be read
}

func (e *HeldError) Error() string {
	if e.Holder == "" {
		return fmt.Sprintf("%s: held by another smpctl", e.Path)
	}
	return fmt.Sprintf("%s: held by %s", e.Path, e.Holder)
}

// Hold takes a lock as [Lock] does, but for as long as the program runs: it does not wait for another holder, which is
// a [HeldError], and writes into the file who holds it. A file system without locks is an error.
func Hold(path, holder string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, FileError(path, err)
	}
	switch err := tryLock(f); {
	case errors.Is(err, errHeld):
		defer f.Close()
		return nil, &HeldError{path, readHolder(f)}
	case err != nil:
		f.Close()
		return nil, FileError(path, err)
	}
	if err := writeHolder(f, holder); err != nil {
		f.Close()
		return nil, FileError(path, err)
	}
	return func() {
		_ = f.Truncate(0)
		f.Close()
	}, nil
}

// errHeld is a lock that another program has.
var errHeld = errors.New("held by another program")

func writeHolder(f *os.File, holder string) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(holder+"\n"), 0)
	return err
}

// readHolder is the first line of a lock, or nothing.
func readHolder(f *os.File) string {
	b, err := io.ReadAll(io.LimitReader(f, maxHolder))
	line, _, whole := bytes.Cut(b, []byte("\n"))
	if err != nil || !whole {
		return ""
	}
	return string(line)
}
