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

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
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
			if got := runLine(t, "-p", ready.Port, "-t", "0.1", "-r", "1", "echo", "hello"); got.code != tt.after {
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
		done <- run(ctx, args, streams{in: strings.NewReader(""), out: io.Discard, err: errs, terminal: errs}, none)
	}()
	decoder := json.NewDecoder(events)
	var ready [2]readyEvent
	for i, network := range []string{"tcp:", "udp:"} {
		if err := decoder.Decode(&ready[i]); err != nil || ready[i].Event != "ready" ||
			!strings.HasPrefix(ready[i].Port, network) {
			t.Fatalf("got %+v, %v, want the event ready for %s", ready[i], err, network)
		}
	}
	go io.Copy(io.Discard, events)
	for _, way := range ready {
		if got := runLine(t, "-p", way.Port, "echo", "hello"); got.code != 0 || got.out != "hello\n" {
			t.Errorf("echo over %s: got %+v, want hello", way.Port, got)
		}
	}
	interrupt(errInterrupted)
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
		if got := runLine(t, "sim", args[0], args[1]); got.code != 3 || !strings.Contains(got.err, args[1]) {
			t.Errorf("%s: got %+v, want exit code 3 and the address", args[0], got)
		}
	}
}

// TestFit keeps a device with large buffers from getting more than the link carries.
func TestFit(t *testing.T) {
	const console = transport.MaxFramed + 4 // what the framing adds counts too
	tests := []struct {
		name, address string
		have, want    smp.Options
	}{
		{"UDP", "udp:127.0.0.1", smp.Options{Tries: 2}, smp.Options{Tries: 2, MaxBuffer: 1472}},
		{"UDP, IPv6", "udp:[::1]:1337", smp.Options{}, smp.Options{MaxBuffer: 1452}},
		{"UDP, buffer given", "udp:127.0.0.1", smp.Options{Buffer: 2048}, smp.Options{Buffer: 1472, MaxBuffer: 1472}},
		{"UDP, small buffer given", "udp:127.0.0.1", smp.Options{Buffer: 300},
			smp.Options{Buffer: 300, MaxBuffer: 1472}},
		{"UDP, mtu given", "udp:127.0.0.1", smp.Options{MaxBuffer: 512}, smp.Options{MaxBuffer: 512}},
		{"UDP, large mtu given", "udp:127.0.0.1", smp.Options{MaxBuffer: 4096}, smp.Options{MaxBuffer: 1472}},
		{"console", "", smp.Options{Buffer: 2048}, smp.Options{Buffer: 2048, MaxBuffer: console}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			here, there := net.Pipe()
			defer there.Close()
			link := transport.NewConn(here, transport.Options{})
			defer link.Close()
			if tt.address != "" {
				var err error
				if link, err = transport.Dial(t.Context(), tt.address, transport.Options{}); err != nil {
					t.Skip(err)
				}
				defer link.Close()
			}
			if got := fit(tt.have, link); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
