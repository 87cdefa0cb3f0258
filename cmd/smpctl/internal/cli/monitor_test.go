package cli

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp/sim"
	"go.uber.org/goleak"
)

// TestMonitorSurvivesResets resets a device whose port vanishes and comes back under another name, and wants every line
// of every boot.
func TestMonitorSurvivesResets(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs pseudo-terminals")
	}
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	board, err := sim.NewDevice(sim.Options{Console: true, BootTime: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "board")
	ctx, stop := context.WithCancel(context.Background())
	ready := make(chan string, 10)
	served := make(chan error, 1)
	go func() { served <- board.ServePTY(ctx, link, func(name string) { ready <- name }) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		board.Close()
	}()
	<-ready

	var out, errs clitest.LockedBuffer
	leave, interrupt := context.WithCancelCause(t.Context())
	defer interrupt(nil)
	none := func(string) (string, bool) { return "", false }
	done := make(chan int, 1)
	log := filepath.Join(t.TempDir(), "log")
	go func() {
		args := []string{"-p", link, "monitor", "--timestamps", "--log", log}
		done <- Run(leave, args, app.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, none)
	}()
	const resets = 3
	for n := range resets {
		out.WaitFor(t, "build time", n+1)
		board.Reset()
	}
	out.WaitFor(t, "build time", resets+1)
	interrupt(failure.ErrInterrupted)
	if code := <-done; code != 0 {
		t.Errorf("left by the user: got exit code %d, %q, want 0", code, errs.String())
	}
	checkBoots(t, out.String(), resets+1)
	if got := strings.Count(errs.String(), "is back\n"); got != resets {
		t.Errorf("standard error: got %q, want it to say %d times that the port is back", errs.String(), resets)
	}
}

// checkBoots wants the log of n boots, all lines of each in order, each with a time.
func checkBoots(t *testing.T, text string, n int) {
	t.Helper()
	want := []string{
		"*** Booting MCUboot", "*** Using Zephyr", "I: Starting bootloader", "I: Image index: 0",
		"I: Bootloader chainload", "I: Image version",
		"I: Jumping to", "*** Booting Zephyr", "[00:00:00.000,000] \x1b[0m<inf> smp_sample: build time",
	}
	stamp := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d\d\d `)
	lines := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
	if len(lines) != n*len(want) {
		t.Fatalf("got %d lines, want %d:\n%s", len(lines), n*len(want), text)
	}
	for i, line := range lines {
		if head := want[i%len(want)]; !stamp.MatchString(line) ||
			!strings.HasPrefix(stamp.ReplaceAllString(line, ""), head) {
			t.Errorf("line %d: got %q, want a time and %q", i, line, head)
		}
	}
}

// TestMonitorBounds sees that each way to end gives its exit code.
func TestMonitorBounds(t *testing.T) {
	_, address := clitest.ServeDevice(t, sim.Options{Console: true})
	tests := []struct {
		args string
		code int
		want string // on standard error
	}{
		{"--for 50ms", 0, ""},
		{"--for 50ms --until never", 4, `smpctl: monitor: no line matched "never" within 50ms`},
		{"--until [", 2, `smpctl: --until "[": is no regular expression: missing closing ]`},
	}
	for _, tt := range tests {
		got := runLine(t, append([]string{"-p", address, "monitor", "-q"}, strings.Fields(tt.args)...)...)
		if got.Code != tt.code || !strings.HasPrefix(got.Err, tt.want) {
			t.Errorf("%s: got %+v, want exit code %d and %q", tt.args, got, tt.code, tt.want)
		}
	}
	if got := runLine(t, "-p", "udp:127.0.0.1", "monitor"); got.Code != 2 {
		t.Errorf("udp: got %+v, want exit code 2", got)
	}
	absent := filepath.Join(t.TempDir(), "nosuch")
	for _, wait := range [][]string{{"--wait", "0"}, {"--wait", "10ms"}} {
		if got := runLine(t, append([]string{"-p", absent, "monitor"}, wait...)...); got.Code != 3 {
			t.Errorf("absent port %v: got %+v, want exit code 3", wait, got)
		}
	}
}

// TestMonitorSends sends what stands on standard input, frames among it, and shows the device's answers as such.
func TestMonitorSends(t *testing.T) {
	_, address := clitest.ServeDevice(t, sim.Options{})
	const echo = "\x06\x09ABMKAAAJAABCAKFhZGVoZWxsb0YZ\n"
	var out, errs bytes.Buffer
	none := func(string) (string, bool) { return "", false }
	args := []string{"-p", address, "monitor", "--frames", "--until", "os echo", "--for", "10"}
	code := Run(t.Context(), args, app.Streams{In: strings.NewReader(echo), Out: &out, Err: &errs}, none)
	want := "< write response: os echo, sequence 66, version 2, 10 bytes {\"r\":\"hello\"}\r\n"
	if code != 0 || out.String() != want {
		t.Errorf("got %d, %q, %q, want 0 and %q", code, out.String(), errs.String(), want)
	}
}

// TestMonitorTakesItsTime has a port that ends each connection at once.
func TestMonitorTakesItsTime(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections := 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections++
			c.Close()
		}
	}()
	got := runLine(t, "-p", "tcp:"+l.Addr().String(), "monitor", "--for", "0.5")
	l.Close()
	<-done
	if got.Code != 0 || connections > 4 {
		t.Errorf("got %+v after %d connections, want 0 and no more than a few", got, connections)
	}
}
