package device

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/smpctl/smpctl/transport"
)

const (
	// lookEvery is the time between two looks for a port that is not there yet. It is short against MCUboot's wait
	// window (BOOT_SERIAL_WAIT_FOR_DFU_TIMEOUT, 500 ms by default).
	lookEvery = 100 * time.Millisecond
	// settleTime is how long no obstacle at a port counts that has just appeared: the system is not done with it.
	settleTime = time.Second
)

// arrival is the wait for a port that is not there yet: a board that reboots or is plugged in, a server that starts.
type arrival struct {
	address  address
	wait     time.Duration // how long it may stay away; 0: not at all
	open     func(context.Context) (*transport.Conn, error)
	ports    func() ([]transport.Port, error)
	announce func() // called once it has to be waited for
	waited   bool   // it had to
}

// await opens the port, and waits for it if need be: at most for the time of the arrival and what opening takes. If ctx
// ends first, the error is that of the last try.
func (a *arrival) await(ctx context.Context) (*transport.Conn, error) {
	conn, err := a.open(ctx)
	if a.wait == 0 || !a.address.arrives() || !isAbsent(err) || ctx.Err() != nil {
		return conn, err
	}
	a.waited = true
	a.announce()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for l := (lookout{until: time.Now().Add(a.wait)}); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, err
		}
		var looked error
		if conn, looked = a.look(ctx, &l); looked != errUnsettled {
			err = looked
		}
		if !l.again(time.Now(), looked) {
			return conn, err
		}
	}
}

// look tries to open the port once. Where the address leaves a choice, the port must have been the only one at the look
// before too: a board with several ports shows them one after the other.
func (a *arrival) look(ctx context.Context, l *lookout) (*transport.Conn, error) {
	if a.address.Kind != transport.KindUSB && a.address.Kind != transport.KindAny {
		return a.open(ctx)
	}
	ports, err := a.ports()
	var port transport.Port
	if err == nil {
		port, err = a.address.Choose(ports)
	}
	before := l.seen
	l.seen = port
	switch {
	case err != nil:
		return nil, &transport.OpenError{Address: a.address.String(), Err: err}
	case port != before:
		return nil, errUnsettled
	}
	return a.open(ctx)
}

// errUnsettled says that a port fits that was not there at the look before.
var errUnsettled = errors.New("the port has just appeared")

// lookout is what was seen of a port so far.
type lookout struct {
	until    time.Time      // the port may stay away
	appeared time.Time      // when it was there for the first time; zero while it is not
	seen     transport.Port // at the last look, where the address leaves a choice
}

// again reports whether to look once more after a look that ended with err.
func (l *lookout) again(now time.Time, err error) bool {
	var choice *transport.ChoiceError
	switch {
	case err == nil:
		return false
	case isAbsent(err):
		l.appeared = time.Time{}
		return now.Before(l.until)
	case errors.As(err, &choice): // several fit
		return false
	case l.appeared.IsZero():
		l.appeared = now
	}
	return now.Sub(l.appeared) < settleTime
}

// isAbsent reports whether an error means that a port is not there, or not yet.
func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// arrives reports whether what an address names can be missing at first and come later.
func (a address) arrives() bool {
	switch a.Kind {
	case transport.KindPath, transport.KindUSB, transport.KindAny, transport.KindTCP:
		return true
	}
	return false
}
