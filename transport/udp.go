package transport

import (
	"context"
	"net"
	"time"
)

// udpLimit bounds looking up the name of a host.
const udpLimit = 10 * time.Second

// A packet over UDP must fit one datagram, and a device one Ethernet frame of
// 1500 bytes: Zephyr puts no IP fragments together unless built for it, and its
// receive buffer is that large (CONFIG_MCUMGR_TRANSPORT_UDP_MTU). What is left
// are the frame less the IP header and the 8 bytes of the UDP header.
const (
	maxDatagram4 = 1500 - 20 - 8
	maxDatagram6 = 1500 - 40 - 8
)

// maxDatagramReceived is more than a datagram can have. Answers may be larger than
// requests: the device's IP stack may cut its own datagrams in fragments.
const maxDatagramReceived = 64 << 10

// dialUDP returns a connection that carries a bare packet in each datagram
// (Zephyr subsys/mgmt/mcumgr/transport/src/smp_udp.c). Nothing is sent, so that a
// device that is not there is no error.
func dialUDP(ctx context.Context, host string, o Options) (*Conn, error) {
	dialer := net.Dialer{Timeout: udpLimit}
	socket, err := dialer.DialContext(ctx, "udp", host)
	if err != nil {
		return nil, dialCause(err)
	}
	limit := maxDatagram6
	if ip := socket.RemoteAddr().(*net.UDPAddr).IP; ip.To4() != nil {
		limit = maxDatagram4
	}
	c := newConn(&udpSocket{socket}, o, framing{name: "datagram", limit: limit})
	c.port.Interface = AnyInterface
	c.decoder = &datagramDecoder{}
	c.buf = make([]byte, maxDatagramReceived)
	return c, nil
}

// udpSocket makes a connected socket look like a stream that has no errors of its
// own: what other hosts say of a datagram, such as "port unreachable" from a
// device that is just booting, means that this one is lost, and no more.
type udpSocket struct{ net.Conn }

// Read waits for a datagram that is not empty.
func (u *udpSocket) Read(p []byte) (int, error) {
	for {
		// Does not spin: each of these errors is the answer to one datagram of ours.
		n, err := u.Conn.Read(p)
		if n > 0 || err != nil && !isLoss(err) {
			return n, err
		}
	}
}

// Write sends a datagram. The system reports the loss of earlier ones here and
// then does not send; it does so once for each, and there may be a new one.
func (u *udpSocket) Write(p []byte) (int, error) {
	for range 3 {
		n, err := u.Conn.Write(p)
		if err == nil || !isLoss(err) {
			return n, err
		}
	}
	return len(p), nil // lost, as any datagram may be
}

// datagramDecoder takes each call's input as one datagram, which must be a packet.
type datagramDecoder struct{ stats Stats }

// Next returns p itself, or nil if p is no packet.
func (d *datagramDecoder) Next(p []byte) (packet, rest []byte) {
	d.stats.Bytes += uint64(len(p))
	switch {
	case len(p) == 0:
		return nil, nil
	case len(p) < headerSize || !startsPacket(p[0]):
		d.stats.BadHeader++
		return nil, nil
	case packetLen(p) > len(p):
		d.stats.BadLength++
		return nil, nil
	}
	d.stats.Packets++
	return p, nil
}

// Stats returns the counters so far.
func (d *datagramDecoder) Stats() Stats { return d.stats }
