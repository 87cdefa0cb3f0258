package outbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// cursor says which line a target took last. The zero value is before the first.
type cursor struct {
	V      int              `json:"v"`      // format of the file: 1
	Target string           `json:"target"` // for people
	Seq    int64            `json:"seq"`
	SHA256 string           `json:"sha256"` // of that line without its end, in hexadecimal digits
	Before journal.Position `json:"before"` // that line, so that it is read, and compared, first
}

// maxCursor bounds the bytes of a cursor's file.
const maxCursor = 16 << 10

// readCursor reads a cursor. Without a file nothing was sent.
func readCursor(path string) (cursor, error) {
	data, err := files.Read(path, maxCursor)
	if errors.Is(err, fs.ErrNotExist) {
		return cursor{}, nil
	}
	if err != nil {
		return cursor{}, err
	}
	var c cursor
	if err := json.Unmarshal(data, &c); err != nil || !c.plausible() {
		return cursor{}, failure.WithHint(fmt.Errorf("%s: does not say what was sent last", path), againHint)
	}
	return c, nil
}

const againHint = "remove this file, and everything is sent again: who takes records knows those that are there already"

func (c cursor) plausible() bool {
	return c.V == 1 && c.Seq > 0 && c.Before.Seq == c.Seq-1 && c.Before.Offset >= 0 && len(c.SHA256) == 64
}

// write puts a cursor in its place, whole and on the disk.
func (c cursor) write(path string) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return files.Write(path, append(data, '\n'), files.Options{Private: true, Durable: true})
}
