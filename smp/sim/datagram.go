package sim

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// maxDatagram is more than a datagram can have.
const maxDatagram = 64 << 10

// ServePacket offers the device on a datagram socket, UDP for all that is known, with one bare packet in each datagram
// (Zephyr subsys/mgmt/mcumgr/transport/src/smp_udp.c). Any number of hosts may ask; each gets the answers to its own
// requests. The socket stays open across resets: the device is just silent for a while. There is no noise, as bytes
// that arrive damaged do not arrive at all, so of the faults only those of whole packets apply.
//
// ServePacket blocks until ctx ends or the device is closed, which give nil, or the socket fails. It closes the socket.
func (d *Device) ServePacket(ctx context.Context, socket net.PacketConn) error {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	work.Go(func() {
		select {
		case <-ctx.Done():
		case <-d.done:
		}
		socket.Close()
	})
	outbox := make(chan letter, outboxSize)
	work.Go(func() { carryLetters(ctx, socket, outbox) })
	buf := make([]byte, maxDatagram)
	for {
		n, host, err := socket.ReadFrom(buf)
		if err != nil {
			if d.over(ctx) {
				return nil
			}
			return fmt.Errorf("serve virtual device: %w", err)
		}
		d.mu.Lock()
		d.take(buf[:n], false, &mailbox{d: d, outbox: outbox, host: host})
		d.mu.Unlock()
	}
}

// mailbox is the way back to the host that sent a datagram. It lives as long as the request: nothing else is known of
// hosts, so it is not attached and hears of no reset.
type mailbox struct {
	d      *Device
	outbox chan<- letter
	host   net.Addr
}

// letter is an answer on its way.
type letter struct {
	delivery
	host net.Addr
}

func (*mailbox) powerUp(*program) {}
func (*mailbox) powerDown()       {}
func (*mailbox) unplug()          {}

func (m *mailbox) send(_ *program, packet []byte, sent func()) {
	sent()
	select {
	case m.outbox <- letter{delivery{packet, m.d.arrival()}, m.host}:
	default: // the network is slower than the device
	}
}

// carryLetters delivers answers when they are due.
func carryLetters(ctx context.Context, socket net.PacketConn, outbox <-chan letter) {
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-outbox:
			if !pause(time.Until(l.due), ctx.Done()) {
				return
			}
			// A host that is gone is none of the device's business.
			_, _ = socket.WriteTo(l.data, l.host)
		}
	}
}
