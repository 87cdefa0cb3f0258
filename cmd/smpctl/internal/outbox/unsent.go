package outbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"path/filepath"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// entry is a line and where it begins.
type entry struct {
	journal.Line
	before journal.Position
}

// cursor is the one that stands on this line.
func (e entry) cursor(target string) cursor {
	return cursor{V: 1, Target: target, Seq: e.Seq, SHA256: sum(e.Raw), Before: e.before}
}

func sum(line []byte) string {
	s := sha256.Sum256(line)
	return hex.EncodeToString(s[:])
}

// unsent yields the lines behind a cursor, once it has found the one that the cursor stands on as it was. An error ends
// it. path is that of the cursor.
func unsent(dir string, c cursor, path string) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		at, found := c.Before, c.Seq == 0
		for line, err := range journal.ReadFrom(dir, c.Before) {
			e := entry{line, at}
			at = line.Next
			if !found {
				err = c.compare(e, err, dir, path)
			}
			switch {
			case err != nil:
				yield(entry{}, err)
				return
			case !found:
				found = true
			case !yield(e, nil):
				return
			}
		}
		if !found {
			yield(entry{}, replaced(fmt.Errorf("%s: line %d, which was sent, is not there any more", dir, c.Seq), path))
		}
	}
}

// compare reports whether a line is the one that the cursor stands on.
func (c cursor) compare(e entry, err error, dir, path string) error {
	switch {
	case err != nil:
		return replaced(fmt.Errorf("line %d, which was sent, is not there any more: %w", c.Seq, err), path)
	case e.Seq != c.Seq || sum(e.Raw) != c.SHA256:
		return replaced(fmt.Errorf("%s: line %d is another one than was sent", dir, c.Seq), path)
	}
	return nil
}

// replaced is about a journal that is not the one that was sent, or an older copy of it.
func replaced(err error, path string) error {
	return failure.WithHint(err, "put the journal back as it was; to send another one from its beginning, remove "+
		filepath.Base(path)+" beside it")
}
