package outbox

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

// Limits of a batch. A line that is longer than maxBytes goes alone.
const (
	maxLines = 500
	maxBytes = 1 << 20
)

// batch is lines that follow each other.
type batch struct {
	lines       bytes.Buffer // each with its end
	count       int
	first, last entry    // without Raw
	cursor      cursor   // once they are taken
	files       []string // in which they stand
}

// gather takes the next lines into a batch, at most so many, and only those before one that makes no sense.
func (s *Sender) gather(c cursor, most int) (*batch, error) {
	b := &batch{cursor: c}
	for e, err := range unsent(s.dir, c, s.path) {
		if err != nil && b.count == 0 {
			return nil, err
		}
		if err != nil || b.count > 0 && (b.count == most || b.lines.Len()+len(e.Raw) >= maxBytes) {
			break
		}
		b.add(e, s.target.name)
	}
	return b, b.sync(s.dir)
}

func (b *batch) add(e entry, target string) {
	b.lines.Write(e.Raw)
	b.lines.WriteByte('\n')
	b.cursor = e.cursor(target)
	if b.count == 0 {
		b.first = e
	}
	b.last = e
	b.count++
	if !slices.Contains(b.files, e.Next.File) {
		b.files = append(b.files, e.Next.File)
	}
}

// sync sees to it that what is sent is on the disk. Another process writes the journal, and a line shows in the file
// before that process has it on the disk: lost in a power cut, it would have been sent all the same, and the next line
// would get its number.
func (b *batch) sync(dir string) error {
	flag := os.O_RDONLY // enough for fsync, also where the file may only be read
	if runtime.GOOS == "windows" {
		flag = os.O_RDWR
	}
	for _, name := range b.files {
		f, err := os.OpenFile(filepath.Join(dir, name), flag, 0)
		if err != nil {
			return files.FileError(filepath.Join(dir, name), err)
		}
		err = f.Sync()
		f.Close()
		if err != nil {
			return files.FileError(filepath.Join(dir, name), err)
		}
	}
	return nil
}
