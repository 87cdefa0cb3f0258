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

// widenGap is for after the loss of a packet of several lines.
func (c *Client) widenGap(packet []byte) {
	if n := c.lineGap(); n < c.widestGap() && len(packet)+c.link.Overhead() > burstLines*lineBytes {
		c.setLineGap(n + 1)
	}
}
