package smp

// lineLink is a [Link] that can end what stands in the device's line buffer, as a *transport.Conn does.
type lineLink interface{ EndLine() error }

// writePacket writes a request: with its gap between the lines, and on a line of its own if it is the first one, or a
// repeated probe. Half a line may stand in the device's line buffer by then, of another program that had the port,
// of a request that was cut off, or of the device's own boot text, which the computer echoes until the port is in raw
// mode. The device would add the request to it and drop both. Of requests that are repeated every other one does without:
// a device with a single line buffer loses what follows the empty line at once.
//
// The gap of the link belongs to the writing goroutine, which sets it before each packet that needs another.
func (c *Client) writePacket(cl *call) error {
	if l, ok := c.link.(gapLink); ok && cl.gap != c.linkGap {
		l.SetLineGap(c.lineInterval(cl.gap))
		c.linkGap = cl.gap
	}
	if l, ok := c.link.(lineLink); ok && cl.fresh {
		if err := l.EndLine(); err != nil {
			return err
		}
	}
	return c.link.WritePacket(cl.packet)
}
