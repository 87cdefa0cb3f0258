package sim_test

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// serveDatagrams serves a device on a socket until the test ends.
func serveDatagrams(t *testing.T, d *sim.Device) net.Addr {
	t.Helper()
	socket := listenUDP(t)
	served := make(chan error, 1)
	go func() { served <- d.ServePacket(t.Context(), socket) }()
	t.Cleanup(func() { // after t.Context has ended
		if err := <-served; err != nil {
			t.Errorf("ServePacket: %v, want nil", err)
		}
	})
	return socket.LocalAddr()
}

func listenUDP(t *testing.T) net.PacketConn {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	return socket
}

// udpHost is a host with a socket of its own.
type udpHost struct {
	host
	conn net.Conn
}

func newUDPHost(t *testing.T, device net.Addr) *udpHost {
	t.Helper()
	conn, err := net.Dial("udp", device.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &udpHost{host: host{t: t}, conn: conn}
}

func (h *udpHost) send(p []byte) {
	h.t.Helper()
	if _, err := h.conn.Write(p); err != nil {
		h.t.Fatal(err)
	}
}

// answer waits for one datagram.
func (h *udpHost) answer() []byte {
	h.t.Helper()
	if err := h.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		h.t.Fatal(err)
	}
	p := make([]byte, 1<<16)
	n, err := h.conn.Read(p)
	if err != nil {
		h.t.Fatal(err)
	}
	return p[:n]
}

// echo wants the text back, in one datagram that is the answer to this very request.
func (h *udpHost) echo(text string) {
	h.t.Helper()
	request := h.request(smp.Write, smp.GroupOS, 0, args{"d": text})
	h.send(request)
	got := h.answer()
	if diff := cmp.Diff(map[string]any{"r": text}, decode(h.t, got)); diff != "" {
		h.t.Errorf("echo (-want +got):\n%s", diff)
	}
	if got[6] != request[6] {
		h.t.Errorf("echo: got sequence number %d, want %d", got[6], request[6])
	}
}

func TestServePacket(t *testing.T) {
	d := newDevice(t, fast)
	address := serveDatagrams(t, d)
	first, second := newUDPHost(t, address), newUDPHost(t, address)
	first.echo("first")
	second.echo("second")
	first.echo("first again")
	d.Reset()
	if err := d.WaitAlive(t.Context()); err != nil {
		t.Fatal(err)
	}
	second.echo("on the same socket after a reset")
}

// TestServePacketSizes wants the whole buffer usable: there is no framing that shares it.
func TestServePacketSizes(t *testing.T) {
	o := fast
	o.BufSize = 300
	d := newDevice(t, o)
	h := newUDPHost(t, serveDatagrams(t, d))
	of := func(size int) []byte {
		const around = 8 + 1 + 2 + 3 // header, map, key, head of the bytes
		return h.request(smp.Read, smp.GroupOS, 6, args{"x": make([]byte, size-around)})
	}
	h.send(of(301))
	h.send([]byte{})
	h.send([]byte("short"))
	h.send([]byte(strings.Repeat("x", 2000)))
	fits := of(300)
	if len(fits) != 300 {
		t.Fatalf("the request has %d bytes, want 300", len(fits))
	}
	h.send(fits)
	if got := decode(t, h.answer()); got["buf_size"] != uint64(300) {
		t.Errorf("got %v, want the parameters", got)
	}
	if got := d.Stats(); got.Broken != 2 || got.Requests != 1 {
		t.Errorf("got %+v, want 2 broken packets, which are too long, and 1 request", got)
	}
}

// TestServePacketLatency keeps the order of answers that are all late.
func TestServePacketLatency(t *testing.T) {
	o := fast
	o.Latency = 20 * time.Millisecond
	d := newDevice(t, o)
	h := newUDPHost(t, serveDatagrams(t, d))
	start := time.Now()
	var want []byte
	for range 3 {
		p := h.request(smp.Write, smp.GroupOS, 0, args{"d": "x"})
		want = append(want, p[6])
		h.send(p)
	}
	var got []byte
	for range want {
		got = append(got, h.answer()[6])
	}
	if !bytes.Equal(got, want) {
		t.Errorf("sequence numbers: got %v, want %v", got, want)
	}
	if took := time.Since(start); took < o.Latency {
		t.Errorf("took %v, want %v at least", took, o.Latency)
	}
}

func TestServePacketEndsWithDevice(t *testing.T) {
	d := newDevice(t, fast)
	socket := listenUDP(t)
	served := make(chan error, 1)
	go func() { served <- d.ServePacket(t.Context(), socket) }()
	d.Close()
	if err := <-served; err != nil {
		t.Errorf("ServePacket: %v, want nil", err)
	}
	if _, err := socket.WriteTo(nil, socket.LocalAddr()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the socket after ServePacket: got %v, want %v", err, net.ErrClosed)
	}
}

func TestServePacketBrokenSocket(t *testing.T) {
	d := newDevice(t, fast)
	socket := listenUDP(t)
	socket.Close()
	if err := d.ServePacket(t.Context(), socket); !errors.Is(err, net.ErrClosed) {
		t.Errorf("ServePacket on a closed socket: %v, want %v", err, net.ErrClosed)
	}
}
