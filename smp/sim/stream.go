package sim

import (
	"io"
	"sync"
	"time"
)

// stream is a serial port in memory: bytes, paced by the baud rate.
type stream struct {
	d      *Device
	usb    bool // breaks at a reset
	outbox chan delivery
	broken chan struct{} // closed when the device vanished for good, as seen from this stream
	closed chan struct{}
	once   sync.Once

	rx   *receiver // guarded by the device's lock; nil while the device is dark
	held []byte    // arrived while the bootloader was at work; guarded by the device's lock
	gone bool      // broken is closed; guarded by the device's lock

	reading sync.Mutex // guards rest
	rest    []byte     // arrived and not yet read
	writing sync.Mutex // guards the wire to the device
	in      wire
	out     wire // used by the server alone
}

// Stream opens a serial port in memory, with the framing of the options. It breaks at a reset, as a USB port does: Read gives
// [io.EOF] once it has delivered what arrived before, Write gives [io.ErrClosedPipe]. Open another one when the device
// is back, see [Device.Alive]. A stream opened while the device is dark is broken from the start.
func (d *Device) Stream() io.ReadWriteCloser { return d.newStream(true) }

func (d *Device) newStream(usb bool) *stream {
	s := d.makeStream(usb)
	d.attach(s)
	return s
}

// makeStream makes a port that nothing is behind yet.
func (d *Device) makeStream(usb bool) *stream {
	return &stream{
		d: d, usb: usb, outbox: make(chan delivery, outboxSize),
		broken: make(chan struct{}), closed: make(chan struct{}),
		in: wire{baud: d.o.Baud}, out: wire{baud: d.o.Baud},
	}
}

// Read waits for bytes from the device.
func (s *stream) Read(p []byte) (int, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if len(s.rest) == 0 {
		if err := s.receive(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// receive waits for the next delivery.
func (s *stream) receive() error {
	var p delivery
	select {
	case <-s.closed:
		return io.ErrClosedPipe
	case p = <-s.outbox:
	case <-s.broken:
		select {
		case p = <-s.outbox: // was on its way before
		default:
			return io.EOF
		}
	}
	if !pause(time.Until(p.due), s.closed) {
		return io.ErrClosedPipe
	}
	s.rest = p.data
	return nil
}

// Write sends bytes to the device. With a baud rate it returns when they are on the wire.
func (s *stream) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	for n := 0; n < len(p); {
		piece := p[n:]
		if s.in.baud > 0 {
			piece = piece[:min(len(piece), wirePiece)]
			if !s.in.carry(len(piece), s.closed) {
				return n, io.ErrClosedPipe
			}
		}
		if err := s.deliver(piece); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return len(p), nil
}

// deliver hands bytes to the device's driver. While the device is dark they fall on deaf ears, unless a bootloader with
// a wait window is at work.
func (s *stream) deliver(p []byte) error {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	select {
	case <-s.closed:
		return io.ErrClosedPipe
	case <-s.broken:
		return io.ErrClosedPipe
	default:
	}
	switch {
	case s.d.vanishes(len(p)):
	case s.rx != nil:
		s.rx.feed(s.d.faults.flip(p))
	case s.d.early && s.d.o.SerialRecovery.holdsEarly(s.held):
		s.held = append(s.held, s.d.faults.flip(p)...)
	}
	return nil
}

// Close ends the stream. It may be called again.
func (s *stream) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.d.detach(s)
	})
	return nil
}

func (s *stream) unplug() {
	if s.rx != nil {
		s.rx.stop()
		s.rx = nil
	}
}

func (s *stream) powerUp(prog *program) {
	if s.gone {
		return
	}
	s.rx = newReceiver(s.d, prog, s, s.closed)
	s.rx.feed(s.held)
	s.held = nil
	if s.usb {
		s.print(s.d.takeUnread())
	}
}

func (s *stream) powerDown() {
	s.rx, s.held = nil, nil
	if (s.usb || s.d.shut) && !s.gone {
		s.gone = true
		close(s.broken)
	}
}

// print sends text between the answers.
func (s *stream) print(text []byte) {
	if len(text) > 0 {
		post(s.outbox, delivery{s.d.faults.flip(text), s.d.arrival()})
	}
}

// send prints an answer line by line. The server prints by itself, so it does nothing else meanwhile.
func (s *stream) send(prog *program, packet []byte, sent func()) {
	lines := s.d.chatter(s.d.onWire(prog, packet))
	for i, line := range lines {
		if !s.out.carry(len(line), prog.dead) {
			return
		}
		if i == len(lines)-1 {
			sent()
		}
		post(s.outbox, delivery{s.d.faults.flip(line), s.d.arrival()})
	}
}

// onWire is what an answer looks like on a serial port, in the pieces in which it goes out: its lines.
func (d *Device) onWire(prog *program, packet []byte) [][]byte {
	switch {
	case prog.raw:
		return [][]byte{packet}
	case prog.recovery:
		return recoveryLines(packet, d.o.SerialRecovery.Old)
	}
	return appendLines(nil, packet)
}

// wirePiece is how many bytes of a paced stream arrive together. It is small against a line.
const wirePiece = 16

// wire takes the time that bytes need at a baud rate, one start bit, eight data bits and one stop bit each.
type wire struct {
	baud int
	end  time.Time // when the last bytes were through
	woke time.Time // when their sender noticed
}

// carry waits until n bytes are through, or until stop is closed.
func (w *wire) carry(n int, stop <-chan struct{}) bool {
	if w.baud == 0 {
		return true
	}
	now := time.Now()
	start := now
	if now.Sub(w.woke) < time.Millisecond/5 && w.end.Before(now) {
		// The sender goes on without a pause: a late timer must not slow the wire down.
		start = w.end
	}
	w.end = start.Add(time.Duration(n) * 10 * time.Second / time.Duration(w.baud))
	ok := pause(w.end.Sub(now), stop)
	w.woke = time.Now()
	return ok
}
