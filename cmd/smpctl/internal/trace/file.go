// Package trace writes the file of --trace, and has the names of the commands.
package trace

import (
	"fmt"
	"os"
	"sync"
)

// File is the file of --trace, for all connections of a command. A connection stops tracing at the first error,
// and so does this.
type File struct {
	file *os.File
	mu   sync.Mutex // guards err; a connection may still write when the next one does
	err  error      // the first one
}

// Create makes the file, or empties it. The caller closes it.
func Create(name string) (*File, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	return &File{file: f}, nil
}

// Write implements io.Writer: after its first error it writes nothing more.
func (t *File) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return 0, t.err
	}
	n, err := t.file.Write(p)
	t.err = err
	return n, err
}

// Close closes the file and returns why the trace is not whole, if it is not: some file systems say only now that they
// are full.
func (t *File) Close() error {
	err := t.file.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
	if t.err != nil {
		return fmt.Errorf("trace: %w", t.err)
	}
	return nil
}
