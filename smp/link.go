package smp

// Link carries whole SMP packets to one device and back. A *transport.Conn is one. A link may have the methods
// SetLineGap and EndLine of that too; the client calls them from the goroutine that calls WritePacket.
type Link interface {
	// ReadPacket waits for the next packet. The slice is valid until the next call. Close makes it return an error.
	ReadPacket() ([]byte, error)
	// WritePacket sends one packet. It does not keep p. It may block as long as the device takes no data: it is called
	// from one goroutine, and no caller of the client waits for it. A link with a limit of its own returns an error
	// that is an os.ErrDeadlineExceeded; any other ends the client.
	WritePacket(p []byte) error
	// Overhead is the number of bytes that the link's framing takes in the device's packet buffer.
	Overhead() int
	// Close ends the link. It must not wait for a WritePacket that is stuck.
	Close() error
}

// bareLink is a [Link] that knows whether anything stands between its packets, as a *transport.Conn does.
type bareLink interface{ Bare() bool }

// isBare reports whether packets follow each other with nothing between them. Zephyr drops a piece of input that holds
// the end of one and the beginning of the next (serial_util.c: mcumgr_serial_process_frag): where the driver hands over
// byte by byte that never happens, elsewhere with each pair of requests in flight.
func (c *Client) isBare() bool {
	l, ok := c.link.(bareLink)
	return ok && l.Bare()
}
