package cli

import (
	"bytes"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/spf13/pflag"
)

// complete is what a shell is told of a line whose last word is begun.
func complete(t *testing.T, args ...string) string {
	t.Helper()
	home := t.TempDir()
	env := func(name string) (string, bool) { return home, name == "HOME" || name == "XDG_CONFIG_HOME" }
	var out, errs bytes.Buffer
	code := Run(t.Context(), append([]string{"__complete"}, args...),
		app.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, env)
	if code != 0 {
		t.Errorf("%q: exit code %d, %s", args, code, errs.String())
	}
	return out.String()
}

// TestCompletingOpensNothing completes arguments and flags of every command, and nobody calls at the port that they
// name.
func TestCompletingOpensNothing(t *testing.T) {
	var calls atomic.Int32
	address := listenOnce(t, func(c net.Conn) {
		calls.Add(1)
		c.Close()
	})
	for _, c := range everyCommand(testRoot()) {
		line := append(strings.Fields(c.CommandPath())[1:], "-p", address)
		complete(t, append(line, "")...)
		complete(t, append(line, "x", "")...)
		text := complete(t, append(line, "--")...)
		if strings.Contains(text, "`") {
			t.Errorf("%s: marks in\n%s", c.CommandPath(), text)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { complete(t, append(line, "--"+f.Name, "")...) })
	}
	if n := calls.Load(); n > 0 {
		t.Errorf("%d calls", n)
	}
}

// TestEveryFlagCompletes sees that no flag offers files where it takes none: a value of its list, or nothing.
func TestEveryFlagCompletes(t *testing.T) {
	const anyFile = ":0"
	for _, c := range everyCommand(testRoot()) {
		path := strings.Fields(c.CommandPath())[1:]
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.NoOptDefVal != "" && f.Name != app.ConsoleFlag {
				return
			}
			flag := "--" + f.Name
			if f.Name == app.ConsoleFlag { // the value may be missing
				flag += "="
			}
			args := append(path, flag, "")
			if strings.HasSuffix(flag, "=") {
				args = append(path, flag)
			}
			text := strings.TrimSpace(complete(t, args...))
			files := strings.HasSuffix(text, anyFile)
			want := strings.Contains(app.ValueName(f), "FILE") || app.ValueName(f) == "LINK" || f.Name == "port" ||
				f.Name == app.ConsoleFlag
			if files != want && f.Name != "signer" {
				t.Errorf("%s --%s %s: offers any file: %v, want %v:\n%s",
					c.CommandPath(), f.Name, app.ValueName(f), files, want, text)
			}
			if choice, ok := f.Value.(app.Choice); ok && !strings.HasPrefix(text, choice.Allowed()[0]) {
				t.Errorf("%s --%s: offers\n%s\nwant %q", c.CommandPath(), f.Name, text, choice.Allowed())
			}
		})
	}
}
