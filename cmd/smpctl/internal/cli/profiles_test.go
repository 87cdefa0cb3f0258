package cli

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
)

// TestAddAtOnce adds and deletes profiles at the same time, and all that were told done are done.
func TestAddAtOnce(t *testing.T) {
	const n = 20
	dir := t.TempDir()
	env := func(name string) (string, bool) { return dir, name == "XDG_CONFIG_HOME" }
	line := func(args ...string) {
		var errs bytes.Buffer
		if code := Run(t.Context(), args, app.Streams{In: strings.NewReader(""), Out: io.Discard, Err: &errs},
			env); code != 0 {
			t.Errorf("%v: %d, %s", args, code, errs.String())
		}
	}
	for i := range n {
		line("conn", "add", fmt.Sprintf("old%d", i), "type=serial")
	}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { line("conn", "add", fmt.Sprintf("new%d", i), "type=serial") })
		all.Go(func() { line("conn", "delete", fmt.Sprintf("old%d", i)) })
		all.Go(func() { line("conn", "show") })
	}
	all.Wait()
	f, err := device.Profiles((&app.App{Env: env}))
	if err != nil || len(f.Connections) != n ||
		slices.ContainsFunc(f.Names(), func(s string) bool { return strings.HasPrefix(s, "old") }) {
		t.Errorf("%d profiles, %v, want the %d new ones: %v", len(f.Connections), err, n, f.Names())
	}
}
