package app

import (
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

func TestTransferLine(t *testing.T) {
	began := time.Unix(1000, 0)
	half := transfer{step: "upload", done: 12619, total: 25238, moved: began}
	slow := transfer{step: "download", done: 150_000, total: 12_000_000, moved: began}
	tests := []struct {
		name  string
		width int
		of    transfer
		took  time.Duration
		want  string
	}{
		{"everything", 77, half, 2 * time.Second,
			"upload    [==========>          ]  50%  12.6 of 25.2 kB   6.3 kB/s   2 s left"},
		{"wide", 197, half, 2 * time.Second,
			"upload    [====================>                   ]  50%  12.6 of 25.2 kB   6.3 kB/s   2 s left"},
		{"no sizes", 60, half, 2 * time.Second, "upload    [==========>          ]  50%   6.3 kB/s   2 s left"},
		{"no bar", 37, half, 2 * time.Second, "upload  50%   6.3 kB/s   2 s left"},
		{"no rate", 27, half, 2 * time.Second, "upload  50%   2 s left"},
		{"share only", 17, half, 2 * time.Second, "upload  50%"},
		{"minutes", 77, slow, 20 * time.Second,
			"download  [>             ]   1%   0.1 of 12.0 MB   7.5 kB/s  26 min 20 s left"},
		{"no rate yet", 77, transfer{step: "upload", done: 384, total: 25238, began: 384, moved: began}, 0,
			"upload    [>                    ]   1%   0.4 of 25.2 kB"},
		{"all", 77, transfer{step: "upload", done: 25238, total: 25238, moved: began}, 4 * time.Second,
			"upload    [=====================] 100%  25.2 of 25.2 kB   6.3 kB/s   0 s left"},
		{"nothing in all", 77, transfer{step: "upload"}, time.Second,
			"upload    [>                       ]   0%  0 of 0 bytes"},
	}
	for _, tt := range tests {
		l := tt.of.line(tt.width, began.Add(tt.took))
		if got := l.Head + l.Text; got != tt.want {
			t.Errorf("%s:\ngot  %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

// A line never wraps, and the bar stands still while the figures change.
func TestTransferLineFits(t *testing.T) {
	for width := 12; width < 120; width++ {
		end := -1
		for done := 1000; done <= 250_000; done += 1000 {
			of := transfer{step: "upload", done: done, total: 250_000, moved: time.Unix(0, 0)}
			l := of.line(width, time.Unix(0, 0).Add(time.Duration(done)*100*time.Microsecond))
			text := l.Head + l.Text
			if screen.Columns(text) > width {
				t.Fatalf("%d columns: %q", width, text)
			}
			at := strings.IndexByte(text, ']')
			if end >= 0 && at != end {
				t.Fatalf("%d columns: the bar ends at %d, and at %d in %q", width, end, at, text)
			}
			end = at
		}
	}
}
