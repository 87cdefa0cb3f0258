//go:build unix && !linux

package transport

// heldExclusively has no way to ask; others than root cannot open such a port.
func (l *portLock) heldExclusively() bool { return false }

// clearExclusive has nothing to do: closing the last descriptor ends exclusive mode.
func (l *portLock) clearExclusive() {}

// stopEcho leaves it to the serial library, which sets raw mode a moment later.
func (l *portLock) stopEcho() {}
