package screen_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// display is a display on a terminal of so many columns.
func display(width int) (*screen.Display, *clitest.Screen) {
	s := clitest.NewScreen(width)
	return &screen.Display{W: s, Width: s.Width, Color: true}, s
}

// counting is a line that says how often it was drawn, and fills any terminal.
func counting(n *int) func(int) screen.Line {
	return func(width int) screen.Line {
		*n++
		return screen.Line{Style: screen.Bold, Head: "upload ",
			Text: fmt.Sprintf("%3d%% ", *n) + strings.Repeat("=", width)}
	}
}

func want(t *testing.T, s *clitest.Screen, rows ...string) {
	t.Helper()
	if diff := cmp.Diff(rows, s.Rows()); diff != "" {
		t.Errorf("the screen (-want +got):\n%s", diff)
	}
}

// A line that changes stays one row, below what is said meanwhile, and leaves nothing behind.
func TestLineThatChanges(t *testing.T) {
	for _, width := range []int{5, 7, 20, 21, 40, 80, 200} {
		d, s := display(width)
		n := 0
		_, _ = io.WriteString(d, "one\n")
		d.Show(counting(&n))
		for range 5 {
			d.Redraw()
		}
		_, _ = io.WriteString(d, "two\n")
		full := "upload   7% " + strings.Repeat("=", width)
		if rows := s.Rows(); len(rows) != 3 || rows[2] != strings.TrimRight(full[:width-3], " ") {
			t.Errorf("%d columns: %q, want two lines and one that changes", width, rows)
		}
		d.Show(nil)
		_, _ = io.WriteString(d, "three\n")
		want(t, s, "one", "two", "three")
	}
}

// Ctrl-C appears behind the line, and goes with it.
func TestInterruptLeavesCleanLine(t *testing.T) {
	for _, width := range []int{20, 80} {
		d, s := display(width)
		n := 0
		d.Show(counting(&n))
		_, _ = io.WriteString(s, "^C")
		d.Show(nil)
		_, _ = io.WriteString(d, "interrupted\n")
		want(t, s, "interrupted")
	}
}

// A window that becomes narrower shows the line in two rows until it is drawn again.
func TestResize(t *testing.T) {
	d, s := display(80)
	n := 0
	_, _ = io.WriteString(d, "a line that was there before\n")
	d.Show(counting(&n))
	for _, width := range []int{40, 30, 20, 100, 21} {
		s.Resize(width)
		d.Redraw()
		d.Redraw()
	}
	d.Show(nil)
	want(t, s, "a line that was there", " before")
	s.Resize(80)
	d.Show(counting(&n))
	s.Resize(25)
	_, _ = io.WriteString(d, "said at once\n")
	d.Show(nil)
	s.Resize(80)
	want(t, s, "a line that was there before", "said at once")
}

// Text that comes in pieces stays whole; the line comes back below it.
func TestTextInPieces(t *testing.T) {
	d, s := display(40)
	d.Show(func(int) screen.Line { return screen.Line{Text: "waiting"} })
	_, _ = io.WriteString(d, "half a ")
	d.Redraw()
	want(t, s, "half a")
	_, _ = io.WriteString(d, "line\n")
	want(t, s, "half a line", "waiting")
	d.Hide()
	want(t, s, "half a line")
	d.Redraw()
	want(t, s, "half a line", "waiting")
}

// What is in the line steers nothing, and only its head has a style.
func TestLineIsHarmless(t *testing.T) {
	var out strings.Builder
	d := &screen.Display{W: &out, Width: func() int { return 80 }, Color: true}
	d.Show(func(int) screen.Line {
		return screen.Line{Style: screen.Green, Head: "upload", Text: " to \x1b[2J\n/dev/\x07"}
	})
	if got, want := out.String(), "\x1b[32mupload\x1b[0m"+` to \x1b[2J\n/dev/\a`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A terminal that does not say how wide it is has no line that changes, and neither has a pipe.
func TestNoLine(t *testing.T) {
	var out strings.Builder
	for _, d := range []*screen.Display{{W: &out}, {W: &out, Width: func() int { return 0 }},
		{W: &out, Width: func() int { return 80 }, Still: true}} {
		d.Show(func(int) screen.Line { return screen.Line{Text: "waiting"} })
		d.Redraw()
		d.Show(nil)
		d.Hide()
		if out.Len() > 0 || d.Live() {
			t.Errorf("got %q, %v, want nothing", out.String(), d.Live())
		}
	}
}

// Nobody has to read what is said: writing never fails.
func TestClosedDisplay(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	d := &screen.Display{W: w}
	if n, err := io.WriteString(d, "hello\n"); n != 6 || err != nil {
		t.Errorf("got %d, %v, want it dropped", n, err)
	}
}

func TestRawTerminal(t *testing.T) {
	var out strings.Builder
	d := &screen.Display{W: &out}
	d.Raw(true)
	_, _ = io.WriteString(d, "one\ntwo\n")
	d.Raw(false)
	_, _ = io.WriteString(d, "three\n")
	if got := out.String(); got != "one\r\ntwo\r\nthree\n" {
		t.Errorf("got %q", got)
	}
}
