package smp

import "time"

// lineGaps are the times between two lines of a packet, from none to the longest. A device with two line buffers loses part of every larger
// packet that nothing paces; a moment after each line costs less than smaller packets with a round trip each.
var lineGaps = [...]time.Duration{0, 2 * time.Millisecond, 10 * time.Millisecond}

// burstLines is what the smallest driver takes at once (CONFIG_UART_MCUMGR_RX_BUF_COUNT of Zephyr).
const burstLines = 2

// gapLink is a [Link] that can hold back between the lines of a packet, as a *transport.Conn does.
type gapLink interface{ SetLineGap(time.Duration) }

// widestGap is the last of lineGaps that the link can keep.
func (c *Client) widestGap() int {
	if _, ok := c.link.(gapLink); ok {
		return len(lineGaps) - 1
	}
	return 0
}

// lineGap is the one of lineGaps in use.
func (c *Client) lineGap() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gap
}

// setLineGap is for every packet from now on; the writer tells the link.
func (c *Client) setLineGap(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gap = n
}

// gentle reports whether a single request is sent with a gap in any case: its few milliseconds are less than the time that one loss
// takes. A client that sends everything once is one that measures, and is left alone.
func (c *Client) gentle(packet []byte) bool {
	return c.options.Tries > 1 && len(packet)+c.link.Overhead() > burstLines*lineBytes
}

// widenGap is for after the loss of a request, if it was sent with a gap.
func (c *Client) widenGap(packet []byte) {
	if !c.gentle(packet) {
		return
	}
	widest := c.widestGap()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gap = min(max(c.gap, 1)+1, widest)
}

// writePacket writes the request of a call, a gentle one with a gap between its lines: the widest if nothing would make up for its loss.
// The gap of the link belongs to the writing goroutine, which sets it before each packet that needs another.
func (c *Client) writePacket(cl *call) error {
	gap := c.lineGap()
	switch {
	case cl.gentle && cl.once:
		gap = c.widestGap()
	case cl.gentle:
		gap = max(gap, 1)
	}
	if l, ok := c.link.(gapLink); ok && gap != c.linkGap {
		l.SetLineGap(lineGaps[gap])
		c.linkGap = gap
	}
	return c.link.WritePacket(cl.packet)
}
