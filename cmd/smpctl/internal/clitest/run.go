package clitest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/spf13/cobra"
)

// Outcome is what a command line did.
type Outcome struct {
	Code     int
	Out, Err string
}

// RunTree does so with a tree of commands.
func RunTree(t *testing.T, tree func(*app.App) *cobra.Command, args ...string) Outcome {
	t.Helper()
	var out, errs bytes.Buffer
	home := t.TempDir()
	env := func(name string) (string, bool) {
		value, ok := map[string]string{"HOME": home, "XDG_CONFIG_HOME": home}[name]
		return value, ok
	}
	code := app.Main(t.Context(), tree, args,
		app.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, env)
	return Outcome{code, out.String(), errs.String()}
}

// TreeOf is a tree of a few commands.
func TreeOf(commands func(*app.App) []*cobra.Command) func(*app.App) *cobra.Command {
	return func(a *app.App) *cobra.Command {
		root := app.NewTree(a)
		root.AddCommand(commands(a)...)
		return root
	}
}
