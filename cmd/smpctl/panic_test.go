package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

// runBroken is smpctl with one command more, which has every bug that a command can have.
func runBroken() {
	os.Exit(runOf(context.Background(), brokenRoot, os.Args[1:], newStreams(os.Stdin, os.Stdout, os.Stderr),
		os.LookupEnv))
}

func brokenRoot(a *app) *cobra.Command {
	root := newRoot(a)
	root.AddCommand(&cobra.Command{
		Use:  "break <where>",
		Args: cobra.ExactArgs(1),
		PreRun: func(_ *cobra.Command, args []string) {
			if args[0] == "before" {
				panic("before the body")
			}
		},
		RunE: a.run(func(ctx context.Context, args []string) (result, error) { return a.breakDown(ctx, args[0]) }),
	})
	return root
}

// breakDown panics.
func (a *app) breakDown(ctx context.Context, where string) (result, error) {
	var nothing []byte
	switch where {
	case "goroutine":
		a.spawn(func() { nothing[0]++ })
		<-ctx.Done()
		return nil, ctx.Err()
	case "bar":
		a.progress("upload").update(smp.Progress{Done: 100, Total: 1000})
		a.linger()
	case "raw":
		defer a.keyboard().close()
		a.linger()
	case "error":
		panic(errors.New("as an error,\x1b[2J from a device"))
	}
	nothing[0]++
	return nil, nil
}

// linger lets a person see the terminal as it is before the bug.
func (a *app) linger() {
	if a.errTTY {
		time.Sleep(time.Second)
	}
}

// TestAtWork names functions where the panic was, and nothing of who built or caught it.
func TestAtWork(t *testing.T) {
	a := &app{}
	err := guard(func() error {
		_, err := a.breakDown(t.Context(), "")
		return err
	})
	var bug *bugError
	if !errors.As(err, &bug) || !strings.HasPrefix(bug.where, "smpctl.(*app).breakDown (panic_test.go:") ||
		strings.Contains(err.Error(), "/") {
		t.Errorf("got %v", err)
	}
	if !strings.HasPrefix(err.Error(),
		"this is a bug in smpctl: runtime error: index out of range [0] with length 0, in ") {
		t.Errorf("got %v", err)
	}
}
