package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ErrBroken is a journal whose last two months are not as they were written. Nothing is added to it.
var ErrBroken = errors.New("records are not as they were written")

// resumption reads the end of a journal, where it is to go on.
type resumption struct {
	tail  tail
	begun map[string]Record // turns that have not ended
	torn  string            // what was set aside; empty: nothing
	keyed string            // key of the last head; empty: there is none
}

// resume finds the end of a journal. It goes over the last two files that have lines: no turn is longer than that.
func resume(dir string) (resumption, error) {
	r := resumption{tail: tail{dir: dir, prev: none}, begun: map[string]Record{}}
	names, err := segments(dir)
	if err != nil {
		return r, err
	}
	first, err := lastTwo(dir, names)
	if err != nil {
		return r, err
	}
	for i, name := range names[first:] {
		r.tail.name, r.tail.size = name, 0
		cut, err := r.segment(name)
		if err != nil {
			return r, err
		}
		if !cut {
			continue
		}
		if i+first < len(names)-1 {
			return r, broken(filepath.Join(dir, name), errCutOff)
		}
		if r.torn, err = setAside(dir, name, r.tail.size, r.tail.seq+1); err != nil {
			return r, err
		}
	}
	return r, nil
}

// lastTwo is where the last two files begin that are not empty.
func lastTwo(dir string, names []string) (int, error) {
	filled := 0
	for i := len(names) - 1; i >= 0; i-- {
		info, err := os.Lstat(filepath.Join(dir, names[i]))
		if err != nil {
			return 0, err
		}
		if info.Size() > 0 {
			filled++
		}
		if filled == 2 {
			return i, nil
		}
	}
	return 0, nil
}

func broken(path string, err error) error { return fmt.Errorf("%s: %w: %w", path, ErrBroken, err) }

// segment goes over one file. It reports whether a last line was cut off, which is behind the end of the tail then.
func (r *resumption) segment(name string) (cut bool, err error) {
	f, err := openSegment(r.tail.dir, name, os.O_RDONLY)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var fault error // of the line before: if it is the last, a power cut damaged it
	for l := newLines(f); ; {
		line, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return fault != nil, nil
		case fault != nil:
			return false, fault
		case errors.Is(err, errCutOff):
			return true, nil
		case errors.Is(err, ErrTooLong):
			fault = r.wrong(l, err)
			continue
		case err != nil:
			return false, r.wrong(l, err)
		}
		if fault, err = r.pass(l, line); err != nil {
			return false, err
		}
	}
}

func (r *resumption) wrong(l *lines, err error) error {
	return broken(filepath.Join(r.tail.dir, r.tail.name), fmt.Errorf("line %d %w", l.number, err))
}

// pass goes over a line. A fault is one that a power cut may have made of the last line; anything else is an error.
func (r *resumption) pass(l *lines, line []byte) (fault, err error) {
	k, ok := parseLink(line)
	if !ok || bytes.IndexByte(line, 0) >= 0 { // a part of it did not reach the disk
		return r.wrong(l, errors.New("is no record")), nil
	}
	t := &r.tail
	if t.seq > 0 && (k.seq != t.seq+1 || string(k.prev) != t.prev) {
		return nil, r.wrong(l, errors.New("does not follow the one before"))
	}
	switch k.event {
	case Begin:
		begin, err := decode(line)
		if err != nil {
			return r.wrong(l, err), nil
		}
		r.begun[begin.ID] = begin
	case End:
		delete(r.begun, string(k.id))
	case Head:
		head, err := decode(line)
		if err != nil {
			return r.wrong(l, err), nil
		}
		r.keyed, t.unsigned = head.Key, -1
	}
	t.unsigned++
	t.seq, t.prev, t.size = k.seq, sumOf(line), l.end
	return nil, nil
}
