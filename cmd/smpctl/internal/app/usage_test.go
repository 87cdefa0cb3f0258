package app

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/spf13/cobra"
)

// toolTree is a small tree of commands: tool flash (also burn) with --dry-run, --level and --console, and tool image
// with list and test.
func toolTree() *cobra.Command {
	a := &App{}
	root := NewTree(a)
	flash := &cobra.Command{Use: "flash <file>", Aliases: []string{"burn"}, SuggestFor: []string{"program"},
		Args: Takes(1, 1), RunE: func(*cobra.Command, []string) error { return nil }}
	flash.Flags().Bool("dry-run", false, "")
	flash.Flags().Int("level", 0, "")
	flash.Flags().String(ConsoleFlag, "", "")
	flash.Flags().Lookup(ConsoleFlag).NoOptDefVal = "same"
	image := &cobra.Command{Use: "image", RunE: NeedsCommand}
	for _, name := range []string{"list", "test"} {
		image.AddCommand(&cobra.Command{Use: name, Args: Takes(0, 0),
			RunE: func(*cobra.Command, []string) error { return nil }})
	}
	root.AddCommand(flash, image)
	return root
}

// TestUsageErrors sees which words are found for a line that is wrong.
func TestUsageErrors(t *testing.T) {
	for _, tt := range []struct{ line, text, hint string }{
		{"frobnicate", `unknown command "frobnicate"`, "smpctl --help lists the commands"},
		{"falsh x", `unknown command "falsh"`, "did you mean smpctl flash? smpctl --help lists the commands"},
		{"brun x", `unknown command "brun"`, "did you mean smpctl flash? smpctl --help lists the commands"},
		{"program x", `unknown command "program"`, "did you mean smpctl flash? smpctl --help lists the commands"},
		{"test", `unknown command "test"`, "did you mean smpctl image test? smpctl --help lists the commands"},
		{"image lits", `unknown command "image lits"`,
			"did you mean smpctl image list? smpctl image --help lists the commands"},
		{"image list x", `image list: "x" is one argument too many`,
			"write smpctl image list; smpctl image list --help says more"},
		{"flash", "flash: <file> is missing", "write smpctl flash <file>; smpctl flash --help says more"},
		{"flash a b", `flash: "b" is one argument too many`,
			"write smpctl flash <file>; smpctl flash --help says more"},
		{"flash a --dryrun", "unknown flag --dryrun", "did you mean --dry-run? smpctl flash --help lists the flags"},
		{"flash a --frob", "unknown flag --frob", ""},
		{"flash a --verbose", "unknown flag --verbose", "did you mean --loglevel? smpctl flash --help lists the flags"},
		{"image list --dry-run", "unknown flag --dry-run",
			"did you mean smpctl flash --dry-run? smpctl image list --help lists the flags"},
		{"frobnicate --dry-run", `unknown command "frobnicate"`, "smpctl --help lists the commands"},
		{"flash a -qx", "unknown flag -x", ""},
		{"flash a --level x", "--level x: want a whole number", ""},
		{"flash a --level 1e9", "--level 1e9: want a whole number", ""},
		{"flash a --level=", `--level "": want a whole number`, ""},
		{"flash a --level", "--level needs a value: --level N", ""},
		{"flash a --dry-run=maybe", "--dry-run maybe: want true or false", ""},
		{"flash a -b 0", "--baud 0: want 1 to 50000000", ""},
		{"flash a -b 115k", "--baud 115k: want 1 to 50000000", ""},
		{"flash a -l loud", "--loglevel loud: want debug, info, warn or error", ""},
		{"flash a --=1", `"--=1" is not the name of a flag`, ""},
		{"flash a --" + strings.Repeat("x", 100), `unknown flag "--` + strings.Repeat("x", 78) + `…"`, ""},
	} {
		t.Run(tt.line, func(t *testing.T) {
			root := toolTree()
			root.SetArgs(strings.Fields(tt.line))
			err := root.Execute()
			if err == nil {
				t.Fatal("no error")
			}
			if err.Error() != tt.text {
				t.Errorf("got  %s\nwant %s", err, tt.text)
			}
			kind := failure.KindOf(t.Context(), failure.AsUsage(err))
			hint := failure.Hint(kind, failure.AsUsage(err), failure.Situation{})
			if want := tt.hint; want != "" && hint != want {
				t.Errorf("hint\n got  %s\n want %s", hint, want)
			}
		})
	}
}

// TestJoinConsole sees what is taken for the port of --console, and that it never is the file of an update.
func TestJoinConsole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.bin")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(file))
	if err := os.WriteFile("tcp:x", nil, 0o600); err != nil && !errors.Is(err, os.ErrInvalid) {
		t.Skip("such a name cannot be had here: ", err)
	}
	for _, tt := range []struct{ line, want string }{
		{"flash app.bin --console /dev/ttyUSB1", "flash app.bin --console=/dev/ttyUSB1"},
		{"flash --console COM7 app.bin", "flash --console=COM7 app.bin"},
		{"burn app.bin --console tcp:localhost:7 -q", "burn app.bin --console=tcp:localhost:7 -q"},
		{"flash app.bin --console usb:2fe3:0004", "flash app.bin --console=usb:2fe3:0004"},
		{"flash --console app.bin", ""},
		{"flash --console ./app.bin", ""},
		{"flash --console " + file, ""},
		{"flash --console tcp:x", ""}, // a file, whatever its name
		{"flash --console COMET.bin", ""},
		{"flash app.bin --console", ""},
		{"flash app.bin --console=/dev/ttyUSB1", ""},
		{"image list -- --console /dev/ttyUSB1", ""},
		{"image test --console /dev/ttyUSB1", ""}, // has no such flag
	} {
		t.Run(tt.line, func(t *testing.T) {
			want := strings.Fields(tt.want)
			if tt.want == "" {
				want = strings.Fields(tt.line)
			}
			if got := joinConsole(toolTree(), strings.Fields(tt.line)); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"upgrade", "upgrade", 0}, {"updrade", "upgrade", 1}, {"upgade", "upgrade", 1},
		{"erset", "reset", 1}, {"list", "lst", 1}, {"", "abc", 3}, {"kitten", "sitting", 3},
	} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
