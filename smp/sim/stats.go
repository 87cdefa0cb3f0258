package sim

// Stats count what happened inside the device since [NewDevice]. A real one keeps most of this to itself, so they are
// what a test of a client looks at: a client that is well behaved loses nothing for want of buffers.
type Stats struct {
	Requests int // executed

	// Lost without an answer.
	LostPackets int // no packet buffer was free; Zephyr 4.4.0 crashes in this case
	LostLines   int // no line buffer was free
	LongLines   int // longer than a line buffer
	Broken      int // bad base64, length, CRC or operation, or longer than a packet buffer

	NoMemory int // answered with rc 2 because no buffer was free for the answer
	Resets   int // boots after the first
}

// Stats gives the counters.
func (d *Device) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}
