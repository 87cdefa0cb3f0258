package project

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// file is a path of this system in a project, for texts that are parsed and not read.
func file(elem ...string) string {
	root := "/p"
	if runtime.GOOS == "windows" {
		root = `C:\p`
	}
	return filepath.Join(append([]string{root}, elem...)...)
}

func TestParse(t *testing.T) {
	image := func(n int) *int { return &n }
	for _, c := range []struct {
		name, text string
		want       Defaults
	}{
		{"empty", "", Defaults{}},
		{"comments only", "# nothing\n\n  # more\r\n", Defaults{}},
		{
			"all keys",
			"port = \"usb:2fe3:0100\"\nbaud = 1_000_000\nkey = \"keys/public.pem\"\nfile = 'build'\nimage = 0\n" +
				"mode = \"test\" # of the board on the desk\n",
			Defaults{
				Port: "usb:2fe3:0100", Baud: 1000000, Key: file("keys", "public.pem"), File: file("build"),
				Image: image(0), Mode: "test",
			},
		},
		{"highest numbers", "baud = 50000000\nimage = 255", Defaults{Baud: 50000000, Image: image(255)}},
		{"hexadecimal", "image = 0x1F", Defaults{Image: image(31)}},
		{"byte order mark and CRLF of Windows", "\ufeffport = \"COM22\"\r\n", Defaults{Port: "COM22"}},
		{"quoted key", `"mode" = "what the caller makes of it"`, Defaults{Mode: "what the caller makes of it"}},
		{
			"path that leads out", `key = "../shared/./public.pem"`,
			Defaults{Key: filepath.Join(file(), "../shared/public.pem")},
		},
		{"path with a slash behind it", `file = "build/"`, Defaults{File: file("build")}},
		{"what looks like a command", `key = "exec:touch x"`, Defaults{Key: file("exec:touch x")}},
		{"what looks like a flag", `file = "--force"`, Defaults{File: file("--force")}},
		{"what looks like a home folder", `key = "~/public.pem"`, Defaults{Key: file("~", "public.pem")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(file(Name), []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			c.want.Path = file(Name)
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreUnexported(Defaults{})); diff != "" {
				t.Errorf("parse(%q), -want +got:\n%s", c.text, diff)
			}
		})
	}
}

func TestParseAbsolutePath(t *testing.T) {
	want := filepath.Join(filepath.Dir(file()), "keys", "public.pem")
	got, err := parse(file(Name), []byte("key = '"+want+"'"))
	if err != nil || got.Key != want {
		t.Errorf("Key = %q, %v, want %q", got.Key, err, want)
	}
}

func TestParseMistakes(t *testing.T) {
	const line = `a line is KEY = "TEXT" or KEY = NUMBER`
	for _, c := range []struct{ name, text, want, hint string }{
		{
			"unknown key", "port = 'x'\nprot = 'x'",
			`2: unknown key "prot"; known: port, baud, key, file, image, mode`, "",
		},
		{"capital letter", "Port = 'x'", `1: unknown key "Port"; known: port, baud, key, file, image, mode`, ""},
		{
			"key of a key", "port.name = 'x'",
			`1: unknown key "port.name"; known: port, baud, key, file, image, mode`, "",
		},
		{
			"command", "check = 'rm -rf /'",
			`1: unknown key "check"; known: port, baud, key, file, image, mode`, "",
		},
		{
			"table", "\n\n[device]\nport = 'x'",
			`3: unknown table "device"; known are the keys port, baud, key, file, image, mode`, "",
		},
		{
			"list of tables", "[[port]]",
			`1: unknown table "port"; known are the keys port, baud, key, file, image, mode`, "",
		},
		{
			"long key", strings.Repeat("x", 1000) + "=1",
			`1: unknown key "` + strings.Repeat("x", 60) + `…"; known: port, baud, key, file, image, mode`, "",
		},
		{"twice", "port = 'a'\n\n\"port\" = 'b'", "3: port: is given twice, first in line 1", ""},
		{
			"text without quotes", "port = /dev/ttyACM0",
			"1: not TOML: unexpected character U+002F '/' at start of value", line,
		},
		{"no value", "# c\nport", "2: not TOML: expected '=' after key", line},
		{"open quote", `port = "a`, "1: not TOML: unterminated basic string", line},
		{
			"backslashes of Windows", `file = "build\app"`, "1: not TOML: invalid escape character U+0061 'a'",
			`in "…" a backslash begins an escape: write / in paths`,
		},
		{
			"backslash that is an escape", `file = "out\build"`,
			`1: file: "out\build" holds a control character (in "…" a backslash begins an escape)`, "",
		},
		{"escape sequence of a terminal", `port = "\u001b[31m"`,
			`1: port: "\x1b[31m" holds a control character (in "…" a backslash begins an escape)`, ""},
		{"number for text", "port = 1", "1: port: want text in quotes, not 1", ""},
		{"truth for text", "mode = true", "1: mode: want text in quotes, not true or false", ""},
		{"list for text", "key = ['a', 'b']", "1: key: want text in quotes, not a list", ""},
		{"table for text", "key = {a = 1}", "1: key: want text in quotes, not a table", ""},
		{"date for text", "file = 2026-01-02", "1: file: want text in quotes, not a date or time", ""},
		{"empty text", "file = ''", "1: file: is empty", ""},
		{"text for number", "baud = '115200'", "1: baud: want a number of 1 to 50000000, not text", ""},
		{"fraction", "baud = 1.5", "1: baud: want a number of 1 to 50000000, not 1.5", ""},
		{"zero baud", "baud = 0", "1: baud: want a number of 1 to 50000000, not 0", ""},
		{"too fast", "baud = 50_000_001", "1: baud: want a number of 1 to 50000000, not 50_000_001", ""},
		{"negative image", "image = -1", "1: image: want a number of 0 to 255, not -1", ""},
		{"image too high", "image = 256", "1: image: want a number of 0 to 255, not 256", ""},
		{
			"more than 64 bits", "image = 99999999999999999999",
			"1: image: want a number of 0 to 255, not 99999999999999999999", "",
		},
		{"not UTF-8", "port = '\xff'", "1: not TOML: invalid UTF-8 character in literal string", line},
		{
			"deep nesting", "a = " + strings.Repeat("[", 100_000),
			"1: not TOML: arrays and inline tables are nested more than the maximum of 10000 levels deep", line,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(file(Name), []byte(c.text))
			var wrong *FileError
			if !errors.As(err, &wrong) {
				t.Fatalf("parse = %+v, %v, want a *FileError", got, err)
			}
			if want := file(Name) + ":" + c.want; err.Error() != want || wrong.Hint() != c.hint {
				t.Errorf("parse:\n got %s (%s)\nwant %s (%s)", err, wrong.Hint(), want, c.hint)
			}
		})
	}
}

// TestWrong: what the caller finds wrong is said like what is found here.
func TestWrong(t *testing.T) {
	d, err := parse(file(Name), []byte("\nport = 'tcp:'\n"))
	if err != nil {
		t.Fatal(err)
	}
	mistake := errors.New("tcp: needs HOST:PORT")
	got := d.Wrong("port", mistake)
	var wrong *FileError
	if want := file(Name) + ":2: port: tcp: needs HOST:PORT"; got.Error() != want || !errors.Is(got, mistake) ||
		!errors.As(got, &wrong) || wrong.Line != 2 {
		t.Errorf("Wrong = %v, want %s", got, want)
	}
}
