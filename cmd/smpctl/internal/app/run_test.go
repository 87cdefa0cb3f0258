package app_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/spf13/cobra"
)

// tree has one command, which waits for a minute, updates or does not, and has a result.
func tree(updates bool) func(*app.App) *cobra.Command {
	return clitest.TreeOf(func(a *app.App) []*cobra.Command {
		return []*cobra.Command{{Use: "work", RunE: a.Run(func(ctx context.Context, _ []string) (app.Result, error) {
			if updates {
				a.BeginUpdate()
			}
			defer a.Wait("the work").Stop()
			select {
			case <-time.After(time.Minute):
				return app.BytesResult("done\n"), nil
			case <-ctx.Done():
				return nil, ctx.Err() // not the cause, as libraries do it
			}
		})}}
	})
}

// A hang-up ends a command like Ctrl-C, but an update only loses its log. Nothing is left at work: the bubble would not
// end.
func TestHangup(t *testing.T) {
	for updates, want := range map[bool]clitest.Outcome{
		true:  {Code: 0, Out: "done\n", Err: "waiting for the work\n"},
		false: {Code: 130, Err: "waiting for the work\nsmpctl: interrupted\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			hangup := make(chan os.Signal, 1)
			time.AfterFunc(time.Second, func() { hangup <- syscall.SIGHUP })
			var out, errs strings.Builder
			code := app.Main(t.Context(), tree(updates), []string{"work"},
				app.Streams{Out: &out, Err: &errs, Hangup: hangup}, func(string) (string, bool) { return "", false })
			if got := (clitest.Outcome{Code: code, Out: out.String(), Err: errs.String()}); got != want {
				t.Errorf("update %v: got %+v, want %+v", updates, got, want)
			}
		})
	}
}

// closed is a stream that takes nothing.
type closed struct{ err error }

func (c closed) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: c.err}
}

// A result that nobody got is no success; without an update a reader that has enough is no failure to talk about.
func TestLostResult(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	full := errors.New("the disk is full")
	tests := []struct {
		name    string
		updates bool
		err     error
		want    clitest.Outcome
	}{
		{"closed pipe", false, syscall.EPIPE, clitest.Outcome{Code: 141}},
		{"closed pipe after an update", true, syscall.EPIPE,
			clitest.Outcome{Code: 1, Err: "smpctl: standard output: broken pipe\n"}},
		{"full disk", false, full, clitest.Outcome{Code: 1, Err: "smpctl: standard output: the disk is full\n"}},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			var errs strings.Builder
			code := app.Main(t.Context(), tree(tt.updates), []string{"work", "--loglevel", "error"},
				app.Streams{Out: closed{tt.err}, Err: &errs}, none)
			said := strings.TrimPrefix(errs.String(), "waiting for the work\n")
			if got := (clitest.Outcome{Code: code, Err: said}); got != tt.want {
				t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
			}
		})
	}
}

// A log that is closed loses its lines, and nothing else.
func TestLostLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		code := app.Main(t.Context(), tree(true), []string{"work"},
			app.Streams{Out: &out, Err: closed{syscall.EPIPE}}, func(string) (string, bool) { return "", false })
		if code != 0 || out.String() != "done\n" {
			t.Errorf("got %d, %q", code, out.String())
		}
	})
}
