package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/smpctl/smpctl/transport"
)

// TestNetworkWords sees that what package net says of a connection is said without its sockets and system calls, and
// that the cause can still be told.
func TestNetworkWords(t *testing.T) {
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000}
	to := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Addr: to, Err: err} }
	for _, tt := range []struct {
		err  error
		want string
		is   error
	}{
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), syscall.ENETUNREACH.Error(), syscall.ENETUNREACH},
		{dial(&net.DNSError{Err: "no such host", Name: "board.lan", Server: "10.0.0.1:53", IsNotFound: true}),
			`there is no host "board.lan"`, nil},
		{dial(&net.DNSError{Err: "server misbehaving", Name: "board.lan", Server: "10.0.0.1:53"}),
			`the address of host "board.lan" cannot be looked up: server misbehaving`, nil},
		{dial(os.ErrDeadlineExceeded), "no answer from there", os.ErrDeadlineExceeded},
		{context.Canceled, "context canceled", context.Canceled},
		{errors.New("anything else"), "anything else", nil},
	} {
		got := transport.DialCause(tt.err)
		if got.Error() != tt.want || tt.is != nil && !errors.Is(got, tt.is) {
			t.Errorf("%v: got %v, want %s, matching %v", tt.err, got, tt.want, tt.is)
		}
	}
	reset := &net.OpError{Op: "read", Net: "tcp", Source: from, Addr: to,
		Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	want := "device disconnected: " + syscall.ECONNRESET.Error()
	if got := transport.Disconnected(reset); got.Error() != want || !errors.Is(got, syscall.ECONNRESET) {
		t.Errorf("got %v, want %s", got, want)
	}
	if got := transport.Disconnected(io.EOF); got.Error() != "device disconnected: it ended the connection" ||
		!errors.Is(got, io.EOF) {
		t.Errorf("end of the stream: got %v", got)
	}
}
