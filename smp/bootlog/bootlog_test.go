package bootlog_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/smpctl/smpctl/smp/bootlog"
)

func TestReason(t *testing.T) {
	const start, jump = "I: Starting bootloader", "I: Jumping to the first image slot"
	tests := []struct {
		name  string
		lines []string
		want  string
	}{
		{"nothing", nil, ""},
		{"good boot", []string{start, "I: Image index: 0, Swap type: test", jump}, ""},
		{"refused", []string{start, "E: Image in the secondary slot is not valid!", jump},
			"Image in the secondary slot is not valid!"},
		{"refused, then a good boot",
			[]string{start, "E: Image in the secondary slot is not valid!", jump, start, jump},
			"Image in the secondary slot is not valid!"},
		{
			"refused twice, the last counts",
			[]string{start, "E: Image in the secondary slot is not valid!", jump, start,
				"E: Insufficient version in secondary slot", jump},
			"Insufficient version in secondary slot",
		},
		{
			"cause and effect",
			[]string{start, "E: ED25519 signature verification failed -149",
				"E: Image in the secondary slot is not valid!", "E: Image in the secondary slot is not valid!"},
			"ED25519 signature verification failed -149; Image in the secondary slot is not valid!",
		},
		{"reverted", []string{start, "I: Image index: 0, Swap type: test", jump, start, "I: Image index: 0, Swap " +
			"type: revert", jump}, "Image index: 0, Swap type: revert"},
		{"unknown error", []string{start, "E: Never seen before", jump}, "Never seen before"},
		{"errors of the application",
			[]string{start, jump, "E: Never seen before", "<err> app: Bad image magic 0x0; Image=0"}, ""},
		{"words of the application", []string{"<inf> mcuboot_util: Image index: 0, Swap type: revert"}, ""},
		{"banner of an old bootloader",
			[]string{"*** Booting Zephyr OS build v2.6.0 ***", start, "E: Never seen before"}, "Never seen before"},
		{"the beginning was not heard", []string{"E: Image in the secondary slot is not valid!"},
			"Image in the secondary slot is not valid!"},
	}
	for _, tt := range tests {
		var l bootlog.Log
		for _, line := range tt.lines {
			l.Line(line)
		}
		if got := l.Reason(); got != tt.want {
			t.Errorf("%s: Reason() = %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestRealBoards reads what real boards printed when they refused an image.
func TestRealBoards(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*-refused.log"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var l bootlog.Log
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			l.Line(lines.Text())
		}
		if got, want := l.Reason(), "Image in the secondary slot is not valid!"; got != want {
			t.Errorf("%s: Reason() = %q, want %q", name, got, want)
		}
	}
}

func FuzzLog(f *testing.F) {
	f.Add("I: Starting bootloader\nE: Image in the secondary slot is not valid!\n")
	f.Add("[00:00:00.010,986] \x1b[1;31m<err> mcuboot: Bad image magic 0x\x9b\x1b[0m")
	f.Add("<> : \x1b[\x1b[\u202e\n\xff")
	f.Fuzz(func(t *testing.T, text string) {
		var l bootlog.Log
		for line := range strings.Lines(text) {
			l.Line(line)
		}
		got := l.Reason()
		if len(got) > 4096 || !utf8.ValidString(got) || strings.IndexFunc(got, unicode.IsControl) >= 0 {
			t.Errorf("Reason() = %q: too long, or not fit for a terminal", got)
		}
	})
}
