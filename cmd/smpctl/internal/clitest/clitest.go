package clitest

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/smpctl/smpctl/smp/sim"
)

// ServeDevice serves a virtual device on a TCP port until the test ends.
func ServeDevice(t *testing.T, o sim.Options) (*sim.Device, string) {
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
