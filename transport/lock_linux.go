package transport

import "golang.org/x/sys/unix"

// heldExclusively tells whether another program has the port in exclusive mode.
// Others than root could not have opened it; root has to ask.
func (l *portLock) heldExclusively() bool {
	if isPTY(l.stat) {
		return false // the mode outlives a killed program there; clearExclusive ends it
	}
	exclusive, err := unix.IoctlGetInt(l.fd, unix.TIOCGEXCL)
	return err == nil && exclusive != 0
}

// clearExclusive takes the serial library's exclusive mode off a PTY. On a real port it
// ends with the last user, but a PTY's stays while its master is open, and after a
// killed program nobody but root could ever open the port again.
func (l *portLock) clearExclusive() {
	if isPTY(l.stat) {
		_ = unix.IoctlSetInt(l.fd, unix.TIOCNXCL, 0)
	}
}

// isPTY goes by the device numbers of Linux Documentation/admin-guide/devices.txt:
// major 136 to 143 are Unix98 PTY slaves.
func isPTY(node unix.Stat_t) bool {
	major := unix.Major(uint64(node.Rdev))
	return 136 <= major && major <= 143
}

// stopEcho takes effect before the serial library has opened the port and set raw mode: a terminal begins in cooked
// mode, in which everything that the device prints goes back to it. It is no lock, but this is the first open, with
// which the driver begins to read. A port that has no such modes is refused later on.
func (l *portLock) stopEcho() {
	modes, err := unix.IoctlGetTermios(l.fd, unix.TCGETS)
	if err != nil {
		return
	}
	modes.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON
	_ = unix.IoctlSetTermios(l.fd, unix.TCSETS, modes)
}
