package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp/sim"
)

// runOnTerminal runs a command line on a terminal, and looks at it now and then.
func runOnTerminal(
	ctx context.Context, t *testing.T, s *clitest.Screen, look func(rows []string), args ...string,
) (code int) {
	t.Helper()
	home := t.TempDir()
	env := func(name string) (string, bool) {
		value, ok := map[string]string{"HOME": home, "XDG_CONFIG_HOME": home, "TERM": "xterm"}[name]
		return value, ok
	}
	done := make(chan int, 1)
	go func() {
		done <- Run(ctx, args, app.Streams{In: strings.NewReader(""), Out: s, Err: s, OutTTY: true, ErrTTY: true,
			OutColumns: s.Width, ErrColumns: s.Width}, env)
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case code := <-done:
			return code
		case <-tick.C:
			look(s.Rows())
		}
	}
}

// TestUpgradeOnTerminal has an update on terminals of any width: while it runs one row changes, and in the end what was
// done is left.
func TestUpgradeOnTerminal(t *testing.T) {
	for _, width := range []int{20, 40, 80, 120} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			_, port := clitest.ServeDevice(t, sim.Options{Baud: 500_000, Console: true, Noise: true,
				ResetDelay: 50 * time.Millisecond, BootTime: 400 * time.Millisecond})
			s := clitest.NewScreen(width)
			seen := map[string]bool{}
			look := func(rows []string) {
				moving := slices.DeleteFunc(slices.Clone(rows),
					func(r string) bool { return !strings.Contains(r, "%") })
				if len(moving) > 1 {
					t.Errorf("several rows of an upload:\n%s", strings.Join(rows, "\n"))
				}
				for _, row := range rows {
					seen["bar"] = seen["bar"] || strings.Contains(row, "=>") && strings.Contains(row, "%")
					seen["share"] = seen["share"] || strings.Contains(row, "%")
					seen["reset"] = seen["reset"] || strings.HasPrefix(row, "reset ") && strings.Contains(row, "wait")
				}
			}
			if code := runOnTerminal(t.Context(), t, s, look, "-p", port, "upgrade", "--console",
				"../../../../testdata/app-2.0.0.bin"); code != 0 {
				t.Fatalf("exit code %d:\n%s", code, strings.Join(s.Rows(), "\n"))
			}
			if !seen["share"] || !seen["reset"] || seen["bar"] != (width >= 80) {
				t.Errorf("on the way there was %v", seen)
			}
			end := strings.Join(s.Rows(), "\n")
			for _, never := range []string{"%", "waiting", "…", "\x1b"} {
				if strings.Contains(end, never) {
					t.Errorf("%q is left on the screen:\n%s", never, end)
				}
			}
			s.Resize(200) // the lines as they were written
			end = strings.Join(s.Rows(), "\n")
			for _, want := range []string{"\nupload    25.2 kB in ", "\nreset     the device is back after",
				"\nconfirm   confirmed\n", ", confirmed\n", "\nconsole   "} {
				if !strings.Contains(end, want) && width > 40 {
					t.Errorf("%q is missing:\n%s", want, end)
				}
			}
			if !s.Styled() {
				t.Error("no colours")
			}
		})
	}
}

// TestInterruptOnTerminal stops an upload, and finds a clean terminal.
func TestInterruptOnTerminal(t *testing.T) {
	_, port := clitest.ServeDevice(t, sim.Options{Baud: 115_200})
	s := clitest.NewScreen(80)
	ctx, cancel := context.WithCancelCause(t.Context())
	look := func(rows []string) {
		if ctx.Err() == nil && slices.ContainsFunc(rows, func(r string) bool { return strings.Contains(r, "=>") }) {
			_, _ = s.Write([]byte("^C"))
			cancel(failure.ErrInterrupted)
		}
	}
	code := runOnTerminal(ctx, t, s, look, "-p", port, "image", "upload", "../../../../testdata/app-2.0.0.bin")
	want := []string{"smpctl: interrupted", "hint: the same command picks up where the device is"}
	if rows := s.Rows(); code != 130 || !slices.Equal(rows, want) {
		t.Errorf("got %d and\n%s", code, strings.Join(rows, "\n"))
	}
}

// TestNoEscapes has no byte that steers a terminal in a pipe or with --json, whatever the device prints, and from a
// device none on a terminal either.
func TestNoEscapes(t *testing.T) {
	hostile := "\x1b]0;pwned\x07\x1b[31m\r"
	tests := []struct {
		name    string
		tty     bool
		args    []string
		escapes bool
	}{
		{"pipe", false, nil, false},
		{"JSON on a terminal", true, []string{"--json"}, false},
		{"quiet on a terminal", true, []string{"-q"}, true}, // the verdict has a colour
		{"terminal", true, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, port := clitest.ServeDevice(t,
				sim.Options{Console: true, Noise: true, ResetDelay: 20 * time.Millisecond})
			for _, line := range [][]string{{"upgrade", "--console", "../../../../testdata/app-2.0.0.bin"},
				{"echo", hostile}, {"image", "upload", "/dev/null/" + hostile}, {"shell", "exec", "echo", hostile}} {
				var both clitest.LockedBuffer
				env := func(name string) (string, bool) { return "xterm", name == "TERM" }
				Run(t.Context(), slices.Concat([]string{"-p", port}, tt.args, line),
					app.Streams{In: strings.NewReader(""),
						Out: &both, Err: &both, OutTTY: tt.tty, ErrTTY: tt.tty, ErrColumns: func() int { return 80 }},
					env)
				said := both.String()
				if strings.ContainsAny(said, "\x1b\r\x07") && !tt.escapes {
					t.Errorf("%q: %q", line, said)
				}
				if rest := ours.Replace(said); strings.ContainsAny(rest, "\x1b\x07") {
					t.Errorf("%q: an escape sequence that is none of ours: %q", line, rest)
				}
				if bytes.Contains([]byte(said), []byte("pwned\x07")) {
					t.Errorf("%q: the title of the window", line)
				}
			}
		})
	}
}

// ours takes away the escape sequences that smpctl uses.
var ours = strings.NewReplacer("\x1b[32m", "", "\x1b[31m", "", "\x1b[33m", "", "\x1b[1m", "", "\x1b[1;32m", "",
	"\x1b[1;33m", "", "\x1b[1;31m", "", "\x1b[0m", "", "\x1b[J", "")
