package transport

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

const (
	// busyLimit is how long a busy port is tried: programs such as
	// ModemManager take hold of a new port for a few seconds.
	busyLimit = 3 * time.Second
	// accessLimit is how long a new port without permission is tried: after a
	// hot-plug the node appears first and gets its group a little later.
	accessLimit = 2 * time.Second
	// newNode is how old a node may be to count as just plugged in.
	newNode = 10 * time.Second

	retryEvery = 50 * time.Millisecond
)

// Dial opens an address and returns a connection to what is there. See [ParseAddress] for the forms of an address. ctx
// bounds the opening only, and Dial adds limits of its own: three seconds for a serial port that is busy, two for one
// that was plugged in a moment ago and has not got its permissions yet, ten for TCP and UDP. Finding out who holds a
// busy port takes 200 ms more at most.
//
// Over UDP each packet is one datagram: Options.Raw and LineLength do not matter, and [Conn.MaxPacket] is what an
// Ethernet frame can carry. A datagram that does not arrive is never an error, so that a device may reboot meanwhile,
// and Dial does not notice whether there is one.
//
// A text that is no address is an [*AddressError]; everything else is an [*OpenError].
func Dial(ctx context.Context, address string, o Options) (*Conn, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	c, err := dial(ctx, a, o)
	if err == nil {
		return c, nil
	}
	var open *OpenError
	if !errors.As(err, &open) {
		open = &OpenError{Err: err}
	}
	open.Address = address
	return nil, open
}

func dial(ctx context.Context, a Address, o Options) (*Conn, error) {
	switch a.Kind {
	case KindUDP:
		return dialUDP(ctx, a.Host, o)
	case KindTCP:
		stream, err := dialTCP(ctx, a.Host)
		if err != nil {
			return nil, err
		}
		c := NewConn(stream, o)
		c.port.Interface = AnyInterface
		return c, nil
	}
	port, err := findPort(a)
	if err != nil {
		return nil, err
	}
	return OpenPort(ctx, port, o, func() (io.ReadWriteCloser, error) { return openSerial(port.Name, o) })
}

// OpenPort returns a connection to a port that open opens, and that [Conn.Port] then tells of. It is what [Dial] does
// with a port that it has found, for ports that are no files of this system, such as those of virtual boards: it tries
// again for a while where open says [ErrBusy], see Options.Retry. ctx bounds the opening only. Every error is an
// [*OpenError] with the name of the port as its address.
func OpenPort(ctx context.Context, port Port, o Options, open func() (io.ReadWriteCloser, error)) (*Conn, error) {
	in := &obstacle{port: port.Name, retry: o.Retry}
	stream, err := retryOpen(ctx, open, in.passes)
	if err != nil {
		return nil, explained(port.Name, err)
	}
	c := NewConn(stream, o)
	c.port = port
	return c, nil
}

// explained adds to the error of opening a port what the system tells of the obstacle.
func explained(port string, err error) *OpenError {
	e := &OpenError{Address: port, Err: err}
	switch {
	case errors.Is(err, ErrBusy):
		e.Holder = holderOf(port)
	case errors.Is(err, fs.ErrPermission):
		e.Group, e.InGroup = groupNeeded(port, err)
	}
	return e
}

func findPort(a Address) (Port, error) {
	ports, err := Ports()
	if a.Kind != KindPath {
		if err != nil {
			return Port{}, err
		}
		return a.Choose(ports)
	}
	// A port given by name can be opened without being known.
	given := a.Path
	a.Path = resolve(given)
	port, err := a.Choose(ports)
	if !port.USB {
		port.Name = given // a link to a PTY outlives the PTY
	}
	return port, err
}

// obstacle is what keeps a port from being opened.
type obstacle struct {
	port  string
	retry func(*OpenError) bool
	known *OpenError // as it was explained to retry, once
}

// passes tells whether an obstacle may pass, and is to be waited for.
func (o *obstacle) passes(err error) bool {
	switch {
	case !errors.Is(err, ErrBusy) && (!errors.Is(err, fs.ErrPermission) || !isNew(o.port)):
		return false
	case o.retry == nil:
		return true
	case o.known == nil || !errors.Is(o.known, err):
		o.known = explained(o.port, err)
	}
	return o.retry(o.known)
}

// retryOpen tries to open a port until it is open, the obstacle is not one that
// passes, or retryLimit or ctx is at an end.
func retryOpen[T any](ctx context.Context, open func() (T, error), passes func(error) bool) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	start := time.Now()
	for {
		opened, err := open()
		if err == nil {
			return opened, nil
		}
		if time.Since(start) >= retryLimit(err) || !passes(err) {
			return none, err
		}
		timer := time.NewTimer(retryEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		// Looked at in any case: with both ready, select picks at random.
		if ctx.Err() != nil {
			return none, err // the obstacle, not that somebody gave up waiting
		}
	}
}

// retryLimit is how long an obstacle is worth another try.
func retryLimit(err error) time.Duration {
	if errors.Is(err, ErrBusy) {
		return busyLimit
	}
	return accessLimit
}

// isNew tells whether the device node appeared a moment ago.
func isNew(name string) bool {
	info, err := os.Stat(name)
	return err == nil && time.Since(info.ModTime()) < newNode
}
