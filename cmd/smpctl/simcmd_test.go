package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/smp/sim"
)

// serveDevice serves a virtual device on a TCP port until the test ends.
func serveDevice(t *testing.T, o sim.Options) (*sim.Device, string) {
	t.Helper()
	board, err := sim.NewDevice(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() { served <- board.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-served, board.Close()); err != nil {
			t.Error(err)
		}
	})
	return board, "tcp:" + l.Addr().String()
}

// TestSimServes starts the command, reaches the device under the address that it prints, and stops it.
func TestSimServes(t *testing.T) {
	link := filepath.Join(t.TempDir(), "board")
	tests := []struct {
		name  string
		flags []string
		linux bool
	}{
		{"tcp", []string{"--tcp", "127.0.0.1:0"}, false},
		{"pty", []string{"--pty", link}, true},
		{"slow", []string{"--tcp", "127.0.0.1:0", "-b", "1000000", "--images", "2", "--slot-size", "0x20000", "--noise"}, false},
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
				done <- run(ctx, args, streams{in: strings.NewReader(""), out: &out, err: errs, terminal: errs}, none)
			}()
			var ready readyEvent
			if err := json.NewDecoder(events).Decode(&ready); err != nil || ready.Event != "ready" {
				t.Fatalf("got %+v, %v, want the event ready", ready, err)
			}
			go io.Copy(io.Discard, events)

			if got := runLine(t, "-p", ready.Port, "echo", "hello"); got.code != 0 || got.out != "hello\n" {
				t.Errorf("echo: got %+v, want hello", got)
			}
			interrupt(errInterrupted)
			if code := <-done; code != 0 {
				t.Errorf("stopped by the user: got exit code %d, want 0", code)
			}
			var result simResult
			if err := json.Unmarshal([]byte(out.String()), &result); err != nil || result.Requests == 0 {
				t.Errorf("got %q, %v, want a document that counts requests", out.String(), err)
			}
			if got := runLine(t, "-p", ready.Port, "-t", "0.1", "-r", "1", "echo", "hello"); got.code != 3 {
				t.Errorf("echo after the end: got %+v, want exit code 3", got)
			}
		})
	}
}

func TestSimRefusesTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := runLine(t, "sim", "--tcp", l.Addr().String())
	if got.code != 3 || !strings.Contains(got.err, l.Addr().String()) {
		t.Errorf("got %+v, want exit code 3 and the address", got)
	}
}
