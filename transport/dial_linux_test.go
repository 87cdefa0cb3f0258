package transport_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/smpctl/smpctl/transport"
)

// TestDialTCPSwallowed dials a host that neither accepts nor refuses, because its queue of connections is full.
func TestDialTCPSwallowed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var short error
	if err := raw.Control(func(fd uintptr) { short = syscall.Listen(int(fd), 0) }); err != nil || short != nil {
		t.Fatal(err, short)
	}
	host := l.Addr().String()
	full := false
	for range 5 {
		c, err := net.DialTimeout("tcp", host, 30*time.Millisecond)
		if err != nil {
			full = true
			break
		}
		defer c.Close()
	}
	if !full {
		t.Skip("the queue of connections takes them all")
	}
	start := time.Now()
	_, err = transport.Dial(within(t, 50*time.Millisecond), "tcp:"+host, transport.Options{})
	var open *transport.OpenError
	var timeout net.Error
	if !errors.As(err, &open) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v, want an OpenError because time is up", err)
	}
	if took := time.Since(start); took > 500*time.Millisecond {
		t.Errorf("took %v, want 50ms", took)
	}
}
