package transport

import (
	"context"
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
		return nil, dialCause(err)
	}
	return conn, nil
}
