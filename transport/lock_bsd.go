//go:build unix && !linux

package transport

// heldExclusively has no way to ask; others than root cannot open such a port.
func (l *portLock) heldExclusively() bool { return false }

// clearExclusive has nothing to do: closing the last descriptor ends exclusive mode.
func (l *portLock) clearExclusive() {}
