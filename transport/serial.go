package transport

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"
	"syscall"
	"time"

	"go.bug.st/serial"
)

// closeGrace is how long Close waits for a write to leave the library. One that
// takes longer sits in the driver, where a closed descriptor cannot hurt it.
const closeGrace = 100 * time.Millisecond

// errDescriptor is not a disconnection: the port is there, this process has too
// many files open. The library waits with select(2), which ends at 1023.
var errDescriptor = errors.New("descriptor number of the port is over 1023")

// serialPort is a port of go.bug.st/serial made into a well-behaved
// io.ReadWriteCloser. Read timeouts are never set: they race with a Read in
// progress, and the library's default, no timeout, lets Close wake it up.
type serialPort struct {
	port serial.Port
	lock *portLock

	turn    chan struct{} // holds a token while the library writes or closes
	closing chan struct{}
	once    sync.Once
	err     error // of Close
}

// openSerial locks the port, opens it and, unless it is to be kept, throws away what it had received.
func openSerial(name string, o Options) (*serialPort, error) {
	if o.Baud < 0 {
		return nil, fmt.Errorf("%d baud", o.Baud)
	}
	// The library's own lock (TIOCEXCL) is no obstacle for root, and its errors
	// are ignored there.
	lock, err := lockPort(name)
	if err != nil {
		return nil, err
	}
	port, err := openLibrary(name, lock, o)
	if err != nil {
		lock.close()
		return nil, err
	}
	// Raw mode is on since Open. What came before may be an echo of the
	// device's own output in cooked mode. This must precede the first Read: on
	// Windows the purge would abort it. A driver that cannot flush is no reason
	// to give up, the decoder copes with leftovers.
	if !o.KeepInput {
		_ = port.ResetInputBuffer()
	}
	return &serialPort{
		port:    port,
		lock:    lock,
		turn:    make(chan struct{}, 1),
		closing: make(chan struct{}),
	}, nil
}

func openLibrary(name string, lock *portLock, o Options) (serial.Port, error) {
	baud := o.Baud
	if baud == 0 {
		baud = DefaultBaud // the library takes 0 for 9600
	}
	mode := &serial.Mode{BaudRate: baud, DataBits: 8} // never nil: the library panics
	if o.DropLines && runtime.GOOS == "windows" {
		// Only here does it take effect before the lines go up; on a PTY these
		// bits would make Open fail.
		mode.InitialStatusBits = &serial.ModemOutputBits{}
	}
	// The library opens without O_CLOEXEC. No child may start in between.
	syscall.ForkLock.RLock()
	port, err := serial.Open(name, mode)
	if err == nil {
		lock.adopt()
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, openCause(err, baud)
	}
	if err := dropLines(port, o.DropLines && runtime.GOOS != "windows"); err != nil {
		port.Close()
		return nil, err
	}
	return port, nil
}

func dropLines(port serial.Port, drop bool) error {
	if !drop {
		return nil // the kernel, and on Windows the library, has raised both
	}
	for _, set := range []func(bool) error{port.SetDTR, port.SetRTS} {
		err := set(false)
		// A PTY has no such lines.
		if err != nil && !errors.Is(err, syscall.ENOTTY) && !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("lower DTR and RTS: %w", err)
		}
	}
	return nil
}

// openCause maps an error of the library's Open: a plain errno, such as that of a
// missing port on Unix, or a PortError, which does not unwrap to anything.
func openCause(err error, baud int) error {
	var portError *serial.PortError
	if !errors.As(err, &portError) {
		switch {
		case isBusy(err):
			return ErrBusy
		case runtime.GOOS == "windows" && errors.Is(err, fs.ErrNotExist): // of a path: its ports are no files
			return errNoPort
		}
		return err
	}
	switch portError.Code() {
	case serial.PortBusy:
		return ErrBusy
	case serial.PortNotFound:
		return errNoPort
	case serial.PermissionDenied:
		return fs.ErrPermission
	case serial.InvalidSerialPort:
		return fmt.Errorf("%w, or none that takes %d baud: %w", errNotPort, baud, err)
	}
	return err
}

// Read blocks until there is at least one byte, the port is closed or the device
// is gone.
func (s *serialPort) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil // the library reports a closed port
	}
	defer func() {
		// select(2) with a descriptor over 1023 is an index out of range.
		switch r := recover().(type) {
		case nil:
		case runtime.Error:
			n, err = 0, fmt.Errorf("%w (%w)", errDescriptor, r)
		default:
			panic(r)
		}
	}()
	n, err = s.port.Read(p)
	return n, s.ioError(err)
}

// Write writes all of p. It may block for ever; see [Conn.WritePacket].
func (s *serialPort) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := s.writeOnce(p[written:])
		written += n
		switch {
		case errors.Is(err, syscall.EINTR): // the library does not repeat it
		case err != nil:
			return written, s.ioError(err)
		case n == 0:
			return written, io.ErrShortWrite
		}
	}
	return written, nil
}

// writeOnce makes one call of the library, which may write less than asked for
// without an error. It must not be entered after the port is closed: the
// library would write into whatever file got the descriptor since.
func (s *serialPort) writeOnce(p []byte) (int, error) {
	select {
	case <-s.closing:
		return 0, ErrClosed
	case s.turn <- struct{}{}:
	}
	defer func() { <-s.turn }()
	if isClosed(s.closing) {
		return 0, ErrClosed
	}
	return s.port.Write(p)
}

// ioError tells our own Close from a device that is gone. The library reports
// both as PortClosed when reading.
func (s *serialPort) ioError(err error) error {
	if err == nil {
		return nil
	}
	if isClosed(s.closing) {
		return ErrClosed
	}
	var portError *serial.PortError
	if errors.As(err, &portError) && portError.Code() == serial.PortClosed {
		return ErrDisconnected // its text would say the port was closed
	}
	return err
}

// Close closes the port and gives up the lock. Output the device has not taken is
// thrown away: the kernel would wait up to 30 seconds for it.
func (s *serialPort) Close() error {
	s.once.Do(func() {
		close(s.closing)
		_ = s.port.ResetOutputBuffer() // may also set a stuck write free; not on a PTY
		grace := time.NewTimer(closeGrace)
		defer grace.Stop()
		select {
		case s.turn <- struct{}{}: // kept: no write from now on
		case <-grace.C:
		}
		// The lock holds the device open as well, so this close is not the last
		// one and does not wait for output.
		s.err = s.port.Close()
		s.lock.close()
	})
	return s.err
}
