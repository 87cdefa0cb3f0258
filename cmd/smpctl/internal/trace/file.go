package trace

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"
)

// mostQueued is how many lines may wait for the file; each takes up to 128 KiB, and 1 KiB as a rule.
const mostQueued = 64

// File is the file of --trace, for all connections of a command, one after the other: an io.Writer for
// transport.Options.Trace. It makes its rows in a goroutine of its own, because a connection that waits for them leaves
// the wire idle. A connection stops tracing at the first error, and so does this.
type File struct {
	file  *os.File
	began time.Time
	done  chan struct{} // closed once all rows are written

	mu      sync.Mutex // guards what follows; a connection may still write when the next one does
	changed sync.Cond  // of queue, closed, err
	queue   []queued
	closed  bool
	err     error // the first one
}

// queued is a line that came at a time since the trace began.
type queued struct {
	line string
	at   time.Duration
}

// Create makes the file, or empties it. The caller closes it.
func Create(name string) (*File, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	return newFile(f), nil
}

func newFile(file *os.File) *File {
	f := &File{file: file, began: time.Now(), done: make(chan struct{})}
	f.changed.L = &f.mu
	go f.run() // until Close
	return f
}

// Write takes whole lines, as a transport.Conn writes them. It blocks while too many wait for the file. It returns an
// error after the first one met while writing the file, and after Close.
func (f *File) Write(lines []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.queue) >= mostQueued && f.err == nil && !f.closed {
		f.changed.Wait()
	}
	switch {
	case f.err != nil:
		return 0, f.err
	case f.closed:
		return 0, os.ErrClosed
	}
	for line := range bytes.Lines(lines) {
		f.queue = append(f.queue, queued{string(line), time.Since(f.began)})
	}
	f.changed.Broadcast()
	return len(lines), nil
}

// Close writes what is queued, closes the file and returns why the trace is not whole, if it is not: some file systems
// say only now that they are full. It blocks as long as the file does.
func (f *File) Close() error {
	f.mu.Lock()
	f.closed = true
	f.changed.Broadcast()
	f.mu.Unlock()
	<-f.done
	f.fail(f.file.Close())
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return fmt.Errorf("trace: %w", f.err)
	}
	return nil
}

// run writes the rows of what is queued until Close or an error.
func (f *File) run() {
	defer close(f.done)
	defer func() { // a mistake in here is no reason to leave a board half updated
		if p := recover(); p != nil {
			f.fail(fmt.Errorf("panic: %v", p))
		}
	}()
	var t table
	for {
		lines := f.take()
		if len(lines) == 0 {
			return
		}
		var rows []byte
		for _, q := range lines {
			rows = t.add(rows, q.line, f.began, q.at)
		}
		if _, err := f.file.Write(rows); err != nil {
			f.fail(err)
			return
		}
	}
}

// take waits for lines and returns all that are queued, none after Close.
func (f *File) take() []queued {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.queue) == 0 && !f.closed {
		f.changed.Wait()
	}
	lines := f.queue
	f.queue = nil
	f.changed.Broadcast()
	return lines
}

// fail keeps the first error.
func (f *File) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
	f.changed.Broadcast()
}
