package cli

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// mistake is a command line that somebody types wrong, and what comes of it. In the line $D is a folder with files of
// many kinds, $T the test data; in the texts paths are relative to these. A text that begins with ~ is a pattern.
type mistake struct {
	line string
	code int
	says string
	hint string // empty: none
}

const (
	pemWanted   = "~: not a PEM file$"
	addressHint = "~^an address is a port such as /dev/ttyACM0 or COM22, usb:VID"
	jsonHint    = `keys and texts stand in double quotes, and all of it in single ones: '{"d":"hello"}'`
	imageHint   = "wanted is a signed image; a Zephyr build leaves it in build/zephyr/zephyr.signed.bin"
	nobodyThere = "connection refused: nobody listens there"
	gone        = "no such file or directory"
	mountHint   = "~^a name begins with the mount point"
)

// noPort is said of a port that is not there: Windows' ports are no files.
func noPort() string {
	if runtime.GOOS == "windows" {
		return "there is no such port"
	}
	return gone
}

// help is the hint that the help of a command tells more.
func usedAs(command string) string { return "smpctl " + command + " --help says how it is used" }

// writtenAs is the hint that shows the line of a command.
func writtenAs(command, arguments string) string {
	return "write smpctl " + command + arguments + "; smpctl " + command + " --help says more"
}

// meant is the hint with another command.
func meant(command, in string) string {
	return "did you mean smpctl " + command + "? " + strings.TrimSpace("smpctl "+in) + " --help lists the commands"
}

var mistakes = map[string][]mistake{
	"commands": {
		{"frobnicate", 2, `unknown command "frobnicate"`, "smpctl --help lists the commands"},
		{"updrade app.bin", 2, `unknown command "updrade"`, meant("upgrade", "")},
		{"scan", 2, `unknown command "scan"`, meant("ports", "")},
		{"devices", 2, `unknown command "devices"`, meant("ports", "")},
		{"list", 2, `unknown command "list"`, meant("ports", "")},
		{"reboot", 2, `unknown command "reboot"`, meant("reset", "")},
		{"confirm", 2, `unknown command "confirm"`, meant("image confirm", "")},
		{"ping hello", 2, `unknown command "ping"`, "smpctl --help lists the commands"},
		{"image lst", 2, `unknown command "image lst"`, meant("image list", "image")},
		{"image show", 2, `unknown command "image show"`, meant("image list", "image")},
		{"conn rm board", 2, `unknown command "conn rm"`, meant("conn delete", "conn")},
		{"shell ls", 2, `unknown command "shell ls"`, "smpctl shell --help lists the commands"},
		{"help upgrde", 2, `unknown command "upgrde"`, meant("upgrade", "")},
		{"", 2, "a command is missing", ""},
		{"key", 2, "a command is missing", ""},
	},
	"arguments": {
		{"image list all", 2, `image list: "all" is one argument too many`, writtenAs("image list", "")},
		{"fs upload notes.txt", 2, "fs upload: <remote> is missing", writtenAs("fs upload", " <file|-> <remote>")},
		{"image test", 2, "image test: <hash|prefix|file> is missing", writtenAs("image test", " <hash|prefix|file>")},
		{"inspect a.bin b.bin", 2, `inspect: "b.bin" is one argument too many`, writtenAs("inspect", " <file>")},
		{"echo", 2, "echo: <text> is missing", writtenAs("echo", " <text>")},
		{"upgrade", 2, "~^a file is missing", usedAs("upgrade")},
	},
	"flags": {
		{"image list --frobnicate", 2, "unknown flag --frobnicate", usedAs("image list")},
		{"upgrade app.bin --dryrun", 2, "unknown flag --dryrun",
			"did you mean --dry-run? smpctl upgrade --help lists the flags"},
		{"info --verbose", 2, "unknown flag --verbose", "did you mean --loglevel? smpctl info --help lists the flags"},
		{"info --device /dev/ttyACM0", 2, "unknown flag --device",
			"did you mean --port? smpctl info --help lists the flags"},
		{"image upload app.bin --dry-run", 2, "unknown flag --dry-run",
			"did you mean smpctl upgrade --dry-run? smpctl image upload --help lists the flags"},
		{"info -x", 2, "unknown flag -x", usedAs("info")},
		{"info -p", 2, "-p needs a value: -p ADDRESS", usedAs("info")},
		{"upgrade app.bin --mode", 2, "--mode needs a value: --mode MODE", usedAs("upgrade")},
		{"upgrade app.bin --mode sideways", 2, "--mode sideways: want confirm-after, test, permanent or upload-only",
			usedAs("upgrade")},
		{"info -b 0", 2, "--baud 0: want 1 to 50000000", usedAs("info")},
		{"info -b 115k2", 2, "--baud 115k2: want 1 to 50000000", usedAs("info")},
		{"info -r 0", 2, "--tries 0: want 1 to 100", usedAs("info")},
		{"info --buffer 0", 2, "--buffer 0: want 64 to 65535", usedAs("info")},
		{"info -t soon", 2, "--timeout soon: want seconds, as 2.5, or a duration, as 500ms, of at most a day",
			usedAs("info")},
		{"info -l loud", 2, "--loglevel loud: want debug, info, warn or error", usedAs("info")},
		{"info --smp-version 3", 2, "--smp-version 3: want auto, 1 or 2", usedAs("info")},
		{"reset --boot-mode 9", 2, "--boot-mode 9: want 0 or 1", usedAs("reset")},
		{"reset --boot-mode 1 --bootloader", 2, "reset: --boot-mode and --bootloader contradict each other",
			usedAs("reset")},
		{"upgrade app.bin --image first", 2, "--image first: want 0 to 255", usedAs("upgrade")},
		{"upgrade app.bin --force=maybe", 2, "--force maybe: want true or false", usedAs("upgrade")},
		{"image erase --slot x", 2, "--slot x: want a whole number", usedAs("image erase")},
		{"package build app.bin", 2, "package build: --output is missing",
			writtenAs("package build", " [image[.slot]=]<file>... -o <package>")},
		{"key generate", 2, "key generate: --key and --type are missing",
			writtenAs("key generate", " -k <file> --type <type>")},
		{"key generate -k x.pem -t rsa-2048", 2,
			"--timeout rsa-2048: want seconds, as 2.5, or a duration, as 500ms, of at most a day",
			"imgtool's -t is --type here"},
		{"monitor -p sim: --until (", 2, `--until "(": is no regular expression: missing closing )`, usedAs("monitor")},
	},
	"ports": {
		{"-p /dev/nosuch --wait 0 info", 3, "open /dev/nosuch: " + noPort(), "smpctl ports shows the ports that are there"},
		{"-p $CLOSED --wait 0 info", 3, "open $CLOSED: " + nobodyThere,
			"start the server, or check host and port"},
		{"-p $D/text.txt info", 3, "~^open text.txt: not a serial port", ""},
		{"-p tcp:localhost info", 2, `address "tcp:localhost": needs HOST:PORT`, addressHint},
		{"-p tcp:localhost:70000 info", 2, `address "tcp:localhost:70000": port is not 1 to 65535`, addressHint},
		{"-p usb:xyz info", 2, `address "usb:xyz": needs VID:PID, serial=SERIAL or location=LOCATION`, addressHint},
		{"-p bluetooth:board info", 2, `address "bluetooth:board": unknown kind bluetooth:`, addressHint},
		{"-p sim:$D/text.txt info", 3, "open sim:text.txt: flash file text.txt: is not the flash of a virtual device",
			""},
		{"-p $SILENT -t 20ms -r 1 echo hi", 4, "echo: no reply within 20ms; nothing was heard",
			"~^check what is behind the server, its baud rate, "},
		{"-p $ENDS -t 1 -r 1 echo hi", 4, "~^echo: .*device disconnected: (it ended the connection|.*reset by peer|.*broken pipe)$",
			"the port went away; the same command picks up where the device is"},
		{"sim --tcp 7777", 2, "--tcp 7777: want HOST:PORT, such as 127.0.0.1:7777", usedAs("sim")},
		{"sim --tcp 127.0.0.1:0 --boot-mode sideways", 2,
			"--boot-mode sideways: want swap, overwrite, direct-xip, direct-xip-revert, ram-load or swap-offset",
			usedAs("sim")},
		{"sim --tcp 127.0.0.1:0 --faults frob", 2, `faults: "frob" is not a fault`, usedAs("sim")},
		{"upgrade $T/app-2.0.0.bin -p udp:127.0.0.1:9 --console", 2,
			"--console: UDP carries no text; name a serial port: --console=PORT", usedAs("upgrade")},
	},
	"profiles": {
		{"-c nosuch info", 2, `connection profile "nosuch" doesn't exist; there are none yet`,
			`smpctl conn add NAME type=serial connstring="dev=PORT,baud=115200" saves one`},
		{"conn add board", 2, "must specify a connection type: type=serial or type=udp", usedAs("conn add")},
		{"conn add board type=ble", 2, `connection type "ble": Bluetooth is not supported; want serial or udp`,
			usedAs("conn add")},
		{"conn add board type=serial connstring=speed=9", 2, `connstring: unknown key "speed": want dev, baud or mtu`,
			usedAs("conn add")},
		{"conn import $D/text.txt", 2,
			"mcumgr-cli's connections: text.txt: is no list of them, as mcumgr-cli writes it in JSON",
			usedAs("conn import")},
		{"conn import $D/nosuch.json", 2, "mcumgr-cli's connections: nosuch.json: " + gone, ""},
	},
	"files": {
		{"upgrade $D/nosuch.bin", 6, "nosuch.bin: " + gone, ""},
		{"upgrade $D/text.txt", 6, "~^text.txt: not an MCUboot image", imageHint},
		{"upgrade $D/empty", 6, "empty: the file is empty", ""},
		{"upgrade $T/app-2.0.0-corrupt.bin", 6,
			"~^app-2.0.0-corrupt.bin: image hash: .*the file was damaged or changed", ""},
		{"image test $D/nosuch.bin", 6, "nosuch.bin: " + gone,
			"an image is named by its file, its hash, or 8 or more digits of that; smpctl image list shows the hashes"},
		{"image test 12ab", 2, `image "12ab": a hash prefix needs at least 8 digits`, usedAs("image test")},
		{"package list $D/text.txt", 6,
			"text.txt: not an update package: neither a zip archive nor a dfu_multi_image container", ""},
		{"-p sim: fs upload $D/nosuch /lfs1/x", 2, "nosuch: " + gone, ""},
		{"-p sim: settings set a/b --file $D/nosuch", 2, "--file: nosuch: " + gone, ""},
		{"sign attach $D/text.txt --signature $D/text.txt -o $D/out", 6,
			"text.txt: is not a request that smpctl sign prepare wrote", ""},
	},
	"keys": {
		{"upgrade $T/app-2.0.0.bin --key $D/nosuch.pem", 2, "key: nosuch.pem: " + gone, ""},
		{"upgrade $T/app-2.0.0.bin --key $D/text.txt", 2, pemWanted, ""},
		{"upgrade $T/app-2.0.0-otherkey.bin --key $T/app.pub.pem", 6,
			"~^app-2.0.0-otherkey.bin: with key app.pub.pem: ", ""},
		{"verify $T/app-2.0.0.bin", 2, "--key is missing; smpctl inspect app-2.0.0.bin checks the hash alone",
			usedAs("verify")},
		{"key public $D/nosuch.pem", 2, "key: nosuch.pem: " + gone, ""},
		{"key hash $D/text.txt", 2, pemWanted, ""},
		{"key generate -k $D/text.txt --type ed25519", 2, "~text.txt: exists, and a key is never overwritten", "*"},
		{"sign $D/text.txt -o $D/out -v 1.x -H 0x200 -S 0x8000", 2,
			"~^--version 1.x: want up to four numbers, as 1.2.3", usedAs("sign")},
		{"sign $D/text.txt -o $D/out -v 1 -H 0x200 -S 0x8000 --align 3", 2, "--align 3: want 1, 2, 4, 8, 16 or 32",
			usedAs("sign")},
		{"sign $D/text.txt -o $D/out -v 1 -H 0x200 -S 0x8000 --signer $D/nosuch.pem", 2, "key: nosuch.pem: " + gone,
			""},
	},
	"requests": {
		{"-p sim: raw nosuch 0", 2, `group "nosuch": want a name, such as os, or a number up to 65535`, usedAs("raw")},
		{"-p sim: raw os 300", 2, `command "300": want a number up to 255`, usedAs("raw")},
		{"-p sim: raw os 0 {d:1}", 2, "raw: request: not JSON from here on: d:1}", jsonHint},
		{`-p sim: raw os 0 {"d":`, 2, "raw: request: the JSON value ends too early", jsonHint},
		{`-p sim: raw os 0 {"d":1}}`, 2, "raw: request: more than one JSON value", jsonHint},
		{`-p sim: raw os 0 {"d":1,"d":2}`, 2, `raw: request: key "d" twice`, jsonHint},
		{"-p sim: raw os 0 --cbor xyz", 2, `--cbor "xyz": want hexadecimal digits, two for each byte`, usedAs("raw")},
		{"-p sim: raw os 0 --format xml", 2, "--format xml: want json, diag or hex", usedAs("raw")},
		{"-p sim: settings set a/b --int many", 2, `--int "many": want a number that fits 4 bytes`,
			usedAs("settings set")},
		{"-p sim: settings set a/b --int 300:1", 2, `--int "300:1": want a number that fits 1 byte`,
			usedAs("settings set")},
		{"-p sim: settings set a/b", 2, "settings set: want one value: a text, --hex, --int or --file",
			usedAs("settings set")},
		{"-p sim: settings get demo/count --as float", 2, "--as float: want text, hex, int or uint",
			usedAs("settings get")},
		{"-p sim: datetime yesterday", 2,
			`time "yesterday": want now, 2026-11-21T10:30:00 or 2026-11-21T10:30:00+01:00`, usedAs("datetime")},
		{"-p sim: crash bang", 2, `crash "bang": want div0, jump0, ref0, assert or wdog`, usedAs("crash")},
		{"-p sim: log show reboot_log first", 2, `log show: index "first": want last, or a number`, usedAs("log show")},
		{"-p sim: enum single x", 2, `enum single: index "x": want a number`, usedAs("enum single")},
	},
	"refusals": {
		{"-p sim: stat nosuch", 5, "~^statistics: device refused: no statistics of this name", ""},
		{"-p sim: settings get nosuch/x", 5, "~^settings get: device refused: ", ""},
		{"-p sim: fs download /lfs1/nosuch $D/out", 5, "~^fs download: device refused: no such file", mountHint},
		{"-p sim: fs size /nofs/x", 5, "~^file size: device refused: |^fs size: device refused: ", mountHint},
		{"-p sim: os-info --format q", 5, "~^os info: device refused: unknown letter in the info format", ""},
		{"-p sim: raw 70 1", 5, "~^group 70 command 1: device refused: the device does not have this command",
			"the firmware was built without this command"},
		{"-p sim: image erase --slot 9", 5, "~^image erase: device refused: ", ""},
	},
}

// notOurs are words of Go, of the libraries, and of what they say when something is wrong.
var notOurs = regexp.MustCompile(`strconv|invalid syntax|accepts|arg\(s\)|flag\(s\)|cobra|pflag|` +
	`[Uu]nmarshal|(^|[^.])json:|dial (tcp|udp)|syscall|%!|\bEOF\b|goroutine|unexpected end|parsing "|\bnet/|lookup |0x[0-9a-f]{8,}|` +
	`struct field|invalid argument|shorthand|needs an argument|in the group|error parsing|toml:|invalid character|<nil>`)

// TestMistakes holds what users are told of their mistakes to the letter: the exit code, the sentence and the hint.
// With --json it is the same.
func TestMistakes(t *testing.T) {
	t.Parallel()
	known := 0
	paths := mistakePaths(t)
	for subject, list := range mistakes {
		known += len(list)
		t.Run(subject, func(t *testing.T) {
			for _, m := range list {
				t.Run(m.line, func(t *testing.T) { m.check(t, paths) })
			}
		})
	}
	if known < 60 {
		t.Errorf("%d mistakes, want at least 60", known)
	}
}

// mistakePaths makes what the lines mean by names with a dollar.
func mistakePaths(t *testing.T) *strings.Replacer {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"text.txt": "a shopping list\n", "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := filepath.Abs("../../../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("$D", dir, "$T", data, "$CLOSED", listenOnce(t, nil),
		// Kept, because a connection that nobody refers to is closed some time.
		"$SILENT", listenOnce(t, func(c net.Conn) { t.Cleanup(func() { c.Close() }) }), "$ENDS", listenOnce(t, func(c net.Conn) { c.Close() }))
}

// listenOnce is the address of somebody who takes connections and does that with them, or of nobody.
func listenOnce(t *testing.T, take func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if take == nil {
		l.Close()
		return "tcp:" + l.Addr().String()
	}
	t.Cleanup(func() { l.Close() })
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			take(c)
		}
	}()
	return "tcp:" + l.Addr().String()
}

// check runs the line, in text and as JSON.
func (m mistake) check(t *testing.T, paths *strings.Replacer) {
	t.Parallel()
	args := strings.Fields(paths.Replace(m.line))
	got := runLine(t, args...)
	text := withoutPaths(paths, got.Err)
	if got.Code != m.code {
		t.Errorf("exit code %d, want %d", got.Code, m.code)
	}
	var says, hint string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "smpctl: "); ok {
			says = rest
		}
		if rest, ok := strings.CutPrefix(line, "hint: "); ok {
			hint = rest
		}
	}
	if !fits(withoutPaths(paths, paths.Replace(m.says)), says) || !fits(m.hint, hint) {
		t.Errorf("got\n%s\nwant\nsmpctl: %s\nhint: %s", text, m.says, m.hint)
	}
	if found := notOurs.FindString(says + hint); found != "" {
		t.Errorf("%q is not our word, in:\n%s", found, text)
	}
	m.checkJSON(t, paths, append([]string{"--json"}, args...), says, hint)
}

// checkJSON sees that a program is told the same.
func (m mistake) checkJSON(t *testing.T, paths *strings.Replacer, args []string, says, hint string) {
	t.Helper()
	got := runLine(t, args...)
	lines := strings.Split(strings.TrimSpace(got.Err), "\n")
	var last struct {
		Error struct{ Kind, Message, Hint string }
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatalf("--json: %v in %q", err, got.Err)
	}
	kinds := map[string]int{"usage": 2, "port": 3, "no-reply": 4, "refused": 5, "image": 6}
	message := withoutPaths(paths, last.Error.Message) // not in JSON, which doubles backslashes
	same := message == says && (last.Error.Hint == hint || says == "a command is missing")
	if heard := m.code == 4 || m.line == ""; !same && !heard || kinds[last.Error.Kind] != m.code || got.Code != m.code {
		t.Errorf("--json: %d, %+v; want %d, %q, %q", got.Code, last.Error, m.code, says, hint)
	}
}

// withoutPaths leaves the names of files.
func withoutPaths(paths *strings.Replacer, text string) string {
	for _, dir := range []string{paths.Replace("$D"), paths.Replace("$T")} {
		for _, separator := range []string{string(filepath.Separator), "/"} {
			text = strings.ReplaceAll(text, dir+separator, "")
		}
	}
	return text
}

// fits reports whether a text is the one wanted, or like it; * is any.
func fits(want, got string) bool {
	if pattern, ok := strings.CutPrefix(want, "~"); ok {
		return regexp.MustCompile(pattern).MatchString(got)
	}
	return want == "*" && got != "" || want == got
}

// TestNotOurs sees that the words that no message may have are found where they stand.
func TestNotOurs(t *testing.T) {
	for _, text := range []string{
		`accepts 1 arg(s), received 2`, `strconv.ParseInt: parsing "x": invalid syntax`,
		`dial tcp 127.0.0.1:1: connect`,
		`unknown shorthand flag: 'x' in -x`, `required flag(s) "output" not set`, `unexpected end of JSON input`,
		`json: cannot unmarshal number into Go value`, `lookup host on 10.0.0.1:53: no such host`,
		`if any flags in the group [a b] are set none of the others can be`, `device disconnected: EOF`,
	} {
		if !notOurs.MatchString(text) {
			t.Errorf("%s: not found", text)
		}
	}
	ours := []string{clitest.Outcome{}.Err, "no such file or directory", "--baud 0: want 1 to 50000000"}
	if i := slices.IndexFunc(ours, notOurs.MatchString); i >= 0 {
		t.Errorf("%s: found", ours[i])
	}
}
