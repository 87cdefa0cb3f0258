package transport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/transport"
)

// testTimeout ends a wait that would never end. No test that passes comes near it.
const testTimeout = 10 * time.Second

// ask and reply are an echo request of SMP version 2 and its answer.
var (
	ask   = packetOf(2, 0, "\xa1\x61d\x65hello")
	reply = packetOf(3, 0, "\xbf\x61r\x65hello\xff")
)

// packetOf builds a packet of the OS group's echo command.
func packetOf(op, sequence byte, payload string) []byte {
	n := len(payload)
	return append([]byte{1<<3 | op, 0, byte(n >> 8), byte(n), 0, 0, sequence, 0}, payload...)
}

// readOne reads one packet, but does not wait forever.
func readOne(t *testing.T, c *transport.Conn) []byte {
	t.Helper()
	type result struct {
		packet []byte
		err    error
	}
	got := make(chan result, 1)
	go func() {
		p, err := c.ReadPacket()
		got <- result{bytes.Clone(p), err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			t.Fatalf("ReadPacket: %v", r.err)
		}
		return r.packet
	case <-time.After(testTimeout):
		t.Fatal("ReadPacket: nothing arrives")
		return nil
	}
}

// listenTCP listens on the loopback interface and lets serve deal with each connection.
func listenTCP(t *testing.T, serve func(net.Conn)) (host string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String()
}

func TestDialTCP(t *testing.T) {
	host := listenTCP(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	c, err := transport.Dial(t.Context(), "tcp:"+host, transport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for n := range byte(3) {
		want := []byte{0x0a, 0, 0, 1, 0, 0, n, 0, 0xa0}
		if err := c.WritePacket(want); err != nil {
			t.Fatal(err)
		}
		if got, err := c.ReadPacket(); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("packet %d: got %x, %v, want %x", n, got, err, want)
		}
	}
	if got := c.Port(); got != (transport.Port{Interface: transport.AnyInterface}) {
		t.Errorf("port: got %+v, want none", got)
	}
}

func TestDialTCPFarEndCloses(t *testing.T) {
	host := listenTCP(t, func(net.Conn) {})
	c, err := transport.Dial(t.Context(), "tcp:"+host, transport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ReadPacket(); !errors.Is(err, transport.ErrDisconnected) {
		t.Errorf("got %v, want %v", err, transport.ErrDisconnected)
	}
}

func TestDialTCPCloseEndsRead(t *testing.T) {
	host := listenTCP(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	c, err := transport.Dial(t.Context(), "tcp:"+host, transport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := c.ReadPacket()
		ended <- err
	}()
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := <-ended; err != transport.ErrClosed {
		t.Errorf("ReadPacket: got %v, want %v", err, transport.ErrClosed)
	}
}

func TestDialTCPRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "tcp:" + l.Addr().String()
	l.Close()
	_, err = transport.Dial(t.Context(), address, transport.Options{})
	var open *transport.OpenError
	if !errors.As(err, &open) || open.Address != address {
		t.Fatalf("got %v, want an OpenError for %s", err, address)
	}
	if !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %q, want it to say refused", err)
	}
	if strings.Contains(err.Error(), "dial tcp") {
		t.Errorf("got %q, want no words of package net", err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %q, want a port that is not there: whoever listens may start later", err)
	}
}

func TestDialWrongAddress(t *testing.T) {
	for _, address := range []string{"tcp:nowhere", "usb:nothing", "frob:x", "udp:"} {
		_, err := transport.Dial(t.Context(), address, transport.Options{})
		var wrong *transport.AddressError
		if !errors.As(err, &wrong) {
			t.Errorf("%s: got %v, want an AddressError", address, err)
		}
	}
}

// TestDialNoSuchDevice asks for a serial number that no device has.
func TestDialNoSuchDevice(t *testing.T) {
	_, err := transport.Dial(t.Context(), "usb:serial=no such board", transport.Options{})
	var choice *transport.ChoiceError
	if !errors.As(err, &choice) || choice.Matched != 0 {
		t.Errorf("got %v, want a ChoiceError without a match", err)
	}
}

func TestDialContextEnded(t *testing.T) {
	host := listenTCP(t, func(net.Conn) {})
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err := transport.Dial(ctx, "tcp:"+host, transport.Options{})
	if err == nil {
		t.Fatal("got no error")
	}
}
