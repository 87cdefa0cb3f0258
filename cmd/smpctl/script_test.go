package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

func TestMain(m *testing.M) {
	// Scripts wait for resets more than they compute. A -parallel on the command line still counts.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	testscript.Main(m,
		map[string]func(){"smpctl": checkedMain, "testsigner": runTestSigner, "brokenctl": runBroken,
			"smpctl-pkcs11": runTestToken, "faultyboards": runFaultyBoards})
}

// TestScript runs testdata/script/*.txtar; testdata/script/README.md lists the commands.
func TestScript(t *testing.T) {
	fixtures, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("HOME", home)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
			e.Setenv("LocalAppData", filepath.Join(home, "local")) // of Windows
			e.Setenv("TESTDATA", fixtures)
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else each smpctl of a race build stays for a second
			e.Values[rackKey{}] = &scriptRack{}
			return os.MkdirAll(home, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"device":   startDevice,
			"board":    makeBoard,
			"journal":  journalLines,
			"plug":     plugIn,
			"unplug":   unplug,
			"silent":   startSilence,
			"stranger": startStranger,
			"mes":      startMES,
			"exits":    exits,
			"await":    await,
			"damage":   damage,
			"body":     writeBody,
			"envsubst": envsubst,
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "hangup": // not under nohup, which the command respects
				return !signal.Ignored(syscall.SIGHUP), nil
			case "bash-completion":
				_, err := os.Stat("/usr/share/bash-completion/bash_completion")
				_, missing := exec.LookPath("bash")
				return err == nil && missing == nil, nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
	})
}

// startDevice powers a virtual device on a port of this process, TCP unless -udp says otherwise, and puts its address
// into a variable: device [flags] [NAME].
func startDevice(ts *testscript.TestScript, neg bool, args []string) {
	var o sim.Options
	var mode, key, faults, odd string
	var udp bool
	f := flag.NewFlagSet("device", flag.ContinueOnError)
	f.BoolVar(&udp, "udp", false, "")
	f.StringVar(&mode, "mode", "swap", "")
	f.StringVar(&key, "key", "", "")
	f.StringVar(&faults, "faults", "", "")
	f.StringVar(&odd, "odd", "", "")
	deviceFlags(f, &o)
	ts.Check(f.Parse(args))
	if neg || f.NArg() > 1 {
		ts.Fatalf("usage: device [flags] [NAME]")
	}
	name := "PORT"
	if f.NArg() == 1 {
		name = f.Arg(0)
	}
	var err error
	o.Mode, err = sim.ParseMode(mode)
	ts.Check(err)
	o.Faults, err = sim.ParseFaults(faults)
	ts.Check(err)
	if key != "" {
		o.Key, err = trust.ReadPublicKey(ts.MkAbs(key))
		ts.Check(err)
	}
	if o.Flash != "" {
		o.Flash = ts.MkAbs(o.Flash)
	}
	// Short, but long enough for the old firmware to go on answering after the reset was accepted.
	o.ResetDelay, o.BootTime, o.SwapTime = 30*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	board, err := sim.NewDevice(o)
	ts.Check(err)
	ts.Defer(func() { board.Close() })
	if udp {
		ts.Setenv(name, serveUDP(ts, board))
	} else {
		ts.Setenv(name, serveTCP(ts, board, odd))
	}
}

// deviceFlags are the flags that say how a device is built.
func deviceFlags(f *flag.FlagSet, o *sim.Options) {
	f.StringVar(&o.Flash, "flash", "", "")
	f.IntVar(&o.Images, "images", 0, "")
	f.IntVar(&o.SlotSize, "slot-size", 0, "")
	f.IntVar(&o.BufSize, "buf-size", 0, "")
	f.IntVar(&o.BufCount, "buf-count", 0, "")
	f.DurationVar(&o.Latency, "latency", 0, "")
	f.BoolVar(&o.Legacy, "legacy", false, "")
	f.BoolVar(&o.Noise, "noise", false, "")
	f.BoolVar(&o.Console, "console", false, "")
	f.BoolVar(&o.NoParams, "no-params", false, "")
	f.BoolVar(&o.NoSlotInfo, "no-slots", false, "")
	f.BoolVar(&o.NoEcho, "no-echo", false, "")
	f.BoolVar(&o.NoFileHash, "no-file-hash", false, "")
	f.IntVar(&o.FSSize, "fs-size", 0, "")
	f.BoolVar(&o.NoDowngrade, "no-downgrade", false, "")
	f.BoolVar(&o.Blank, "blank", false, "")
	f.BoolVar(&o.Recovery, "recovery", false, "")
	f.BoolVar(&o.NetworkCore, "network-core", false, "")
	f.BoolVar(&o.Frugal, "frugal", false, "")
	f.BoolVar(&o.SerialRecovery.State, "state", false, "")
	f.BoolVar(&o.SerialRecovery.NoHash, "no-hash", false, "")
	f.DurationVar(&o.RecoveryWindow, "recovery-window", 0, "")
	f.BoolVar(&o.SerialRecovery.Old, "old-recovery", false, "")
	f.BoolVar(&o.SerialRecovery.DirectUpload, "direct-upload", false, "")
	f.BoolVar(&o.SerialRecovery.SlotInfo, "slots", false, "")
	f.BoolVar(&o.Raw, "raw", false, "")
	f.BoolVar(&o.SerialRecovery.Raw, "raw-recovery", false, "")
	f.BoolVar(&o.NoBootMode, "no-boot-mode", false, "")
	f.BoolVar(&o.NoSMP, "no-smp", false, "")
	f.BoolVar(&o.NoStorage, "no-storage", false, "")
	f.Func("no-group", "", func(s string) error {
		g, err := smp.ParseGroup(s)
		o.NoGroups = append(o.NoGroups, g)
		return err
	})
}

// serveUDP offers a device until the end of the script and returns its address.
func serveUDP(ts *testscript.TestScript, board *sim.Device) string {
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(serveUntilClosed(ts, func(ctx context.Context) error { return board.ServePacket(ctx, socket) }))
	return "udp:" + socket.LocalAddr().String()
}

// serveTCP does the same over TCP. With odd the device errs in that way, see newOddDevice.
func serveTCP(ts *testscript.TestScript, board *sim.Device, odd string) string {
	l := listenLocal(ts)
	if odd == "" {
		ts.Defer(serveUntilClosed(ts, func(ctx context.Context) error { return board.Serve(ctx, l) }))
	} else {
		o, err := newOddDevice(board, odd)
		ts.Check(err)
		ts.Defer(func() { l.Close() })
		go o.serve(l)
	}
	return "tcp:" + l.Addr().String()
}

// serveUntilClosed serves a device; the result ends that and waits for it.
func serveUntilClosed(ts *testscript.TestScript, serve func(context.Context) error) func() {
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- serve(ctx) }()
	return func() {
		stop()
		if err := <-served; err != nil {
			ts.Logf("serve: %v", err)
		}
	}
}

func listenLocal(ts *testscript.TestScript) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	return l
}

// exits runs a command and compares its exit code: exits CODE COMMAND [ARGS...].
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGS...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// await waits for a file that a program in the background makes, or for a text in it: await FILE [TEXT].
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: await FILE [TEXT]")
	}
	text := strings.Join(args[1:], "")
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Second)
	for {
		if data, err := readLink(ts.MkAbs(args[0])); err == nil && strings.Contains(data, text) {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			ts.Fatalf("%s did not appear", strings.Join(args, ": "))
		}
	}
}

// readLink reads a file, and of anything else only whether it is there: it may be a port.
func readLink(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return "", err
	}
	data, err := os.ReadFile(name)
	return string(data), err
}

// damage copies a file without what is behind its first SIZE bytes, or with zeros up to SIZE: damage SIZE FROM TO.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: damage SIZE FROM TO")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	out := make([]byte, n)
	copy(out, data)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), out, 0o600))
}

// writeBody writes the firmware inside an image: body IMAGE FILE.
func writeBody(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: body IMAGE FILE")
	}
	img, err := files.ReadImage(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), img.Body(), 0o600))
}

// envsubst copies a text with the values of its variables: envsubst FROM TO.
func envsubst(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: envsubst FROM TO")
	}
	text := os.Expand(ts.ReadFile(ts.Getenv("WORK")+"/"+args[0]), ts.Getenv)
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), args[1]), []byte(text), 0o600))
}
