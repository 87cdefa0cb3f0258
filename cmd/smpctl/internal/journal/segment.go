package journal

import (
	"bytes"
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
	r      io.Reader
	buf    []byte
	unread []byte // part of buf
	number int    // of the line that was read last, from 1
	end    int64  // offset behind it
}

const firstBuffer = 64 << 10 // bytes; it grows up to MaxLine

func newLines(r io.Reader) *lines { return &lines{r: r, buf: make([]byte, firstBuffer)} }

// errCutOff is a last line without a line end: it is being written, or a power cut tore it.
var errCutOff = errors.New("is cut off")

// next returns the next line without its line end, valid until the next call. One without a line end comes with
// errCutOff; of one that is longer than MaxLine comes nothing but that or ErrTooLong. The end is [io.EOF].
func (l *lines) next() ([]byte, error) {
	long := false
	for searched := 0; ; {
		if i := bytes.IndexByte(l.unread[searched:], '\n'); i >= 0 {
			line := l.take(searched + i + 1)
			if long {
				return nil, ErrTooLong
			}
			return line[:len(line)-1], nil
		}
		searched = len(l.unread)
		if searched == MaxLine {
			l.end += int64(len(l.unread))
			l.unread, searched, long = nil, 0, true
		}
		switch err := l.fill(); {
		case err == nil:
		case errors.Is(err, io.EOF) && long:
			l.take(searched)
			return nil, errCutOff
		case errors.Is(err, io.EOF) && searched > 0:
			return l.take(searched), errCutOff
		default:
			return nil, err
		}
	}
}

// take is the next line of so many bytes.
func (l *lines) take(n int) []byte {
	line := l.unread[:n:n]
	l.unread = l.unread[n:]
	l.number++
	l.end += int64(n)
	return line
}

// fill reads more behind what is unread.
func (l *lines) fill() error {
	if n := len(l.unread); n == len(l.buf) {
		l.buf = append(make([]byte, 0, 2*n), l.unread...)[:2*n]
	} else {
		copy(l.buf, l.unread)
	}
	n, err := io.ReadAtLeast(l.r, l.buf[len(l.unread):], 1)
	l.unread = l.buf[:len(l.unread)+n]
	return err
}

// How often, and after how long, a line is looked at again that may be written at this moment.
const (
	againMost  = 4
	againAfter = 20 * time.Millisecond
)

// again waits for the rest of a last line of which some bytes were read.
func (l *lines) again(f *os.File, read int) (line []byte, err error) {
	start := l.end - int64(read)
	for range againMost {
		time.Sleep(againAfter)
		if _, err := f.Seek(start, io.SeekStart); err != nil {
			return nil, err
		}
		l.unread, l.number, l.end = nil, l.number-1, start
		if line, err = l.next(); !errors.Is(err, errCutOff) {
			break
		}
	}
	return line, err
}
