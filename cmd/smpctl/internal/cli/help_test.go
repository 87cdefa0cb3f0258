package cli

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/spf13/pflag"
)

// helpOf is the help of a command on lines of so many characters.
func helpOf(t *testing.T, columns int, command ...string) string {
	t.Helper()
	env := func(name string) (string, bool) { return strconv.Itoa(columns), name == "COLUMNS" }
	var out, errs bytes.Buffer
	code := Run(t.Context(), append(command, "--help"),
		app.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, env)
	if code != 0 || errs.Len() > 0 {
		t.Fatalf("%v --help: %d, %s", command, code, errs.String())
	}
	return out.String()
}

// TestHelpFits sees that the help of every command stays within the terminal, down to 40 columns, and uses no more
// than 100.
func TestHelpFits(t *testing.T) {
	for columns, want := range map[int]int{20: 40, 40: 40, 63: 63, 80: 80, 100: 100, 200: 100} {
		for _, c := range everyCommand(testRoot()) {
			for line := range strings.Lines(helpOf(t, columns, strings.Fields(c.CommandPath())[1:]...)) {
				line = strings.TrimSuffix(line, "\n")
				words := inPairs(shellWords(strings.TrimSuffix(line, " \\")))
				if n := utf8.RuneCountInString(line); n > want && len(words) > 1 && !isFlag(words[0]) {
					t.Errorf("%s on %d columns: a line of %d: %s", c.CommandPath(), columns, n, line)
				}
				if strings.HasSuffix(line, " ") {
					t.Errorf("%s: spaces at the end of %q", c.CommandPath(), line)
				}
			}
		}
	}
}

// TestHelpWords looks for what comes of libraries, and of sentences that go on in another one.
func TestHelpWords(t *testing.T) {
	for _, c := range everyCommand(testRoot()) {
		text := helpOf(t, 80, strings.Fields(c.CommandPath())[1:]...)
		for _, word := range []string{
			"default -1", "default 0)", "`", "0m0s", "stringArray", "such write", "those bytes", "the same, ",
		} {
			if strings.Contains(text, word) {
				t.Errorf("%s: %q in the help:\n%s", c.CommandPath(), word, text)
			}
		}
	}
}

// TestHelpOrder pins what comes first: the update, and the flags of a command before those of every command, in their
// order.
func TestHelpOrder(t *testing.T) {
	for _, tt := range []struct {
		command string
		parts   []string // in this order
	}{
		{"", []string{"Usage:", "Update:", "upgrade ", "recover ", "image ", "reset ", "Look:", "ports ", "Flags:",
			"--port", "Exit codes:", "1  another failure", "8  a board failed"}},
		{"upgrade", []string{"Usage: smpctl upgrade ", "Aliases: flash, update", "\nFlags:", "--mode", "--image",
			"--dry-run", "\nConnection:", "--port", "--timeout", "\nOutput:", "--json", "\nExamples:"}},
		{"image", []string{"Usage: smpctl image <command>", "Commands:", "list ", "upload ", "test ", "confirm "}},
		{"sign", []string{"--output", "\nImage:", "--version VERSION", "(required)", "\nSignature:", "--sha",
			"\nEncryption and compression:", "--encrypt", "\nOutput:"}},
	} {
		rest := helpOf(t, 100, strings.Fields(tt.command)...)
		for _, part := range tt.parts {
			_, behind, ok := strings.Cut(rest, part)
			if !ok {
				t.Errorf("%s --help: %q is not behind the part before it, in:\n%s", tt.command, part, rest)
				break
			}
			rest = behind
		}
	}
}

// TestConnectionFlags sees that only commands that have to do with a device show how to reach one.
func TestConnectionFlags(t *testing.T) {
	for _, c := range everyCommand(testRoot()) {
		if isGroup(c) || !c.HasParent() {
			continue
		}
		top := strings.Fields(c.CommandPath())[1]
		want := !slices.Contains(strings.Fields("inspect verify sign key package conn records sim station ports "+
			"completion version"),
			top)
		text := helpOf(t, 100, strings.Fields(c.CommandPath())[1:]...)
		if got := strings.Contains(text, "--port ADDRESS"); got != want {
			t.Errorf("%s: shows --port: %v, want %v", c.CommandPath(), got, want)
		}
		if got := strings.Contains(text, "--baud N"); got != want && top != "sim" && top != "ports" {
			t.Errorf("%s: shows --baud: %v, want %v", c.CommandPath(), got, want)
		}
	}
}

// TestRootHelpFitsAPage keeps the first thing that anybody sees on one page.
func TestRootHelpFitsAPage(t *testing.T) {
	if lines := strings.Count(helpOf(t, 80), "\n"); lines > 48 {
		t.Errorf("%d lines", lines)
	}
}

// TestHelpCommand sees that help is the same by both ways, and that it knows when there is none.
func TestHelpCommand(t *testing.T) {
	if got, want := runLine(t, "help", "image", "upload").Out, runLine(t, "image", "upload",
		"--help").Out; got != want {
		t.Errorf("help image upload: got\n%s\nwant\n%s", got, want)
	}
	got := runLine(t, "help", "image", "lst")
	if got.Code != 2 || got.Out != "" || !strings.Contains(got.Err, `unknown command "image lst"`) {
		t.Errorf("help image lst: got %d, %q, %q", got.Code, got.Out, got.Err)
	}
}

// TestGroupAsJSON sees that a group without a command keeps standard error to JSON.
func TestGroupAsJSON(t *testing.T) {
	got := runLine(t, "image", "--json")
	want := `{"error":{"kind":"usage","message":"a command is missing",` +
		`"hint":"smpctl image --help says how it is used"}}` + "\n"
	if got.Code != 2 || got.Out != "" || got.Err != want {
		t.Errorf("got %d, %q, %q; want 2, nothing and %q", got.Code, got.Out, got.Err, want)
	}
}

// TestArgumentWords gives every command too few and too many arguments: what it says of them is ours.
func TestArgumentWords(t *testing.T) {
	for _, c := range everyCommand(testRoot()) {
		if c.Args == nil || !c.HasParent() {
			continue
		}
		for _, args := range [][]string{nil, slices.Repeat([]string{"x"}, 20)} {
			err := c.ValidateArgs(args)
			if err == nil {
				continue
			}
			if text := err.Error(); !strings.Contains(text, " is missing") &&
				!strings.Contains(text, "is one argument too many") && !strings.Contains(text, "unknown command") {
				t.Errorf("%s with %d arguments: %s", c.CommandPath(), len(args), text)
			}
		}
	}
}

// TestTexts sees that no flag or command is without a word, and that a line in a list is one.
func TestTexts(t *testing.T) {
	for _, c := range everyCommand(testRoot()) {
		if c.HasParent() && len(c.Short) > 70 {
			t.Errorf("%s: %d characters are too many for a list: %s", c.CommandPath(), len(c.Short), c.Short)
		}
		if c.Args == nil && c.HasParent() && !c.HasSubCommands() {
			t.Errorf("%s takes any arguments", c.CommandPath())
		}
		inOrder(c.LocalFlags(), func(f *pflag.Flag) {
			if f.Usage == "" && f.Name != "help" {
				t.Errorf("%s --%s: no word about it", c.CommandPath(), f.Name)
			}
		})
	}
}

// TestHelpTitles sees that titles stand out on a terminal that can do so, and nowhere else.
func TestHelpTitles(t *testing.T) {
	for _, tt := range []struct {
		terminal bool
		term, no string
		want     bool
	}{{true, "xterm", "", true}, {true, "dumb", "", false}, {true, "xterm", "1", false}, {false, "xterm", "", false}} {
		env := map[string]string{"TERM": tt.term, "NO_COLOR": tt.no}
		var out, errs bytes.Buffer
		code := Run(t.Context(), []string{"upgrade", "--help"},
			app.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, OutTTY: tt.terminal,
				OutColumns: func() int { return 80 }},
			func(name string) (string, bool) { return env[name], true })
		if got := strings.Contains(out.String(), "\x1b[1mFlags:\x1b[0m\n"); code != 0 || got != tt.want {
			t.Errorf("%+v: %d, titles stand out: %v", tt, code, got)
		}
		if !tt.want && strings.Contains(out.String(), "\x1b") {
			t.Errorf("%+v: escape sequences in\n%s", tt, out.String())
		}
	}
}
