package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

// udpDevice is the far end of a connection over UDP.
type udpDevice struct {
	net.PacketConn
	t    *testing.T
	host net.Addr // who sent last
}

func newUDPDevice(t *testing.T, address string) *udpDevice {
	t.Helper()
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return &udpDevice{PacketConn: socket, t: t}
}

// receive waits for one datagram.
func (d *udpDevice) receive() []byte {
	d.t.Helper()
	if err := d.SetReadDeadline(time.Now().Add(testTimeout)); err != nil {
		d.t.Fatal(err)
	}
	p := make([]byte, 1<<16)
	n, host, err := d.ReadFrom(p)
	if err != nil {
		d.t.Fatal(err)
	}
	d.host = host
	return p[:n]
}

func (d *udpDevice) send(p []byte) {
	d.t.Helper()
	if _, err := d.WriteTo(p, d.host); err != nil {
		d.t.Fatal(err)
	}
}

func (d *udpDevice) address() string { return "udp:" + d.LocalAddr().String() }

// meet connects to the device and lets it know where the host is.
func (d *udpDevice) meet(o transport.Options) *transport.Conn {
	d.t.Helper()
	c := dialUDP(d.t, d.address(), o)
	if err := c.WritePacket(packetOf(2, 0, "")); err != nil {
		d.t.Fatal(err)
	}
	d.receive()
	return c
}

func dialUDP(t *testing.T, address string, o transport.Options) *transport.Conn {
	t.Helper()
	c, err := transport.Dial(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestUDPRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name, listen string
		o            transport.Options
		longest      int
	}{
		{"IPv4", "127.0.0.1:0", transport.Options{}, 1472},
		{"IPv6", "[::1]:0", transport.Options{}, 1452},
		{"raw and short lines change nothing", "127.0.0.1:0", transport.Options{Raw: true, LineLength: 20}, 1472},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if l, err := net.ListenPacket("udp", tt.listen); err != nil {
				t.Skip(err)
			} else {
				l.Close()
			}
			device := newUDPDevice(t, tt.listen)
			c := dialUDP(t, device.address(), tt.o)
			if got := c.MaxPacket(); got != tt.longest {
				t.Errorf("MaxPacket: got %d, want %d", got, tt.longest)
			}
			if got := c.Overhead(); got != 0 {
				t.Errorf("Overhead: got %d, want 0", got)
			}
			if c.Bare() {
				t.Error("Bare: got true, want false: each packet is a datagram")
			}
			longest := packetOf(2, 1, strings.Repeat("x", tt.longest-8))
			for _, p := range [][]byte{ask, longest} {
				if err := c.WritePacket(p); err != nil {
					t.Fatal(err)
				}
				if got := device.receive(); !bytes.Equal(got, p) {
					t.Errorf("the device got %x, want %x", got, p)
				}
			}
			device.send(reply)
			if got := readOne(t, c); !bytes.Equal(got, reply) {
				t.Errorf("reply: got %x, want %x", got, reply)
			}
			want := transport.Stats{
				Packets: 1, Bytes: uint64(len(reply)), SentPackets: 2, SentBytes: uint64(len(ask) + len(longest)),
			}
			if diff := cmp.Diff(want, c.Stats()); diff != "" {
				t.Errorf("stats (-want +got):\n%s", diff)
			}
			if got, want := c.Port(), (transport.Port{Interface: transport.AnyInterface}); got != want {
				t.Errorf("port: got %+v, want %+v", got, want)
			}
		})
	}
}

// TestUDPTooLong wants nothing sent of what no Ethernet frame can carry, and the connection to live on.
func TestUDPTooLong(t *testing.T) {
	device := newUDPDevice(t, "127.0.0.1:0")
	c := dialUDP(t, device.address(), transport.Options{})
	err := c.WritePacket(packetOf(2, 1, strings.Repeat("x", 1465)))
	if want := "write packet: 1473 bytes are over the 1472 a datagram can carry"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	if err := c.WritePacket(ask); err != nil {
		t.Fatal(err)
	}
	if got := device.receive(); !bytes.Equal(got, ask) {
		t.Errorf("the device got %x, want %x", got, ask)
	}
}

// TestUDPLongAnswer wants answers whole even if they are longer than any request: they may come in IP fragments.
func TestUDPLongAnswer(t *testing.T) {
	device := newUDPDevice(t, "127.0.0.1:0")
	c := device.meet(transport.Options{})
	for _, n := range []int{2048, 9000, 65507} { // the last is what a datagram can have
		want := packetOf(3, 0, strings.Repeat("x", n-8))
		device.send(want)
		if got := readOne(t, c); !bytes.Equal(got, want) {
			t.Errorf("answer of %d bytes: got %d bytes", n, len(got))
		}
	}
}

func TestUDPDropsWhatIsNoPacket(t *testing.T) {
	header := transport.Stats{BadHeader: 1}
	length := transport.Stats{BadLength: 1}
	tests := []struct {
		name     string
		datagram []byte
		want     transport.Stats
	}{
		{"empty", nil, transport.Stats{}},
		{"one byte", []byte{0x0b}, header},
		{"text", []byte("hello, who is there?"), header},
		{"header cut off", reply[:7], header},
		{"packet cut off", reply[:len(reply)-1], length},
		{"no payload at all", append(bytes.Clone(reply[:7]), 0), length},
		{"request", ask, header},
		{"version 3", packetOf(2<<3|3, 0, "\xa0"), header},
		{"reserved bits", packetOf(0x80|3, 0, "\xa0"), header},
		{"console frame", transport.AppendFrame(nil, reply, 0), header},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			device := newUDPDevice(t, "127.0.0.1:0")
			c := device.meet(transport.Options{})
			device.send(tt.datagram)
			device.send(reply)
			if got := readOne(t, c); !bytes.Equal(got, reply) {
				t.Errorf("got %x, want %x", got, reply)
			}
			want := tt.want
			want.Packets, want.Bytes = 1, uint64(len(tt.datagram)+len(reply))
			want.SentPackets, want.SentBytes = 1, 8
			if diff := cmp.Diff(want, c.Stats()); diff != "" {
				t.Errorf("stats (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUDPManyEmptyDatagrams(t *testing.T) {
	device := newUDPDevice(t, "127.0.0.1:0")
	c := device.meet(transport.Options{})
	for n := range byte(3) { // in turns, so that no socket buffer overflows
		for range 150 {
			device.send(nil)
		}
		want := packetOf(3, n, "\xa0")
		device.send(want)
		if got := readOne(t, c); !bytes.Equal(got, want) {
			t.Fatalf("got %x, want %x", got, want)
		}
	}
}

// TestUDPSurplus keeps an answer with bytes behind its end, as every other link does.
func TestUDPSurplus(t *testing.T) {
	device := newUDPDevice(t, "127.0.0.1:0")
	c := device.meet(transport.Options{})
	device.send(append(bytes.Clone(reply), 0, 0))
	if got := readOne(t, c); !bytes.HasPrefix(got, reply) {
		t.Errorf("got %x, want %x at its start", got, reply)
	}
}

// TestUDPStranger sends an answer that does not come from the device.
func TestUDPStranger(t *testing.T) {
	device, stranger := newUDPDevice(t, "127.0.0.1:0"), newUDPDevice(t, "127.0.0.1:0")
	c := device.meet(transport.Options{})
	stranger.host = device.host
	stranger.send(packetOf(3, 66, "\xa0"))
	device.send(reply)
	if got := readOne(t, c); !bytes.Equal(got, reply) {
		t.Errorf("got %x, want %x, the answer of the device", got, reply)
	}
}

// TestUDPDeviceReboots closes the device's port for a while, which the system reports for each datagram that is sent.
func TestUDPDeviceReboots(t *testing.T) {
	device := newUDPDevice(t, "127.0.0.1:0")
	c := device.meet(transport.Options{})
	answers := make(chan string, 1)
	go func() {
		p, err := c.ReadPacket()
		answers <- fmt.Sprintf("%x %v", p, err)
	}()
	address := device.LocalAddr().String()
	device.Close()
	for n := range byte(20) {
		if err := c.WritePacket(packetOf(2, n, "\xa0")); err != nil {
			t.Fatalf("packet %d to a device that is away: %v", n, err)
		}
		select {
		case got := <-answers:
			t.Fatalf("ReadPacket: got %s, want it to wait", got)
		default:
		}
	}
	device = newUDPDevice(t, address)
	if err := c.WritePacket(ask); err != nil {
		t.Fatal(err)
	}
	if got := device.receive(); !bytes.Equal(got, ask) {
		t.Errorf("the device got %x, want %x: the first packet after the pause must not be lost", got, ask)
	}
	device.send(reply)
	if got, want := <-answers, fmt.Sprintf("%x <nil>", reply); got != want {
		t.Errorf("ReadPacket: got %s, want %s", got, want)
	}
}

func TestUDPClose(t *testing.T) {
	device := newUDPDevice(t, "127.0.0.1:0")
	c := device.meet(transport.Options{})
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
	if err := c.WritePacket(ask); err != transport.ErrClosed {
		t.Errorf("WritePacket: got %v, want %v", err, transport.ErrClosed)
	}
}

// TestUDPTrace wants packets and what was dropped in the trace.
func TestUDPTrace(t *testing.T) {
	var trace bytes.Buffer
	device := newUDPDevice(t, "127.0.0.1:0")
	c := device.meet(transport.Options{Trace: &trace})
	device.send([]byte("no packet"))
	device.send(reply)
	readOne(t, c)
	c.Close()
	got := readTrace(t, trace.Bytes())
	for i := range got {
		got[i].At = 0
	}
	want := []transport.TraceEntry{
		{Kind: transport.SentPacket, Packet: packetOf(2, 0, "")},
		{Kind: transport.Note, Text: "dropped: no packet header (1)"},
		{Kind: transport.ReceivedPacket, Packet: reply},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trace (-want +got):\n%s", diff)
	}
}

func TestUDPHasNoText(t *testing.T) {
	device := newUDPDevice(t, "127.0.0.1:0")
	c := dialUDP(t, device.address(), transport.Options{})
	if err := c.WriteText([]byte("\n")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("WriteText: got %v, want %v", err, errors.ErrUnsupported)
	}
}

func TestUDPContextEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, err := transport.Dial(ctx, "udp:127.0.0.1", transport.Options{})
	if err == nil {
		c.Close()
	}
	var open *transport.OpenError
	if !errors.As(err, &open) || open.Address != "udp:127.0.0.1" {
		t.Errorf("got %v, want an OpenError for the address", err)
	}
}
