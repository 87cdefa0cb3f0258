package main

import (
	"fmt"
	"os"
	"sync"
)

// traceFile is the file of --trace, for all connections of a command. A connection stops tracing at the first error,
// and so does this.
type traceFile struct {
	file *os.File
	mu   sync.Mutex // guards err; a connection may still write when the next one does
	err  error      // the first one
}

func createTrace(name string) (*traceFile, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	return &traceFile{file: f}, nil
}

// Write implements io.Writer.
func (t *traceFile) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return 0, t.err
	}
	n, err := t.file.Write(p)
	t.err = err
	return n, err
}

// close returns why the trace is not whole, if it is not: some file systems say only now that they are full.
func (t *traceFile) close() error {
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
