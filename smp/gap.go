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

func (c *Client) setLineGap(n int) {
	c.mu.Lock()
	changed := c.gap != n
	c.gap = n
	c.mu.Unlock()
	if l, ok := c.link.(gapLink); ok && changed {
		l.SetLineGap(lineGaps[n])
	}
}

// gentle reports whether a single request is sent with a gap in any case: its few milliseconds are less than the time that one loss
// takes. A client that sends everything once is one that measures, and is left alone.
func (c *Client) gentle(packet []byte) bool {
	return c.options.Tries > 1 && len(packet)+c.link.Overhead() > burstLines*lineBytes
}

// widenGap is for after the loss of a request, if it was sent with a gap.
func (c *Client) widenGap(packet []byte) {
	if c.gentle(packet) {
		c.setLineGap(min(max(c.lineGap(), 1)+1, c.widestGap()))
	}
}

// writePacket writes the request of a call, a gentle one with a gap between its lines: the widest if nothing would make up for its loss.
func (c *Client) writePacket(cl *call) error {
	usual, gap := c.lineGap(), 0
	if cl.gentle {
		gap = 1
		if cl.once {
			gap = c.widestGap()
		}
	}
	if l, ok := c.link.(gapLink); ok && usual < gap {
		l.SetLineGap(lineGaps[gap])
		defer l.SetLineGap(lineGaps[usual])
	}
	return c.link.WritePacket(cl.packet)
}
