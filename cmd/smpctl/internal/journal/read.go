package journal

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
)

// LineError is a line that is not what it should be.
type LineError struct {
	Path string // of the file
	Line int    // its number in the file, from 1; 0 if it is not known
	Err  error
}

func (e *LineError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("%s: line %d %v", e.Path, e.Line, e.Err)
}

func (e *LineError) Unwrap() error { return e.Err }

// Position is a place between two lines of a journal; the zero value is its beginning. It can be kept as JSON.
type Position struct {
	File   string `json:"file"`   // name of the file, without its folder
	Offset int64  `json:"offset"` // in it, behind the last line
	Seq    int64  `json:"seq"`    // of that line
}

// Line is a line as it is in its file.
type Line struct {
	Raw   []byte // without its line end; the caller's
	Seq   int64
	ID    string
	Event Event
	Next  Position // behind it
}

// Read reads a journal from its oldest line, one at a time, while it may be written. A line that makes no sense comes
// as a [LineError], after which it goes on. A last line that is not whole is not there yet, and ends it without one.
func Read(dir string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for line, err := range scan(dir, Position{}) {
			var r Record
			if err == nil {
				r, err = decode(line.Raw)
				err = line.wrong(err)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// ReadFrom reads the lines of a journal behind a position, for who passes them on. It takes no lock, and stops at what
// is not whole yet. If the journal is not the one that the position is of, or has lost lines, the first error says so.
func ReadFrom(dir string, at Position) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		seq := at.Seq
		for line, err := range scan(dir, at) {
			if err != nil {
				yield(Line{}, err)
				return
			}
			l, err := line.link()
			if err == nil && l.seq != seq+1 {
				err = line.wrong(fmt.Errorf("has the number %d, and not %d", l.seq, seq+1))
			}
			if err != nil {
				yield(Line{}, err)
				return
			}
			seq++
			next := Position{line.file, line.end, seq}
			if !yield(Line{slices.Clone(line.Raw), seq, string(l.id), l.event, next}, nil) {
				return
			}
		}
	}
}

// rawLine is a line and where it stands. Its bytes are valid until the next one is read.
type rawLine struct {
	dir, file string
	number    int // 0: not known
	end       int64
	Raw       []byte
}

// wrong puts the place of the line before an error.
func (l rawLine) wrong(err error) error {
	if err == nil {
		return nil
	}
	return &LineError{filepath.Join(l.dir, l.file), l.number, err}
}

// link reads the line's place in the chain.
func (l rawLine) link() (link, error) {
	if k, ok := parseLink(l.Raw); ok {
		return k, nil
	}
	r, err := decode(l.Raw)
	return link{r.Seq, []byte(r.Prev), []byte(r.ID), r.Event}, l.wrong(err)
}

// scan reads the whole lines behind a position.
func scan(dir string, at Position) iter.Seq2[rawLine, error] {
	return func(yield func(rawLine, error) bool) {
		names, err := segments(dir)
		if err != nil {
			yield(rawLine{}, err)
			return
		}
		first, ok := slices.BinarySearch(names, at.File)
		if !ok && at.File != "" {
			yield(rawLine{}, &LineError{filepath.Join(dir, at.File), 0, os.ErrNotExist})
			return
		}
		for i, name := range names[first:] {
			var offset int64
			if i == 0 {
				offset = at.Offset
			}
			if !scanSegment(dir, name, offset, yield) {
				return
			}
		}
	}
}

// scanSegment reads one file, and reports whether to go on.
func scanSegment(dir, name string, offset int64, yield func(rawLine, error) bool) bool {
	at := rawLine{dir: dir, file: name}
	f, err := openSegment(dir, name, os.O_RDONLY)
	if err != nil {
		return yield(at, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() < offset {
		return yield(at, at.wrong(errors.New("is shorter than it was")))
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return yield(at, at.wrong(err))
	}
	for l := newLines(f); ; {
		line, err := l.next()
		at.Raw, at.end = line, offset+l.end
		if offset == 0 {
			at.number = l.number
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errCutOff):
			return true
		case errors.Is(err, ErrTooLong):
			if !yield(at, at.wrong(errors.New("is longer than 1 MiB"))) {
				return false
			}
		case err != nil:
			at.number = 0
			yield(at, at.wrong(err))
			return false
		case !yield(at, nil):
			return false
		}
	}
}
