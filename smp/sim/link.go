package sim

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// outboxSize is how many lines or packets wait for a host that does not read. What comes after that is lost, as in the
// receive buffer of a serial port.
const outboxSize = 4096

// delivery is something on its way to the host.
type delivery struct {
	data []byte
	due  time.Time // when it arrives
}

// Link is a packet link in memory. It has the methods that a client of package smp wants.
//
// It behaves like a UART: a reset makes the device silent for a while and the link stays. There is no noise on it, so
// of the faults only those of whole packets apply.
type Link struct {
	d      *Device
	held   [][]byte // arrived while the bootloader was at work; guarded by the device's lock
	outbox chan delivery
	closed chan struct{}
	once   sync.Once
}

// Link opens a packet link. Close it when it is no longer needed.
func (d *Device) Link() *Link {
	k := &Link{d: d, outbox: make(chan delivery, outboxSize), closed: make(chan struct{})}
	d.attach(k)
	return k
}

// ReadPacket waits for the next answer. The error is [io.ErrClosedPipe] after [Link.Close] and [io.EOF] after
// [Device.Close].
func (k *Link) ReadPacket() ([]byte, error) {
	select {
	case <-k.closed:
		return nil, io.ErrClosedPipe
	case <-k.d.done:
		return nil, io.EOF
	case p := <-k.outbox:
		if !pause(time.Until(p.due), k.closed) {
			return nil, io.ErrClosedPipe
		}
		return p.data, nil
	}
}

// WritePacket sends a request. It does not block. A packet that the device has no room for is lost without an error, as
// it is on a wire.
func (k *Link) WritePacket(p []byte) error {
	k.d.mu.Lock()
	defer k.d.mu.Unlock()
	select {
	case <-k.closed:
		return io.ErrClosedPipe
	case <-k.d.done:
		return io.EOF
	default:
	}
	if !k.d.take(p, true, k) && k.d.early && len(k.held) < recoveryQueue {
		k.held = append(k.held, bytes.Clone(p))
	}
	return nil
}

// Overhead is 4: length and CRC of the console framing share the device's packet buffer. The link has neither, but
// counts them, so that sizes are those of a serial port. It is 0 if application and bootloader have raw framing.
func (k *Link) Overhead() int {
	if k.d.o.Raw && k.d.o.SerialRecovery.Raw {
		return 0
	}
	return lenLen + crcLen
}

// Close ends the link. It may be called again.
func (k *Link) Close() error {
	k.once.Do(func() {
		close(k.closed)
		k.d.detach(k)
	})
	return nil
}

func (k *Link) powerUp(*program) {
	for _, p := range k.held {
		k.d.take(p, true, k)
	}
	k.held = nil
}

func (k *Link) powerDown() { k.held = nil }
func (k *Link) unplug()    {}

func (k *Link) send(_ *program, packet []byte, sent func()) {
	sent()
	post(k.outbox, delivery{packet, k.d.arrival()})
}

// take receives a packet as a whole, from a serial port or from the network, which the bootloader does not have.
// Whatever is in its way loses it. It is false if nothing runs that could take it. The lock is held.
func (d *Device) take(p []byte, serial bool, from port) bool {
	gone := d.vanishes(len(p))
	prog := d.program
	switch {
	case gone || prog == nil:
		return false
	case prog.recovery && !serial:
	case serial && len(p) > prog.limit, len(p) > d.o.BufSize && !serial:
		prog.stats.Broken++
	case prog.free == 0:
		prog.stats.LostPackets++
	default:
		prog.free--
		prog.accept(d, request{packet: bytes.Clone(p), from: from})
	}
	return true
}

// post puts a delivery on its way, or drops it if the host does not read.
func post(outbox chan<- delivery, p delivery) {
	select {
	case outbox <- p:
	default:
	}
}

// arrival is when something sent now reaches the host.
func (d *Device) arrival() time.Time { return time.Now().Add(d.o.Latency + d.faults.delay()) }

func (d *Device) attach(p port) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ports[p] = struct{}{}
	if d.program != nil {
		p.powerUp(d.program)
	} else {
		p.powerDown()
	}
}

func (d *Device) detach(p port) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.ports, p)
	p.unplug()
}
