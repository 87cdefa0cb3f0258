package group

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// Limits of the history that is kept from one session to the next.
const (
	maxHistory     = 500 // lines
	maxHistoryFile = 1 << 20
)

// history are the lines of this session and of earlier ones, in a file of the user's cache directory.
type history struct {
	path  string // empty: nowhere to keep it
	lines []string
	added int // lines of this session
}

// openHistory reads the history. It is usable even beside an error.
func openHistory(env func(string) (string, bool)) (*history, error) {
	h := &history{}
	path, err := files.CachePath(env, "shell_history")
	if err != nil {
		return h, err
	}
	lines, err := readHistory(path)
	if err != nil {
		return h, err
	}
	h.path, h.lines = path, lines
	return h, nil
}

// readHistory leaves out what could do harm on a terminal.
func readHistory(path string) (lines []string, err error) {
	data, err := files.Read(path, maxHistoryFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.ContainsFunc(line, screen.Unprintable) {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// Add keeps a line, unless it is the last one again.
func (h *history) Add(line string) {
	line = strings.TrimSpace(line)
	if line == "" || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return
	}
	h.lines = append(h.lines, line)
	h.added++
}

// Len is the number of lines.
func (h *history) Len() int { return len(h.lines) }

// At counts back from the last line.
func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }

// save writes the lines of this session behind those in the file, which another session may have written meanwhile.
func (h *history) save() error {
	if h.path == "" || h.added == 0 {
		return nil
	}
	lines, err := readHistory(h.path)
	if err != nil {
		return err
	}
	lines = append(lines, h.lines[len(h.lines)-h.added:]...)
	lines = lines[max(0, len(lines)-maxHistory):]
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return err
	}
	return files.Write(h.path, []byte(strings.Join(lines, "\n")+"\n"), files.Options{Private: true, Durable: true})
}
