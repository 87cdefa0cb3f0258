// Package pty makes pseudo-terminals that behave like serial ports, for virtual devices and tests, on Linux only.
package pty

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Open returns the master end of a new pseudo-terminal and the name of its other end, which programs open like a serial
// port. It is raw from the start, without echo, so nothing a device sends is thrown back at it.
//
// Deadlines work on the master, and Close wakes up its Read and looks to the other end like a device being unplugged.
// While no program has the other end open, reading the master gives EIO once one had it; whoever serves one program
// after another keeps the other end open itself.
func Open() (master *os.File, name string, err error) {
	// O_NONBLOCK puts the file under Go's poller, else Close would not end a Read.
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, "", fmt.Errorf("open a pseudo-terminal: %w", err)
	}
	number, err := prepare(fd)
	if err != nil {
		unix.Close(fd)
		return nil, "", fmt.Errorf("open a pseudo-terminal: %w", err)
	}
	return os.NewFile(uintptr(fd), "/dev/ptmx"), "/dev/pts/" + strconv.Itoa(number), nil
}

// prepare unlocks the other end, makes it raw and returns its number.
func prepare(fd int) (int, error) {
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return 0, err
	}
	settings, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return 0, err
	}
	settings.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP
	settings.Iflag &^= unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	settings.Oflag &^= unix.OPOST
	settings.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	settings.Cflag = settings.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	// Set through the master it applies to the other end (tty_ioctl(4)).
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, settings); err != nil {
		return 0, err
	}
	return unix.IoctlGetInt(fd, unix.TIOCGPTN)
}
