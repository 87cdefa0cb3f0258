package screen_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// Several lines that change stay together below what is said, and leave nothing behind, however wide the window is.
func TestParts(t *testing.T) {
	for _, width := range []int{12, 20, 40, 200} {
		d, s := display(width)
		one, two := d.Part("A"), d.Part("BB")
		n := 0
		one.Show(counting(&n))
		_, _ = io.WriteString(d, "first\n")
		for range 3 {
			d.Redraw()
		}
		s.Resize(width / 2)
		_, _ = io.WriteString(two, "sec")
		_, _ = io.WriteString(two, "ond\nthird")
		s.Resize(width)
		d.Redraw()
		one.End()
		two.End()
		want(t, s, "first", "BB: second", "BB: third")
	}
}

// More lines than a terminal has rows for are cut, and it says so.
func TestMorePartsThanRows(t *testing.T) {
	d, s := display(40)
	d.Height = func() int { return 6 }
	for i := range 9 {
		d.Part(fmt.Sprintf("board %d", i)).Show(func(int) screen.Line { return screen.Line{Text: "works"} })
	}
	d.Redraw()
	want(t, s, "board 0  works", "board 1  works", "board 2  works", "… and 6 more")
}
