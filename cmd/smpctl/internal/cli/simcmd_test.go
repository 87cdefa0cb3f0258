package cli

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// TestSimServes starts the command, reaches the device under the address that it prints, and stops it.
func TestSimServes(t *testing.T) {
	link := filepath.Join(t.TempDir(), "board")
	tests := []struct {
		name  string
		flags []string
		linux bool
		after int // exit code of a command once the device is gone
	}{
		{"tcp", []string{"--tcp", "127.0.0.1:0"}, false, 3},
		{"udp", []string{"--udp", "127.0.0.1:0"}, false, 4}, // nothing connects over UDP, so nothing is refused
		{"pty", []string{"--pty", link}, true, 3},
		{"slow",
			[]string{"--tcp", "127.0.0.1:0", "-b", "1000000", "--images", "2", "--slot-size", "0x20000", "--noise"},
			false, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.linux && runtime.GOOS != "linux" {
				t.Skip("needs pseudo-terminals")
			}
			ctx, interrupt := context.WithCancelCause(t.Context())
			defer interrupt(nil)
			events, errs := io.Pipe()
			var out strings.Builder
			none := func(string) (string, bool) { return "", false }
			done := make(chan int, 1)
			go func() {
				defer errs.Close()
				args := append([]string{"sim", "--json"}, tt.flags...)
				done <- Run(ctx, args, app.Streams{In: strings.NewReader(""), Out: &out, Err: errs}, none)
			}()
			var ready struct{ Event, Port string }
			if err := json.NewDecoder(events).Decode(&ready); err != nil || ready.Event != "ready" {
				t.Fatalf("got %+v, %v, want the event ready", ready, err)
			}
			go io.Copy(io.Discard, events)

			if got := runLine(t, "-p", ready.Port, "echo", "hello"); got.Code != 0 || got.Out != "hello\n" {
				t.Errorf("echo: got %+v, want hello", got)
			}
			interrupt(failure.ErrInterrupted)
			if code := <-done; code != 0 {
				t.Errorf("stopped by the user: got exit code %d, want 0", code)
			}
			var result struct{ Requests int }
			if err := json.Unmarshal([]byte(out.String()), &result); err != nil || result.Requests == 0 {
				t.Errorf("got %q, %v, want a document that counts requests", out.String(), err)
			}
			if got := runLine(t, "-p", ready.Port, "--wait", "0", "-t", "0.1", "-r", "1", "echo",
				"hello"); got.Code != tt.after {
				t.Errorf("echo after the end: got %+v, want exit code %d", got, tt.after)
			}
		})
	}
}

// TestSimServesAllWays reaches one device through each of its ports.
func TestSimServesAllWays(t *testing.T) {
	ctx, interrupt := context.WithCancelCause(t.Context())
	defer interrupt(nil)
	events, errs := io.Pipe()
	done := make(chan int, 1)
	go func() {
		defer errs.Close()
		args := []string{"sim", "--json", "--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"}
		none := func(string) (string, bool) { return "", false }
		done <- Run(ctx, args, app.Streams{In: strings.NewReader(""), Out: io.Discard, Err: errs}, none)
	}()
	decoder := json.NewDecoder(events)
	var ready [2]struct{ Event, Port string }
	for i, network := range []string{"tcp:", "udp:"} {
		if err := decoder.Decode(&ready[i]); err != nil || ready[i].Event != "ready" ||
			!strings.HasPrefix(ready[i].Port, network) {
			t.Fatalf("got %+v, %v, want the event ready for %s", ready[i], err, network)
		}
	}
	go io.Copy(io.Discard, events)
	for _, way := range ready {
		if got := runLine(t, "-p", way.Port, "echo", "hello"); got.Code != 0 || got.Out != "hello\n" {
			t.Errorf("echo over %s: got %+v, want hello", way.Port, got)
		}
	}
	interrupt(failure.ErrInterrupted)
	if code := <-done; code != 0 {
		t.Errorf("stopped by the user: got exit code %d, want 0", code)
	}
}

func TestSimRefusesTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for _, args := range [][2]string{{"--tcp", l.Addr().String()}, {"--udp", u.LocalAddr().String()}} {
		if got := runLine(t, "sim", args[0], args[1]); got.Code != 3 || !strings.Contains(got.Err, args[1]) {
			t.Errorf("%s: got %+v, want exit code 3 and the address", args[0], got)
		}
	}
}
