package sim

import (
	"fmt"
	"slices"
	"strconv"
	"unicode"
)

// Facts are what a board shows of itself on USB.
type Facts struct {
	VID, PID     uint16      // both 0: 2fe3:0004, of Zephyr's samples
	Serial       string      // serial number, which need not be the only one of its kind; empty: none
	Product      string      // in words; empty: none
	Manufacturer string      // in words; empty: none
	Interfaces   []Interface // with a serial port each; nil: one of number 0, 16 at most
}

// Interface is one of the serial ports of a board.
type Interface struct {
	Number int    // of the USB interface, 0 to 255
	Name   string // in words; empty: none
	Silent bool   // nothing answers here: a console that prints nothing
}

// Board is a virtual board that can be plugged into a rack, in a box beside it at first. Its device runs while it is
// plugged in, and boots each time it is.
type Board struct {
	rack   *Rack
	device *Device
	facts  Facts
	boot   Facts // while its bootloader runs

	// Guarded by the rack's lock.
	location string
	out      chan struct{} // closed when it is pulled out; nil: it is not plugged in
	ports    []*rackPort
}

// Add makes a board for the rack. While its bootloader runs it shows boot, or facts if there is none. The rack closes
// the board, unless somebody does it before, see [Board.Close].
func (r *Rack) Add(facts Facts, o Options, boot ...Facts) (*Board, error) {
	b := &Board{rack: r, facts: facts.fill(), boot: facts.fill()}
	if len(boot) > 0 {
		b.boot = boot[0].fill()
	}
	for _, f := range []Facts{b.facts, b.boot} {
		if err := f.check(); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shut {
		return nil, errRackClosed
	}
	var err error
	if b.device, err = NewDevice(o); err != nil {
		return nil, err
	}
	b.device.PowerOff()
	r.boards[b] = struct{}{}
	return b, nil
}

var errRackClosed = fmt.Errorf("virtual rack: closed")

// Device is what is on the board, to look at and to disturb. The board owns it.
func (b *Board) Device() *Device { return b.device }

// Plug puts the board into the socket of this name, such as 1-1.3, and so under power. Its port appears when it has
// booted. It is an error if there is another board, or this one is plugged in already.
func (b *Board) Plug(location string) error {
	r := b.rack
	r.mu.Lock()
	defer r.mu.Unlock()
	_, mine := r.boards[b]
	switch other := r.sockets[location]; {
	case r.shut:
		return errRackClosed
	case !mine:
		return fmt.Errorf("virtual rack: the board is closed")
	case !isText(location) || location == "":
		return fmt.Errorf("virtual rack: socket %q is no text", location)
	case b.out != nil:
		return fmt.Errorf("virtual rack: the board is plugged into %s already", b.location)
	case other != nil:
		return fmt.Errorf("virtual rack: there is a board in %s", location)
	}
	r.sockets[location] = b
	b.location, b.out = location, make(chan struct{})
	b.device.PowerOn()
	out := b.out
	r.work.Go(func() { b.follow(out) })
	return nil
}

// Unplug pulls the board out, whatever it is doing: its port goes away and it has no power. A board that is not plugged
// in stays so.
func (b *Board) Unplug() {
	b.rack.mu.Lock()
	defer b.rack.mu.Unlock()
	if b.out == nil {
		return
	}
	close(b.out)
	b.out = nil
	delete(b.rack.sockets, b.location)
	b.rack.vanish(b)
	b.device.PowerOff()
}

// Location is the socket that the board is plugged into; empty if it is in none.
func (b *Board) Location() string {
	b.rack.mu.Lock()
	defer b.rack.mu.Unlock()
	if b.out == nil {
		return ""
	}
	return b.location
}

// Close unplugs the board for good and closes its device, whose error it returns. It may be called again.
func (b *Board) Close() error {
	b.Unplug()
	b.rack.mu.Lock()
	delete(b.rack.boards, b)
	b.rack.mu.Unlock()
	return b.device.Close()
}

// follow keeps the ports of the board those of what runs on it, until it is pulled out.
func (b *Board) follow(out <-chan struct{}) {
	for {
		prog, turn := b.device.running()
		b.show(prog, out)
		select {
		case <-turn:
		case <-out:
			return
		}
	}
}

// running is what runs, and a channel that is closed when that changes.
func (d *Device) running() (*program, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.program, d.changed
}

// show gives the board the ports of what runs now.
func (b *Board) show(prog *program, out <-chan struct{}) {
	r := b.rack
	r.mu.Lock()
	defer r.mu.Unlock()
	if isClosed(out) || len(b.ports) > 0 && b.ports[0].prog == prog {
		return
	}
	r.vanish(b)
	if prog != nil {
		r.appear(b, prog)
	}
}

// Limits of what a board can show.
const (
	maxInterfaces = 16
	maxFact       = 126 // characters that a string descriptor can hold
)

// fill replaces what is not given.
func (f Facts) fill() Facts {
	if f.VID == 0 && f.PID == 0 {
		f.VID, f.PID = 0x2fe3, 0x0004
	}
	f.Interfaces = slices.Clone(f.Interfaces)
	if len(f.Interfaces) == 0 {
		f.Interfaces = []Interface{{}}
	}
	return f
}

func (f Facts) check() error {
	if len(f.Interfaces) > maxInterfaces {
		return fmt.Errorf("virtual board: %d interfaces, possible are %d", len(f.Interfaces), maxInterfaces)
	}
	texts := []string{f.Serial, f.Product, f.Manufacturer}
	for _, i := range f.Interfaces {
		if i.Number < 0 || i.Number > 255 {
			return fmt.Errorf("virtual board: interface number %d, possible are 0 to 255", i.Number)
		}
		texts = append(texts, i.Name)
	}
	for _, text := range texts {
		if !isText(text) {
			return fmt.Errorf("virtual board: %q is no text of up to %d characters", text, maxFact)
		}
	}
	return nil
}

// isText reports whether a USB device could show a text.
func isText(s string) bool {
	n := 0
	for _, r := range s {
		if n++; n > maxFact || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// port is what the facts say of a port.
func (f Facts) port(i Interface, number int, location string, appearance int) Port {
	return Port{
		Name: portName + strconv.Itoa(number), VID: f.VID, PID: f.PID, Serial: f.Serial, Product: f.Product,
		Manufacturer: f.Manufacturer, Interface: i.Number, InterfaceName: i.Name, Location: location,
		Appearance: appearance,
	}
}
