package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/cli"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/monitor"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

// runBroken is smpctl with one command more, which has every bug that a command can have.
func runBroken() {
	os.Exit(app.Main(context.Background(), brokenRoot, os.Args[1:], app.NewStreams(os.Stdin, os.Stdout, os.Stderr),
		os.LookupEnv))
}

func brokenRoot(a *app.App) *cobra.Command {
	root := cli.NewRoot(a)
	root.AddCommand(&cobra.Command{
		Use:  "break <where>",
		Args: cobra.ExactArgs(1),
		PreRun: func(_ *cobra.Command, args []string) {
			if args[0] == "before" {
				panic("before the body")
			}
		},
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) { return breakDown(ctx, a, args[0]) }),
	})
	return root
}

// breakDown panics.
func breakDown(ctx context.Context, a *app.App, where string) (app.Result, error) {
	var nothing []byte
	switch where {
	case "goroutine":
		a.Spawn(func() { nothing[0]++ })
		<-ctx.Done()
		return nil, ctx.Err()
	case "bar":
		a.Progress("upload", "").Update(smp.Progress{Done: 100, Total: 1000})
		linger(a)
	case "raw":
		defer monitor.Keyboard(a).Close()
		linger(a)
	case "error":
		panic(errors.New("as an error,\x1b[2J from a device"))
	}
	nothing[0]++
	return nil, nil
}

// linger lets a person see the terminal as it is before the bug.
func linger(a *app.App) {
	if a.ErrTTY {
		time.Sleep(time.Second)
	}
}

// TestAtWork names functions where the panic was, and nothing of who built or caught it.
func TestAtWork(t *testing.T) {
	a := &app.App{}
	err := failure.Guard(func() error {
		_, err := breakDown(t.Context(), a, "")
		return err
	})
	var bug *failure.BugError
	if !errors.As(err, &bug) || !strings.HasPrefix(bug.Where, "smpctl.breakDown (panic_test.go:") ||
		strings.Contains(err.Error(), "/") {
		t.Errorf("got %v", err)
	}
	if !strings.HasPrefix(err.Error(),
		"this is a bug in smpctl: runtime error: index out of range [0] with length 0, in ") {
		t.Errorf("got %v", err)
	}
}
