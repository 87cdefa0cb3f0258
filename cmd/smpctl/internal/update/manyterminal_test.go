package update_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/bus"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/update"
	"github.com/spf13/cobra"
)

// TestManyBoardsOnTerminal has each board in a row of its own while it is worked on. In the end there are the failure
// of the one that failed, a table and one line.
func TestManyBoardsOnTerminal(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := &experiment{t: t, dir: dir, line: line{command: "upgrade",
			boards: []boardKind{{}, {fault: "picky"}, {}, {}}}}
		defer x.build()()
		s := clitest.NewScreen(100)
		most, end := 0, make(chan int, 1)
		go func() { end <- x.onTerminal(s) }()
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		code := -1
		for code < 0 {
			select {
			case code = <-end:
			case <-tick.C:
				most = max(most, bars(t, s.Rows()))
			}
		}
		if most != 4 {
			t.Errorf("at most %d bars at a time", most)
		}
		rows := s.Rows()
		all := strings.Join(rows, "\n")
		if code != 8 || strings.ContainsAny(all, "%\x1b") {
			t.Errorf("exit code %d, and on the screen:\n%s", code, all)
		}
		if at := slices.Index(rows, "3 of 4 passed; E66C0002 not-running in verify"); at < 5 ||
			!strings.HasPrefix(rows[at-5], "BOARD ") || !strings.HasPrefix(rows[at-1], "E66C0004 ") {
			t.Errorf("no table before the one line:\n%s", all)
		}
		if !strings.Contains(all, "\nE66C0002: smpctl: ") && !strings.HasPrefix(all, "E66C0002: smpctl: ") {
			t.Errorf("the failure is not said:\n%s", all)
		}
		if strings.Contains(all, "upload ") {
			t.Errorf("steps are left on the screen:\n%s", all)
		}
	})
}

// bars counts the rows of uploads. Each begins with its board, and stands below those of the boards before.
func bars(t *testing.T, rows []string) int {
	last, n := "", 0
	for _, row := range rows {
		if !strings.Contains(row, "%") {
			continue
		}
		name, _, _ := strings.Cut(row, " ")
		if name <= last || !strings.HasPrefix(name, "E66C000") {
			t.Errorf("%q below %q:\n%s", name, last, strings.Join(rows, "\n"))
		}
		last, n = name, n+1
	}
	return n
}

// onTerminal runs the command on a terminal.
func (x *experiment) onTerminal(s *clitest.Screen) (code int) {
	env := func(name string) (string, bool) {
		value, ok := map[string]string{"HOME": x.dir, "TERM": "xterm"}[name]
		return value, ok
	}
	tree := func(a *app.App) *cobra.Command {
		a.Bus = bus.OfRack(x.rack)
		return clitest.TreeOf(update.Commands)(a)
	}
	return app.Main(x.t.Context(), tree, x.args(), app.Streams{In: strings.NewReader(""), Out: s, Err: s, OutTTY: true,
		ErrTTY: true, OutColumns: s.Width, ErrColumns: s.Width, ErrRows: func() int { return 24 }}, env)
}
