package project

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// readFile reads a regular file of at most limit bytes. The error does not name it.
func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path) // before the open, which would wait for the other end of a named pipe
	switch {
	case err != nil:
		return nil, cause(err)
	case info.IsDir():
		return nil, errors.New("is a directory")
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	var data bytes.Buffer
	n, err := data.ReadFrom(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case n > limit:
		return nil, fmt.Errorf("is larger than %d KiB", limit>>10)
	}
	return data.Bytes(), nil
}

// cause takes path and system call off an error: whoever reports it names the file.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// isRegular tells whether there is a regular file, or a link to one.
func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// isFolder tells whether there is a folder, or a link to one.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
