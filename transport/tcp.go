package transport

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"time"
)

// tcpLimit bounds connecting, for a host that swallows the request.
const tcpLimit = 10 * time.Second

// dialTCP connects to a serial byte stream over TCP, as QEMU (-serial tcp:) and
// ser2net serve it. There is no Telnet option negotiation (RFC 2217): the port
// must be a raw one.
func dialTCP(ctx context.Context, host string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: tcpLimit}
	// Package net sets TCP_NODELAY by itself, which small packets need.
	conn, err := dialer.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, tcpCause(err)
	}
	return conn, nil
}

// tcpCause leaves out of an error what package net says around it: the address is known.
func tcpCause(err error) error {
	if isRefused(err) {
		return errNobody
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// errNobody is a TCP port that is not there, or not yet.
var errNobody error = nobody{}

type nobody struct{}

func (nobody) Error() string { return "connection refused: nobody listens there" }

func (nobody) Is(target error) bool { return target == fs.ErrNotExist }
