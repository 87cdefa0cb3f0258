package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// sealedLines are command lines of every command, in the order in which they are run. $PORT is a device, $T the
// fixtures, $D a folder of the test, $KEYS key files.
var sealedLines = map[string][]string{
	"":            {"", "--json=true", "--help", "help upgrade", "--nonsense", "nonsense", "-p"},
	"bench":       {"-p $PORT bench --seconds 0.1"},
	"bootloader":  {"-p $PORT bootloader"},
	"config":      {"-p $PORT config demo/count", "-p $PORT config demo/count 7"},
	"conn":        {"conn", "conn nonsense"},
	"conn add":    {"conn add dk type=serial connstring=/dev/ttyACM0", "conn add dk type=parallel"},
	"conn delete": {"conn delete nobody"},
	"conn import": {"conn import $D/none.json"},
	"conn show":   {"conn show", "conn show nobody"},
	"crash":       {"-p $PORT -t 0.1 -r 1 crash div0"},
	"datetime":    {"-p $PORT datetime", "-p $PORT datetime now", "-p $PORT datetime never"},
	"echo": {
		"-p $PORT echo hello",
		"-p $PORT echo \x7f\u202e\U000e0041\x1b[2J",
		"-p tcp:nowhere echo hello",
	},
	"enum":         {"-p $PORT enum"},
	"enum count":   {"-p $PORT enum count"},
	"enum details": {"-p $PORT enum details"},
	"enum list":    {"-p $PORT enum list"},
	"enum single":  {"-p $PORT enum single 0", "-p $PORT enum single 99"},
	"fs":           {"fs"},
	"fs close":     {"-p $PORT fs close"},
	"fs download": {
		"-p $PORT fs upload $T/app.pub.pem /lfs1/key",
		"-p $PORT fs download /lfs1/key $D/key",
		"-p $PORT fs download /lfs1/key -",
	},
	"fs hash": {"-p $PORT fs hash /lfs1/none"},
	"fs size": {"-p $PORT fs size /lfs1/none"},
	"fs upload": {
		"-p $PORT fs upload $T/app.pub.pem /lfs1/key",
		"-p $PORT fs upload $T/app.pub.pem /lfs1/key",
	},
	"image":         {"image", "image nonsense"},
	"image confirm": {"-p $PORT image confirm", "-p $PORT image confirm deadbeef"},
	"image erase":   {"-p $PORT image erase", "-p $PORT image erase --slot 99"},
	"image list":    {"-p $PORT image list"},
	"image slots":   {"-p $PORT image slots"},
	"image test":    {"-p $PORT image test deadbeef", "-p $PORT image test $T/app-2.0.0.bin"},
	"image upload": {
		"-p $PORT image upload $T/app-2.0.0.bin",
		"-p $PORT image upload $T/app-2.0.0.bin",
		"-p $PORT image upload $T/app-2.0.0-corrupt.bin",
		"-p $PORT image upload $D/none.bin",
	},
	"info": {"-p $PORT info"},
	"inspect": {
		"inspect $T/app-2.0.0.bin",
		"inspect $T/app-2.0.0-corrupt.bin",
		"inspect $T/package/dfu_application_nrf5340.zip",
	},
	"key": {"key"},
	"key generate": {
		"key generate -k $D/new.pem --type ed25519",
		"key generate -k $D/new.pem --type ed25519",
	},
	"key hash": {"key hash $KEYS/ed25519.pem", "key hash $KEYS/ed25519.pem -e raw"},
	"key info": {"key info $KEYS/ed25519.pem", "key info $KEYS/ed25519.pem --require public"},
	"key provision": {
		"key provision $KEYS/ed25519.pub.pem -o $D/kmu.json --policy lock",
		"key provision $KEYS/ecdsa-p256.pem -o $D/no.json",
	},
	"key public": {
		"key public $KEYS/ed25519.pem",
		"key public $T/keys/ed25519.crt.pem -e pem",
		"key public $D/none.pem",
	},
	"log":             {"log"},
	"log clear":       {"-p $PORT log clear"},
	"log level_list":  {"-p $PORT log level_list"},
	"log list":        {"-p $PORT log list"},
	"log module_list": {"-p $PORT log module_list"},
	"log show":        {"-p $PORT log show"},
	"monitor": {
		"-p sim: monitor --for 0.2",
		"-p sim: monitor --until Booting --for 10",
		"-p sim: monitor --until nothing --for 0.2 --frames",
	},
	"mpstat":  {"-p $PORT mpstat"},
	"os-info": {"-p $PORT os-info", "-p $PORT os-info --format xyz"},
	"package": {"package"},
	"package build": {
		"package build $T/app-2.0.0.bin -o $D/app.zip --board dk",
		"package build $D/none.bin -o $D/no.zip",
	},
	"package extract": {
		"package extract $T/package/dfu_application_nrf5340.zip -o $D/out",
		"package extract $T/package/bad-path.zip -o $D/no",
	},
	"package list": {
		"package list $T/package/dfu_application_nrf5340.zip",
		"package list $T/package/bad-json.zip",
	},
	"params":          {"-p $PORT params"},
	"ports":           {"ports"},
	"raw":             {"-p $PORT raw 0 6", "-p $PORT raw 70 1", "-p $PORT raw 0 6 {"},
	"records":         {"records", "records nonsense"},
	"records export":  {"records export --dir $D -o $D/out.csv", "records export --dir $D"},
	"records list":    {"records list --dir $D", "records list --dir $D/none"},
	"records report":  {"records report --dir $D -o $D/out.html"},
	"records resolve": {"records resolve nobody --result fail --dir $D"},
	"records show":    {"records show nobody --dir $D"},
	"records verify":  {"records verify --dir $D", "records verify --dir $D --key $T/app.pub.pem"},
	"recover": {
		"-p $PORT recover --enter $T/app-2.0.0.bin",
		"-p $PORT recover --wait 0.5 $T/app-3.0.0.bin",
	},
	"records schema": {"records schema"},
	"records send": {
		"records send --dir $D --to postgres://anna:secret@127.0.0.1/plant",
		"records send --dir $D/none --to http://127.0.0.1:1/v1",
	},
	"reset":           {"-p $PORT reset --wait", "-p $PORT reset --bootloader --wait", "-p $PORT reset"},
	"run":             {"run"},
	"run list":        {"-p $PORT run list"},
	"run test":        {"-p $PORT run test"},
	"settings":        {"settings"},
	"settings commit": {"-p $PORT settings commit"},
	"settings delete": {"-p $PORT settings delete demo/count"},
	"settings get":    {"-p $PORT settings get demo/count", "-p $PORT settings get none"},
	"settings load":   {"-p $PORT settings load"},
	"settings save":   {"-p $PORT settings save"},
	"settings set":    {"-p $PORT settings set demo/name x"},
	"shell":           {"-p $PORT shell"},
	"shell exec":      {"-p $PORT shell exec echo hi", "-p $PORT shell exec fail 7", "-p $PORT shell exec"},
	"sign": {
		"sign $T/app.pub.pem -o $D/s.bin --signer $KEYS/ed25519.pem -v 1.2.3 -H 0x40 --pad-header -S 0x4000",
		"sign $T/app.pub.pem -o $D/n.bin --signer exec:false --public-key $KEYS/ed25519.pub.pem -v " +
			"1.2.3 -H 0x40 --pad-header -S 0x4000",
		"sign $T/app.pub.pem -o $D/n.bin --signer 'exec:echo touch the card >&2; echo no signature' " +
			"--public-key $KEYS/ed25519.pub.pem -v 1.2.3 -H 0x40 --pad-header -S 0x4000",
	},
	"sign again": {
		"sign again $T/app-2.0.0.bin -o $D/a.bin --signer $KEYS/ed25519.pem",
		"sign again $T/app.pub.pem -o $D/n.bin --signer $KEYS/ed25519.pem",
	},
	"sign attach": {"sign attach $D/none.json --signature $D/none -o $D/n.bin"},
	"sign prepare": {
		"sign prepare $T/app.pub.pem -o $D/r.json --public-key $KEYS/ed25519.pub.pem -v 1.2.3 -H 0x40 " +
			"--pad-header -S 0x4000",
	},
	"sim": {"sim --tcp 127.0.0.1:0", "sim", "sim --tcp nowhere"},
	"station": {"station --init", "station", "station $D/none.toml", "station --init --demo",
		"station --demo -p $PORT --no-web"},
	"stat":      {"-p $PORT stat smp_svr_stats", "-p $PORT stat none"},
	"stat list": {"-p $PORT stat list"},
	"taskstat":  {"-p $PORT taskstat"},
	"upgrade": {
		"-p $PORT upgrade $T/app-2.0.0.bin --check 'echo out; echo err >&2; printf half'",
		"-p $PORT upgrade $T/app-3.0.0.bin --dry-run",
		"-p $PORT upgrade $T/app-3.0.0.bin --mode test --console",
		"-p $PORT upgrade $T/app-2.0.0.bin --check 'exit 4'",
		"-p $PORT upgrade $T/app-2.0.0.bin --key $KEYS/ed25519.pub.pem",
		"-p $PORT upgrade $T/app-2.0.0.bin --mode sideways",
	},
	"verify": {
		"verify $T/app-2.0.0.bin --key $T/app.pub.pem",
		"verify $T/app-2.0.0-otherkey.bin --key $T/app.pub.pem",
		"verify $T/app-2.0.0.bin",
	},
	"version":              {"version", "version extra"},
	"zephyr":               {"zephyr"},
	"zephyr erase-storage": {"-p $PORT zephyr erase-storage"},
	"completion": {
		"completion bash",
		"completion zsh",
		"completion fish",
		"completion powershell",
		"completion",
		"completion nonsense",
	},
}

func TestMain(m *testing.M) {
	// Commands wait for resets more than they compute. A -parallel on the command line still counts.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestJSONIsSealed runs every command with --json: what it does, what it refuses, and mistakes in its line. Standard
// output is one document or empty, and every line on standard error is an object.
func TestJSONIsSealed(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range everyCommand(testRoot()) {
		name := strings.TrimSpace(strings.TrimPrefix(c.CommandPath(), "smpctl"))
		tested[name] = true
		t.Run(c.CommandPath(), func(t *testing.T) {
			t.Parallel()
			lines := sealedLines[name]
			if len(lines) == 0 {
				t.Fatal("no command line of it in sealedLines")
			}
			first := lines[:min(len(lines), 2)]
			sealed(t, sim.Options{Console: true, Noise: true}, lines, "--json")
			sealed(t, sim.Options{}, first, "--json -q")
			sealed(t, sim.Options{}, first, "--json -l debug")
			sealed(t, sim.Options{NoGroups: everyGroup()}, first, "--json")
			mistakes := []string{name + " --help", name + " --nonsense", name + " -p nonsense: --loglevel loud",
				name + " -p nonsense:", name + " -p nonsense: a b c d e f"}
			sealed(t, sim.Options{}, mistakes, "--json")
		})
	}
	for name := range sealedLines {
		if !tested[name] && name != "completion" { // which comes and goes with cobra
			t.Errorf("there is no command %q", name)
		}
	}
}

func everyGroup() []smp.Group {
	var all []smp.Group
	for g := range smp.Group(64) {
		if g != smp.GroupOS {
			all = append(all, g)
		}
	}
	return all
}

// sealed runs lines one after the other, all on one device.
func sealed(t *testing.T, o sim.Options, lines []string, more string) {
	t.Run(more, func(t *testing.T) {
		t.Parallel()
		runSealedLines(t, o, lines, more)
	})
}

func runSealedLines(t *testing.T, o sim.Options, lines []string, more string) {
	t.Helper()
	o.ResetDelay, o.BootTime, o.SwapTime = 20*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond
	_, port := clitest.ServeDevice(t, o)
	fixtures, err := filepath.Abs("../../../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	expand := strings.NewReplacer("$PORT", port, "$T", fixtures, "$D", t.TempDir(),
		"$KEYS", filepath.Join(fixtures, "image", "keys"))
	for _, line := range lines {
		if strings.Contains(line, "exec:") && runtime.GOOS == "windows" {
			continue
		}
		args := slices.Concat(words(t, expand.Replace(line)), strings.Fields(more))
		out, errs := runSealed(t, args)
		if !strings.HasSuffix(line, " -") && !isOneDocument(out) {
			t.Errorf("%q: standard output is not one document: %.200q", args, out)
		}
		for said := range strings.Lines(errs) {
			var object map[string]json.RawMessage
			if err := json.Unmarshal([]byte(said), &object); err != nil || len(object) == 0 {
				t.Errorf("%q: %q on standard error is no JSON object: %v", args, said, err)
			} else if object["event"] == nil && object["error"] == nil {
				t.Errorf("%q: %q on standard error is neither an event nor an error", args, said)
			}
		}
		if strings.Contains(more, "-q") && strings.Contains(errs, `{"event":`) {
			t.Errorf("%q: news on standard error: %q", args, errs)
		}
	}
}

// runSealed runs a command line to its end; one that serves is interrupted once it is ready.
func runSealed(t *testing.T, args []string) (out, errs string) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, failure.ErrInterrupted)
	defer cancel()
	home := t.TempDir()
	env := func(name string) (string, bool) { return home, name == "HOME" || name == "XDG_CONFIG_HOME" }
	var o bytes.Buffer
	e := &stopWriter{at: regexp.MustCompile(`"event":"ready"`), stop: cancel}
	if slices.Contains(args, "sim") && slices.Contains(args, "-q") { // it says nothing
		time.AfterFunc(100*time.Millisecond, cancel)
	}
	Run(ctx, args, app.Streams{In: strings.NewReader("echo hi\nfail 7\n"), Out: &o, Err: e}, env)
	return o.String(), e.String()
}

// isOneDocument reports whether text is empty or a single JSON document in one line.
func isOneDocument(text string) bool {
	if text == "" {
		return true
	}
	d := json.NewDecoder(strings.NewReader(text))
	var v any
	if d.Decode(&v) != nil {
		return false
	}
	_, err := d.Token()
	return err == io.EOF && strings.Count(text, "\n") == 1
}

// TestCompletionIsNoJSON completes a line that has --json in it: the shell reads no JSON.
func TestCompletionIsNoJSON(t *testing.T) {
	got := runLine(t, "__complete", "--json", "imag")
	if got.Code != 0 || !strings.HasPrefix(got.Out, "image\t") {
		t.Errorf("got %+v, want the command as shells take it", got)
	}
}
