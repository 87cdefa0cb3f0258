//go:build unix

package transport

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// portLock keeps other processes from a port: an flock(2) on a descriptor of the
// device node itself. It holds for root too, all names of the node share it,
// and it ends with the process, so nothing stale is left.
type portLock struct {
	fd   int
	stat unix.Stat_t
}

// lockPort takes the lock at once or returns ErrBusy. It also notices a program
// that locked the port with TIOCEXCL instead.
func lockPort(name string) (*portLock, error) {
	// Without O_NONBLOCK opening would wait for a carrier.
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, busyOr(err)
	}
	l := &portLock{fd: fd}
	if err := l.take(); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *portLock) take() error {
	if err := unix.Fstat(l.fd, &l.stat); err != nil {
		return err
	}
	if l.stat.Mode&unix.S_IFMT != unix.S_IFCHR {
		return errNotPort
	}
	if err := unix.Flock(l.fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return busyOr(err)
	}
	if l.heldExclusively() {
		return ErrBusy
	}
	l.stopEcho()
	return nil
}

// adopt is called when the serial library has opened the same device. It keeps
// the library's descriptor from child processes.
func (l *portLock) adopt() {
	l.clearExclusive()
	names, err := readDirNames("/dev/fd")
	if err != nil {
		return // close-on-exec is a courtesy to child processes, not worth failing for
	}
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || fd <= 2 {
			continue
		}
		var stat unix.Stat_t
		if unix.Fstat(fd, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFCHR && stat.Rdev == l.stat.Rdev {
			unix.CloseOnExec(fd)
		}
	}
}

// close releases the lock. The device is closed with it if nothing else holds it.
func (l *portLock) close() { unix.Close(l.fd) }

func readDirNames(name string) ([]string, error) {
	dir, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

func busyOr(err error) error {
	if isBusy(err) {
		return ErrBusy
	}
	return err
}

func isBusy(err error) bool {
	return errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EWOULDBLOCK)
}
