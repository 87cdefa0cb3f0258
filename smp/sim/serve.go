package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// hostPatience is how long a host may refuse to take bytes before its connection is dropped.
const hostWriteTimeout = 10 * time.Second

// Serve offers the device's serial port on a listener, with the framing of the options. It stays a UART across resets: the
// connection lives on and the device is silent for a while. Several hosts may connect; each gets the answers to its own
// requests.
//
// Serve blocks until ctx ends or the device is closed, which give nil, or the listener fails. It closes the listener
// and all connections.
func (d *Device) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var hosts sync.WaitGroup
	defer hosts.Wait()
	defer cancel()
	hosts.Go(func() {
		select {
		case <-ctx.Done():
		case <-d.done:
		}
		l.Close()
	})
	for {
		conn, err := l.Accept()
		if err != nil {
			if d.over(ctx) {
				return nil
			}
			return fmt.Errorf("serve virtual device: %w", err)
		}
		hosts.Go(func() { d.attend(ctx, conn, d.newStream(false)) })
	}
}

// over reports whether serving is to end.
func (d *Device) over(ctx context.Context) bool {
	select {
	case <-d.done:
		return true
	default:
		return ctx.Err() != nil
	}
}

// hostEnd is the other end of a serial port: a connection or a pseudo-terminal.
type hostEnd interface {
	io.ReadWriteCloser
	SetWriteDeadline(time.Time) error
}

// attend carries bytes between a host and a stream until one of them ends, and closes both.
func (d *Device) attend(ctx context.Context, host hostEnd, s *stream) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() {
		<-ctx.Done()
		s.Close()
		host.Close()
	})
	work.Go(func() {
		defer cancel()
		copyBytes(s, host)
	})
	work.Go(func() {
		defer cancel()
		copyBytes(timedWriter{host}, s)
	})
}

// copyBytes is io.Copy without its shortcuts, which would bypass deadlines.
func copyBytes(to io.Writer, from io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// timedWriter writes to a host, with a time limit.
type timedWriter struct{ hostEnd }

func (p timedWriter) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(hostWriteTimeout)); err != nil &&
		!errors.Is(err, errors.ErrUnsupported) {
		return 0, err
	}
	return p.hostEnd.Write(b)
}
