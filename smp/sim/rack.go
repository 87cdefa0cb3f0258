package sim

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// Rack is a computer's USB as seen from its serial ports: virtual boards that are plugged in and pulled out, and whose
// ports go away at a reset and come back. Its ports are named as a system names them, each with the lowest number that
// nobody has or holds open, so that boards that are reset together may come back under each other's names.
//
//	rack := sim.NewRack()
//	defer rack.Close()
//	board, err := rack.Add(sim.Facts{Serial: "E66C0001"}, sim.Options{})
//	…
//	err = board.Plug("1-1.3")
//	<-rack.Changed()
//	ports := rack.Ports()
//	stream, err := rack.Open(ports[0])
//
// All methods may be called from several goroutines. None of them blocks but [Rack.Close] and [Board.Close], which wait
// for the boards' goroutines to end.
type Rack struct {
	mu      sync.Mutex // guards everything below; before that of a device
	boards  map[*Board]struct{}
	sockets map[string]*Board // boards that are plugged in, by location
	ports   map[int]*rackPort // by the number in the name: those that are there, and those that are held open
	changed chan struct{}     // closed when a port came or went
	plugged int               // how many ports have appeared so far
	shut    bool
	work    sync.WaitGroup
}

// ErrPortInUse says that somebody has the port open already.
var ErrPortInUse = errors.New("virtual port is in use")

// NewRack returns a rack without boards. [Rack.Close] ends it.
func NewRack() *Rack {
	return &Rack{
		boards: map[*Board]struct{}{}, sockets: map[string]*Board{}, ports: map[int]*rackPort{},
		changed: make(chan struct{}),
	}
}

// Port is a serial port of a rack. Ports can be compared with ==: a board that was away has others.
type Port struct {
	Name          string // such as ttySIM0
	VID, PID      uint16
	Serial        string
	Product       string
	Manufacturer  string
	Interface     int // number of the USB interface
	InterfaceName string
	Location      string // where the board is plugged in
	Appearance    int    // the how many-th port of the rack it is, counted from 1 as they appear
}

// portName is how ports are called, with a number from 0 on.
const portName = "ttySIM"

// Ports lists the ports present, in the order of the numbers in their names.
func (r *Rack) Ports() []Port {
	r.mu.Lock()
	defer r.mu.Unlock()
	var present []Port
	for _, number := range slices.Sorted(maps.Keys(r.ports)) {
		if p := r.ports[number]; !p.gone {
			present = append(present, p.Port)
		}
	}
	return present
}

// Changed returns a channel that is closed once a port has come or gone since this call.
func (r *Rack) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// Open opens a port that [Rack.Ports] listed: bytes to and from the board as [Device.Stream] has them, until its next
// reset. The error matches [fs.ErrNotExist] if the port has gone since, whoever has its name now, and [ErrPortInUse] if
// it is open already. The caller closes the stream.
func (r *Rack) Open(port Port) (io.ReadWriteCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.ports {
		switch {
		case p.Port != port || p.gone:
		case p.held:
			return nil, ErrPortInUse
		default:
			return p.open()
		}
	}
	return nil, errPortGone
}

var errPortGone = fmt.Errorf("virtual port has gone: %w", fs.ErrNotExist)

// Close unplugs all boards and switches them off, see [Board.Close]. It may be called again.
func (r *Rack) Close() error {
	r.mu.Lock()
	r.shut = true
	all := slices.Collect(maps.Keys(r.boards))
	r.mu.Unlock()
	var failed error
	for _, b := range all {
		failed = errors.Join(failed, b.Close())
	}
	r.work.Wait()
	return failed
}

// signal wakes everybody who waits for a change. The lock is held.
func (r *Rack) signal() {
	close(r.changed)
	r.changed = make(chan struct{})
}
