package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"
	"syscall"
)

// results is standard output. It keeps the first error: a result that nobody got is no success.
type results struct {
	w      io.Writer
	before func() // what shares its terminal goes out of the way

	mu  sync.Mutex // guards err, and is held while w is written to
	err error
}

func (r *results) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return 0, r.err
	}
	r.before()
	n, err := r.w.Write(p)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err // it is called /dev/stdout
		}
		r.err = fmt.Errorf("standard output: %w", err)
		return n, r.err
	}
	return n, nil
}

// lost is why not all was written.
func (r *results) lost() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// readerGone reports whether an error means that whoever read a pipe has enough of it.
func readerGone(err error) bool {
	const noData, brokenPipe = syscall.Errno(232), syscall.Errno(109) // Windows: ERROR_NO_DATA, ERROR_BROKEN_PIPE
	return errors.Is(err, syscall.EPIPE) ||
		runtime.GOOS == "windows" && (errors.Is(err, noData) || errors.Is(err, brokenPipe))
}
