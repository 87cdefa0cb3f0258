package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
	"go.uber.org/goleak"
)

// lockedBuffer is a buffer that may be looked at while a command writes to it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// waitFor waits until the text has the part n times.
func (b *lockedBuffer) waitFor(t *testing.T, part string, n int) {
	t.Helper()
	for range 2000 {
		if strings.Count(b.String(), part) >= n {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("want %q %d times, got:\n%s", part, n, b.String())
}

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

	var out, errs lockedBuffer
	leave, interrupt := context.WithCancelCause(t.Context())
	defer interrupt(nil)
	none := func(string) (string, bool) { return "", false }
	done := make(chan int, 1)
	log := filepath.Join(t.TempDir(), "log")
	go func() {
		args := []string{"-p", link, "monitor", "--timestamps", "--log", log}
		done <- run(leave, args, streams{in: strings.NewReader(""), out: &out, err: &errs, terminal: &errs}, none)
	}()
	const resets = 3
	for n := range resets {
		out.waitFor(t, "build time", n+1)
		board.Reset()
	}
	out.waitFor(t, "build time", resets+1)
	interrupt(errInterrupted)
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
	_, address := serveDevice(t, sim.Options{Console: true})
	tests := []struct {
		args string
		code int
		want string // on standard error
	}{
		{"--for 50ms", 0, ""},
		{"--for 50ms --until never", 4, `smpctl: monitor: no line matched "never" within 50ms`},
		{"--until [", 2, "smpctl: --until: "},
	}
	for _, tt := range tests {
		got := runLine(t, append([]string{"-p", address, "monitor", "-q"}, strings.Fields(tt.args)...)...)
		if got.code != tt.code || !strings.HasPrefix(got.err, tt.want) {
			t.Errorf("%s: got %+v, want exit code %d and %q", tt.args, got, tt.code, tt.want)
		}
	}
	if got := runLine(t, "-p", "udp:127.0.0.1", "monitor"); got.code != 2 {
		t.Errorf("udp: got %+v, want exit code 2", got)
	}
	absent := filepath.Join(t.TempDir(), "nosuch")
	for _, wait := range [][]string{nil, {"--wait", "10ms"}} {
		if got := runLine(t, append([]string{"-p", absent, "monitor"}, wait...)...); got.code != 3 {
			t.Errorf("absent port %v: got %+v, want exit code 3", wait, got)
		}
	}
}

// TestMonitorSends sends what stands on standard input, frames among it, and shows the device's answers as such.
func TestMonitorSends(t *testing.T) {
	_, address := serveDevice(t, sim.Options{})
	const echo = "\x06\x09ABMKAAAJAABCAKFhZGVoZWxsb0YZ\n"
	var out, errs bytes.Buffer
	none := func(string) (string, bool) { return "", false }
	args := []string{"-p", address, "monitor", "--frames", "--until", "os echo", "--for", "10"}
	code := run(t.Context(), args, streams{in: strings.NewReader(echo), out: &out, err: &errs, terminal: &errs}, none)
	want := "< write response: os echo, sequence 66, version 2, 10 bytes {\"r\":\"hello\"}\r\n"
	if code != 0 || out.String() != want {
		t.Errorf("got %d, %q, %q, want 0 and %q", code, out.String(), errs.String(), want)
	}
}

// TestMonitorLeavesADeviceThatTakesNothing types into a port whose driver never ends a write.
func TestMonitorLeavesADeviceThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe() // nobody reads
		defer far.Close()
		conn := transport.NewConn(near, transport.Options{})
		defer conn.Close()
		var link wire
		link.set(conn)
		ctx, end := context.WithCancelCause(t.Context())
		start := time.Now()
		k := &keyboard{app: &app{}, in: iotest.OneByteReader(strings.NewReader("ls\x1d")), raw: true}
		k.pass(ctx, &link, end)
		if cause, took := context.Cause(ctx), time.Since(start); cause != errLeft || took > 5*time.Second {
			t.Errorf("after Ctrl-] and %v: %v, want %v soon", took, cause, errLeft)
		}
	})
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
	if got.code != 0 || connections > 4 {
		t.Errorf("got %+v after %d connections, want 0 and no more than a few", got, connections)
	}
}

// TestListenerKeepsTheReason floods a listener: the result stays small, and the bootloader's word is not lost.
func TestListenerKeepsTheReason(t *testing.T) {
	var b strings.Builder
	b.WriteString("I: Starting bootloader\r\nE: Image in the secondary slot is not valid!\r\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "D: mutex %d\r\nI: line %d\r\n", i, i)
	}
	l := newListener(nil)
	l.text.Put([]byte(b.String() + "last"))
	l.text.Close()
	l.hear()
	if got, want := l.log.Reason(), "Image in the secondary slot is not valid!"; got != want {
		t.Errorf("reason: got %q, want %q", got, want)
	}
	if n := len(l.kept); n != keptLines || l.kept[n-1] != "last" || l.kept[n-2] != "I: line 999" {
		t.Errorf("kept %d lines, the last %q, want %d up to the last one, without debugging",
			n, l.kept[n-2:], keptLines)
	}
}
