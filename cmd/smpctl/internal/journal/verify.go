package journal

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Verdict is what is to be said of a journal.
type Verdict struct {
	Files    int
	Lines    int
	Boards   int       // turns that have ended
	First    time.Time // when the first line was written; zero if there is none
	Last     time.Time // when the last one was
	Seq      int64     // number of the last line
	SHA256   string    // its SHA-256: with the number, what a journal that only grew contains forever
	Signed   int64     // number of the last head whose signature is good, which is about all lines before; 0: none
	Findings []Finding // at most maxFindings
	More     int       // findings beyond those
}

// Whole reports whether nothing was changed, is missing or was cut off.
func (v Verdict) Whole() bool { return len(v.Findings) == 0 }

// Finding is a place where a journal is not as it was written.
type Finding struct {
	File string // path
	Line int    // from 1; 0: no line
	What string // is wrong with it, such as "was changed"
}

// maxFindings bounds what is said of a journal that is not one.
const maxFindings = 100

// VerifyOptions say what a journal is held against.
type VerifyOptions struct {
	Keys   []ed25519.PublicKey // one of them must have signed the heads; none: each is checked with the key that it names
	Seq    int64               // number of a line that must be there; 0: none
	SHA256 string              // its SHA-256, as an earlier [Verdict] gave it
}

// Verify reads all of a journal, which may be written meanwhile, and finds any change, gap or cut. An error is one of
// reading.
//
// Any change shows in the line after it, so of the last line only what makes no sense does, unless it is a head, which
// a journal that was closed ends with. Whole lines that were cut off at the end show only if the caller knows one.
// Whoever has no key can make up a journal; with keys at hand, no more than its last lines, behind Signed.
func Verify(dir string, o VerifyOptions) (Verdict, error) {
	var v Verdict
	names, err := segments(dir)
	if err != nil {
		return v, err
	}
	w := verification{Verdict: &v, o: o}
	w.chain = newChain(o.Keys, w.found)
	for i, name := range names {
		if err := w.segment(dir, name, i == len(names)-1); err != nil {
			return v, err
		}
	}
	w.end(dir)
	return v, nil
}

// verification is one on its way.
type verification struct {
	*Verdict
	o     VerifyOptions
	chain *chain
	known bool // the line that the caller knows is there
}

func (v *verification) found(at place, what string) {
	if len(v.Findings) == maxFindings {
		v.More++
		return
	}
	v.Findings = append(v.Findings, Finding{at.path, at.number, what})
}

// segment goes over one file, of which the last may be written at this moment.
func (v *verification) segment(dir, name string, last bool) error {
	f, err := openSegment(dir, name, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	v.Files++
	at := place{path: filepath.Join(dir, name)}
	for l := newLines(f); ; {
		line, err := l.next()
		if errors.Is(err, errCutOff) && last && len(line) > 0 {
			line, err = l.again(f, len(line))
		}
		at.number = l.number
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errCutOff):
			v.found(at, err.Error())
		case errors.Is(err, ErrTooLong):
			v.chain.damaged(at, nil, errors.New("is longer than 1 MiB"))
		case err != nil:
			return &LineError{at.path, at.number, err}
		default:
			v.line(at, line)
		}
	}
}

// line goes over a line.
func (v *verification) line(at place, line []byte) {
	v.Lines++
	v.chain.add(at, line)
	if v.First.IsZero() {
		v.First = writtenAt(line)
	}
	if v.chain.place != at {
		return // it was passed over
	}
	if v.chain.link.event == End {
		v.Boards++
	}
	if v.o.Seq != 0 && v.chain.link.seq == v.o.Seq {
		v.known = string(v.chain.sum[:]) == v.o.SHA256
		if !v.known {
			v.found(at, "is not the line that is known")
		}
	}
}

// end concludes.
func (v *verification) end(dir string) {
	v.chain.end()
	v.Seq, v.SHA256, v.Signed = v.chain.link.seq, string(v.chain.sum[:]), v.chain.signed
	v.Last = writtenAt(v.chain.raw)
	if v.o.Seq > v.Seq {
		v.found(place{path: dir}, fmt.Sprintf("ends with line number %d: the lines up to %d, which is known, were cut off",
			v.Seq, v.o.Seq))
	}
}

// writtenAt is when a line was written or its turn began; the zero time if that cannot be read.
func writtenAt(line []byte) time.Time {
	r, _ := decode(line)
	return r.Began
}
