package cli

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// runLine runs a command line in this process, in an empty environment.
func runLine(t *testing.T, args ...string) clitest.Outcome {
	t.Helper()
	return clitest.RunTree(t, NewRoot, args...)
}

// testRoot is the tree of commands, for looking at.
func testRoot() *cobra.Command {
	return NewRoot(&app.App{Env: func(string) (string, bool) { return "", false }})
}

// everyCommand lists the commands of the tree, the root among them.
func everyCommand(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		all = append(all, everyCommand(sub)...)
	}
	return all
}

func TestHelp(t *testing.T) {
	for _, c := range everyCommand(testRoot()) {
		t.Run(c.CommandPath(), func(t *testing.T) {
			args := append(strings.Fields(c.CommandPath())[1:], "--help")
			got := runLine(t, args...)
			if got.Code != 0 || got.Err != "" || !strings.Contains(got.Out, "\nUsage: smpctl") {
				t.Errorf("--help: got %d, %q, %q; want 0, the usage and no error", got.Code, got.Out, got.Err)
			}
			switch {
			case c.Short == "":
				t.Error("no line that says what it does")
			case strings.HasSuffix(c.Short, "."):
				t.Errorf("%q ends in a full stop", c.Short)
			case !c.HasSubCommands() && c.Example == "":
				t.Error("no example")
			}
		})
	}
}

// TestExamples sees that what the help shows is accepted as it stands.
func TestExamples(t *testing.T) {
	for _, c := range everyCommand(testRoot()) {
		for line := range strings.Lines(c.Example) {
			line = strings.TrimSpace(line)
			t.Run(line, func(t *testing.T) {
				line, _, _ = strings.Cut(line, " > ") // the rest is for the shell
				line, _, _ = strings.Cut(line, " | ")
				args := words(t, line)
				if args[0] != "smpctl" {
					t.Fatalf("want a command line of smpctl")
				}
				found := accept(t, args[1:])
				// The first of two steps may show the second.
				if found != nil && found.CommandPath() != c.CommandPath() &&
					!(found.Name() == "attach" && c.Name() == "prepare") {
					t.Errorf("belongs to %s, but stands in the help of %s", found.CommandPath(), c.CommandPath())
				}
			})
		}
	}
}

// accept parses a command line up to where its body would begin, and returns the command.
func accept(t *testing.T, args []string) *cobra.Command {
	t.Helper()
	a := &app.App{Env: func(string) (string, bool) { return "", false }}
	c, rest, err := NewRoot(a).Find(args)
	if err != nil {
		t.Errorf("%q: %v", args, err)
		return nil
	}
	if c.HasSubCommands() && c.Args == nil && c.Example == "" { // sign and shell have a body beside their subcommands
		t.Errorf("%q ends at the group %s", args, c.CommandPath())
		return nil
	}
	if err := c.ParseFlags(rest); err != nil {
		t.Errorf("%q: %v", args, err)
		return nil
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		t.Errorf("%q: %v", args, err)
	}
	return c
}

// words splits a line as a shell does, as far as the lines here need it.
func words(t *testing.T, line string) []string {
	t.Helper()
	var all []string
	var word strings.Builder
	quote, started := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, started = r, true
		case quote == 0 && r == ' ':
			if started {
				all = append(all, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if quote != 0 {
		t.Fatalf("%s: a quote is open", line)
	}
	if started {
		all = append(all, word.String())
	}
	return all
}

// TestMcumgrSpelling keeps the promise that a script moves over by renaming the binary: command lines from the
// documentation of Zephyr, nRF Connect SDK and mcumgr-cli, without those for Bluetooth.
func TestMcumgrSpelling(t *testing.T) {
	for _, line := range []string{
		`conn add testDK type="serial" connstring="COM22,baud=115200,mtu=512"`,
		`conn add acm0 type="serial" connstring="dev=/dev/ttyACM0,baud=115200,mtu=512"`,
		`conn add udp1 type="udp" connstring="[2001:db8::1]:1337"`,
		`conn show`,
		`conn show acm0`,
		`conn delete acm0`,
		`-c acm0 echo hello`,
		`-c acm0 image list`,
		`-c acm0 -t 10 -r 3 image list`,
		`--conntype serial --connstring "dev=/dev/ttyACM0,baud=115200" image list`,
		`--conntype=serial --connstring=dev=/dev/ttyACM0,baud=115200,mtu=512 echo hello`,
		`--conntype="udp" --connstring=[192.0.2.1]:1337 echo hello`,
		`-c acm0 --connextra baud=1000000 image upload app.signed.bin`,
		`--timeout 0.5 --tries 2 --loglevel debug -c acm0 taskstat`,
		`-l info -c acm0 mpstat`,
		`-c acm0 image upload -e app.signed.bin`,
		`-c acm0 image upload --noerase --image 1 --upgrade --maxwinsize 4 app.signed.bin`,
		`-c acm0 image upload -n 1 -u -w 4 app.signed.bin`,
		`image upload app.signed.bin -c acm0`,
		`-c acm0 image test 5a4c1f3e00112233445566778899aabbccddeeff00112233445566778899aabb`,
		`-c acm0 image confirm`,
		`-c acm0 image confirm ""`,
		`-c acm0 image confirm 5a4c1f3e00112233445566778899aabbccddeeff00112233445566778899aabb`,
		`-c acm0 image erase`,
		`-c acm0 reset`,
		`-c acm0 datetime`,
		`-c acm0 datetime 2026-11-21T10:30:00`,
		`-c acm0 datetime now`,
		`-c acm0 stat list`,
		`-c acm0 stat smp_svr_stats`,
		`stat smp_svr_stats -c acm0`,
		`-c acm0 config test/8`,
		`-c acm0 config test/8 1`,
		`-c acm0 config save`,
		`-c acm0 shell exec kernel uptime`,
		`-c acm0 log show`,
		`log show reboot_log last -c acm0`,
		`log show reboot_log 3 1122222 -c acm0`,
		`-c acm0 log show -a reboot_log`,
		`-c acm0 log clear`,
		`-c acm0 log module_list`,
		`-c acm0 log level_list`,
		`-c acm0 log list`,
		`-c acm0 run list`,
		`-c acm0 run test`,
		`-c acm0 run test all 201612161220`,
		`-c acm0 crash div0`,
		`version`,
	} {
		t.Run(line, func(t *testing.T) { accept(t, words(t, line)) })
	}
}

// TestGlobalFlags pins the flags of every command.
func TestGlobalFlags(t *testing.T) {
	var got []string
	testRoot().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Shorthand != "" {
			got = append(got, fmt.Sprintf("-%s,--%s", f.Shorthand, f.Name))
			return
		}
		got = append(got, "--"+f.Name)
	})
	want := "-b,--baud --buffer -c,--conn --connextra --connstring --conntype --json --line-length -l,--loglevel " +
		"-p,--port -q,--quiet " +
		"--raw --smp-version -t,--timeout --trace -r,--tries --wait --window"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

// TestDeviceTextIsHarmless sees that what a device sends cannot steer the terminal.
func TestDeviceTextIsHarmless(t *testing.T) {
	hostile := "\x1b[31mred\x07\u202eback\r"
	want := `\x1b[31mred\x07\u202eback\r` + "\n"
	if got := runLine(t, "-p", "sim:", "echo", hostile); got.Code != 0 ||
		got.Out != strings.ReplaceAll(want, `\x07`, `\a`) {
		t.Errorf("echo: got %d, %q, %q; want 0, %q", got.Code, got.Out, got.Err, want)
	}
}

// TestInterruptedUpload stops an upload in the middle, and has the same command end it.
func TestInterruptedUpload(t *testing.T) {
	_, address := clitest.ServeDevice(t, sim.Options{Baud: 500_000}) // slow enough for news on the way
	line := []string{"-p", address, "image", "upload", "../../../../testdata/app-2.0.0.bin", "--json", "--window", "1"}

	ctx, cancel := context.WithCancelCause(t.Context())
	errs := &stopWriter{at: regexp.MustCompile(`"done":[1-9][0-9]{3}`), stop: func() { cancel(failure.ErrInterrupted) }}
	var out bytes.Buffer
	none := func(string) (string, bool) { return "", false }
	code := Run(ctx, line, app.Streams{In: strings.NewReader(""), Out: &out, Err: errs}, none)
	lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
	ended, ok := strings.CutPrefix(lines[len(lines)-1], "{")
	if code != 130 || !ok || !strings.HasPrefix(ended, `"error":{"kind":"interrupted","message":"interrupted"`) ||
		!strings.HasSuffix(strings.TrimSpace(out.String()), ","+ended) {
		t.Fatalf("interrupted: got %d, %q, %q; want 130, and the error at the end of both", code, out.String(),
			errs.String())
	}

	got := runLine(t, line...)
	if got.Code != 0 || !strings.Contains(got.Out, `"resumed_from":`) ||
		strings.Contains(got.Out, `"resumed_from":0,`) {
		t.Fatalf("once more: got %d, %q, %q; want 0 and the offset at which it went on", got.Code, got.Out, got.Err)
	}
}

// stopWriter calls stop when a text has been written.
type stopWriter struct {
	bytes.Buffer
	at   *regexp.Regexp
	stop func()
}

func (w *stopWriter) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if w.at.Match(w.Bytes()) {
		w.stop()
	}
	return n, err
}
