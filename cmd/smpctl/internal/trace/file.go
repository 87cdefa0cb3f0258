package trace

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"
)

// File is the file of --trace, for all connections of a command, one after the other: an io.Writer for
// transport.Options.Trace. A connection stops tracing at the first error, and so does this.
type File struct {
	file  *os.File
	began time.Time

	mu    sync.Mutex // guards what follows; a connection may still write when the next one does
	table table
	err   error // the first one
}

// Create makes the file, or empties it. The caller closes it.
func Create(name string) (*File, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	return &File{file: f, began: time.Now()}, nil
}

// Write takes whole lines, as a transport.Conn writes them, and writes at once what is to be read of them. It blocks
// as long as the file does. After its first error it writes nothing more.
func (f *File) Write(lines []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, f.err
	}
	var rows []byte
	for line := range bytes.Lines(lines) {
		rows = f.table.add(rows, string(line), f.began, time.Since(f.began))
	}
	if _, f.err = f.file.Write(rows); f.err != nil {
		return 0, f.err
	}
	return len(lines), nil
}

// Close closes the file and returns why the trace is not whole, if it is not: some file systems say only now that they
// are full.
func (f *File) Close() error {
	err := f.file.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
	if f.err != nil {
		return fmt.Errorf("trace: %w", f.err)
	}
	return nil
}
