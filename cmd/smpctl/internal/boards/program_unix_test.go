//go:build !windows

package boards

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestCheckEndsWithItsChildren gives a check up, and finds nothing of it at work: neither what it left in the
// background, where shells ignore Ctrl-C, nor what it waits for.
func TestCheckEndsWithItsChildren(t *testing.T) {
	tests := []struct {
		name, command string
		limit         time.Duration
		want          error // nil: any
		words         string
	}{
		{"interrupted", "sleep 60 & echo started; sleep 60", time.Minute, context.Canceled, ""},
		{"interrupted, deaf", "trap '' TERM INT HUP; sleep 60 >/dev/null 2>&1 & echo started; sleep 60", time.Minute,
			context.Canceled, ""},
		{"too slow", "sleep 60 & sleep 60", 100 * time.Millisecond, nil, "took longer than 100 ms (--check-time)"},
		{"too slow, all in the background", "(sleep 60 >/dev/null 2>&1 &) ; sleep 60", 100 * time.Millisecond, nil,
			"--check-time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			a := app.New(app.Streams{Err: clitest.WriterFunc(func([]byte) { cancel() })}, nil)
			alive := newLifeline(t)
			err := new(Turn).Check(ctx, a, "exec 3>'"+alive.path+"'; "+tt.command, "tcp:nowhere:1", tt.limit)
			if tt.want != nil && !errors.Is(err, tt.want) || err == nil || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("Check: %v, want %v, %q", err, tt.want, tt.words)
			}
			alive.wantCut()
		})
	}
}

// A check that passed may leave something running, such as an agent, even with its output open.
func TestCheckLeavesAnAgent(t *testing.T) {
	a := app.New(app.Streams{Err: io.Discard}, nil)
	if err := new(Turn).Check(t.Context(), a, "sleep 4 & exit 0", "tcp:nowhere:1", time.Minute); err != nil {
		t.Error(err)
	}
}

// TestIdentityOfProgram: what a program prints names the board, unless it is more than a name.
func TestIdentityOfProgram(t *testing.T) {
	for command, want := range map[string]string{ // an identity, or part of the error behind an !
		"echo SN1; echo noise >&2":            "SN1",
		"echo $SMPCTL_PORT":                   "tcp:nowhere:1",
		"true":                                "!nothing is there",
		"echo a; echo b":                      "!is not one line",
		"exit 3":                              "!exit status 3",
		"head -c 1000000 /dev/zero":           "!is longer than 128 characters",
		"yes | head -c 1000000 | tr -d '\\n'": "!is longer than 128 characters",
	} {
		a := app.New(app.Streams{Err: clitest.WriterFunc(func([]byte) {})}, nil)
		id, err := (Source{fromCommand, command}).ask(t.Context(), a, "tcp:nowhere:1")
		want, fails := strings.CutPrefix(want, "!")
		if fails != (err != nil) || err == nil && id != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v, want %q", command, id, err, want)
		}
	}
}

// lifeline is a pipe that a command holds open as descriptor 3 as long as anything of it lives.
type lifeline struct {
	t    *testing.T
	path string
	end  *os.File
}

func newLifeline(t *testing.T) *lifeline {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lifeline")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	end, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // without waiting for the command
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end.Close() })
	return &lifeline{t, path, end}
}

// wantCut waits for the end of all who hold the pipe.
func (l *lifeline) wantCut() {
	l.t.Helper()
	if err := l.end.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		l.t.Fatal(err)
	}
	if _, err := l.end.Read(make([]byte, 1)); err != io.EOF {
		l.t.Errorf("something of the command still runs: %v", err)
	}
}
