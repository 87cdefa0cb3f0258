package sim

import (
	"io"
	"sync"
)

// rackPort is a port of a board from one reset to the next.
type rackPort struct {
	Port
	rack   *Rack
	number int // in its name
	device *Device
	prog   *program // that runs behind it
	silent bool     // nobody listens there
	held   bool     // somebody has it open; guarded by the rack's lock
	gone   bool     // the board is away, or has other ports now; guarded by the rack's lock
}

// appear gives the board the ports of the program that it runs now. The lock is held.
func (r *Rack) appear(b *Board, prog *program) {
	shown := b.facts
	if prog.recovery {
		shown = b.boot
	}
	for _, face := range shown.Interfaces {
		number := 0
		for r.ports[number] != nil {
			number++
		}
		r.plugged++
		p := &rackPort{
			Port: shown.port(face, number, b.location, r.plugged), rack: r, number: number, device: b.device,
			prog: prog, silent: face.Silent,
		}
		r.ports[number] = p
		b.ports = append(b.ports, p)
	}
	r.signal()
}

// vanish takes the ports of the board away. The lock is held.
func (r *Rack) vanish(b *Board) {
	if len(b.ports) == 0 {
		return
	}
	for _, p := range b.ports {
		p.gone = true
		p.forget()
	}
	b.ports = nil
	r.signal()
}

// forget makes the name free once nobody has it. The rack's lock is held.
func (p *rackPort) forget() {
	if p.gone && !p.held {
		delete(p.rack.ports, p.number)
	}
}

// open connects to the board. The rack's lock is held.
func (p *rackPort) open() (io.ReadWriteCloser, error) {
	var inner io.ReadWriteCloser
	if p.silent {
		inner = newSilence(p.prog.dead)
	} else {
		s := p.device.streamTo(p.prog)
		if s == nil {
			return nil, errPortGone
		}
		inner = s
	}
	p.held = true
	return &heldPort{ReadWriteCloser: inner, port: p}, nil
}

// streamTo opens a serial port that leads to this program, nil if it does not run any more.
func (d *Device) streamTo(prog *program) *stream {
	s := d.makeStream(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.program != prog {
		return nil
	}
	d.ports[s] = struct{}{}
	s.powerUp(prog)
	return s
}

// heldPort is a port that somebody has open.
type heldPort struct {
	io.ReadWriteCloser
	port *rackPort
	once sync.Once
}

// Close gives the port back. It may be called again.
func (h *heldPort) Close() error {
	err := h.ReadWriteCloser.Close()
	h.once.Do(func() {
		h.port.rack.mu.Lock()
		defer h.port.rack.mu.Unlock()
		h.port.held = false
		h.port.forget()
	})
	return err
}

// silence is a port behind which nobody is, until the board is reset.
type silence struct {
	broken <-chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newSilence(broken <-chan struct{}) *silence {
	return &silence{broken: broken, closed: make(chan struct{})}
}

func (s *silence) Read([]byte) (int, error) {
	select {
	case <-s.closed:
		return 0, io.ErrClosedPipe
	case <-s.broken:
		return 0, io.EOF
	}
}

func (s *silence) Write(p []byte) (int, error) {
	if isClosed(s.closed) || isClosed(s.broken) {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func (s *silence) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}
