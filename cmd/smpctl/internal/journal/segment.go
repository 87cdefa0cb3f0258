package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

// segmentName matches the files of a journal: one a month, so that their names are in the order of their lines.
var segmentName = regexp.MustCompile(`^\d{4}-\d{2}\.jsonl$`)

// segmentOf is the file for lines that are written at a time.
func segmentOf(t time.Time) string { return t.UTC().Format("2006-01") + ".jsonl" }

// segments lists the files of a journal, oldest first.
func segments(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, files.FileError(dir, err)
	}
	var names []string
	for _, e := range entries {
		if segmentName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// openSegment opens a file of a journal. Only what is a file is opened: a named pipe would wait for its other end.
func openSegment(dir, name string, flag int) (*os.File, error) {
	path := filepath.Join(dir, name)
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, files.FileError(path, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is not a regular file", path)
	}
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, files.FileError(path, err)
	}
	return f, nil
}

// lines reads a file line by line.
type lines struct {
	r      *bufio.Reader
	number int   // of the line that was read last, from 1
	end    int64 // offset behind it
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, MaxLine)} }

// errCutOff is a last line without a line end: it is being written, or a power cut tore it.
var errCutOff = errors.New("is cut off")

// next returns the next line without its line end, valid until the next call. It may come with errCutOff, and what is
// longer than MaxLine is passed over with ErrTooLong. The end is [io.EOF].
func (l *lines) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if len(line) > 0 {
		l.number++
		l.end += int64(len(line))
	}
	switch {
	case err == nil:
		return line[:len(line)-1], nil
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, l.skip()
	case errors.Is(err, io.EOF) && len(line) > 0:
		return line, errCutOff
	}
	return nil, err
}

// skip passes over the rest of a line that is too long.
func (l *lines) skip() error {
	for {
		part, err := l.r.ReadSlice('\n')
		l.end += int64(len(part))
		switch {
		case err == nil, errors.Is(err, io.EOF):
			return ErrTooLong
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}
