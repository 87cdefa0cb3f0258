package boards

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// What a program of the user finds in its environment, besides the port.
const (
	idVariable     = "SMPCTL_BOARD_ID" // what names the board
	resultVariable = "SMPCTL_RESULT"   // of --after: pass or fail
)

// Turn is that of one board, as the work with it sees it. The zero value is that of a board that the command is for
// alone, which has no name and no record.
type Turn struct {
	Board journal.Board

	kept  bool // what programs measure counts
	hooks []journal.Hook
}

// Check runs the user's check of the board. Its output is news.
func (t *Turn) Check(ctx context.Context, a *app.App, command, port string, limit time.Duration) error {
	return t.hook(ctx, a, app.FromCheck, program{command: command, limit: limit, option: "--check-time",
		told: t.told(port)})
}

// told is what a program learns of the board.
func (t *Turn) told(port string) []string {
	told := []string{device.PortVariable + "=" + port}
	if t.kept {
		told = append(told, idVariable+"="+t.Board.ID)
	}
	return told
}

// hook runs a program of the user for the board, and notes what it measured. A measure outside its limits is an error.
func (t *Turn) hook(ctx context.Context, a *app.App, name string, p program) error {
	said := a.Quoter(name)
	defer said.Close()
	if !t.kept {
		_, err := p.run(ctx, said, said) // one pipe: what stands first comes first
		return err
	}
	complained := a.Quoter(name)
	defer complained.Close()
	var found measures
	out := &lineReader{line: found.line}
	began := time.Now()
	exit, err := p.run(ctx, io.MultiWriter(said, out), complained)
	out.close()
	t.hooks = append(t.hooks, journal.Hook{Name: name, Exit: exit, Seconds: time.Since(began).Seconds(),
		Measures: found.list})
	if err == nil && found.wrong != nil {
		err = fmt.Errorf("%s: %w", p.command, found.wrong)
	}
	return err
}

// lineReader hands on the lines of a text.
type lineReader struct {
	lines screen.Lines
	line  func(string)
}

func (r *lineReader) Write(p []byte) (int, error) {
	r.lines.Feed(p, r.line)
	return len(p), nil
}

// close hands on the line that has no end.
func (r *lineReader) close() { r.lines.Flush(r.line) }
