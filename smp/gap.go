package smp

import "time"

// lineGaps are the times between two lines of a packet, from none to the longest. A device with two line buffers loses
// part of every larger packet that nothing paces; a moment after each line costs less than smaller packets with a round
// trip each. Which of them a transfer needs, package congestion decides; for single requests it is decided here.
var lineGaps = [...]time.Duration{0, 2 * time.Millisecond, 10 * time.Millisecond}

// burstLines is what the smallest driver takes at once (CONFIG_UART_MCUMGR_RX_BUF_COUNT of Zephyr).
const burstLines = 2

// gapLink is a [Link] that can hold back between the lines of a packet, as a *transport.Conn does.
type gapLink interface{ SetLineGap(time.Duration) }

// widestGap is the last of lineGaps that the link can keep.
func (c *Client) widestGap() int {
	if _, ok := c.link.(gapLink); ok && c.link.Overhead() > 0 { // raw framing has no lines
		return len(lineGaps) - 1
	}
	return 0
}

// lineGap is the one of lineGaps that the device is known to need.
func (c *Client) lineGap() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gap
}

// setLineGap keeps what a transfer found out.
func (c *Client) setLineGap(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gap = n
}

// lineInterval is the time from the beginning of one line to that of the next. On a slow wire a line takes longer than
// the gap: there it follows the line.
func (c *Client) lineInterval(gap int) time.Duration {
	if gap == 0 || c.options.Rate <= 0 {
		return lineGaps[gap]
	}
	const lineLen = 127 // bytes on the wire
	return lineGaps[gap] + lineLen*time.Second/time.Duration(c.options.Rate)
}

// gapFor is the gap for a single request. One of many lines has a gap in any case, for its few milliseconds are less
// than the time that one loss takes, and the widest if there is no second try.
func (c *Client) gapFor(packet []byte, once bool) int {
	switch {
	case !c.gentle(packet):
		return c.lineGap()
	case once:
		return c.widestGap()
	}
	return max(c.lineGap(), min(1, c.widestGap()))
}

// gentle reports whether a request is one of many lines. A client that sends everything once is one that measures, and
// is left alone.
func (c *Client) gentle(packet []byte) bool {
	return c.options.Tries > 1 && len(packet)+c.link.Overhead() > burstLines*lineBytes
}

// widenGap is for after the loss of a single request, if it was sent with a gap.
func (c *Client) widenGap(packet []byte) {
	if !c.gentle(packet) {
		return
	}
	widest := c.widestGap()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gap = min(max(c.gap, 1)+1, widest)
}
