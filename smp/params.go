package smp

import "time"

// Params is what a device says of its packet buffers (Zephyr smp_group_0.rst, "MCUmgr Parameters").
type Params struct {
	BufferSize  int  // bytes of one packet buffer, SMP header included
	BufferCount int  // buffers shared by requests and answers
	Known       bool // the device said so; otherwise the values are assumed
}

// Assumed of a device that does not say: every known server takes packets of this size.
const (
	assumedBuffer = 256
	assumedCount  = 1
)

// Limits for what a device may say: less cannot hold an upload's first chunk, more cannot be framed.
const (
	minBuffer = 64
	maxBuffer = 1<<16 - 1
	maxCount  = 255
)

type paramsReply struct {
	Size  uint64 `cbor:"buf_size"`
	Count uint64 `cbor:"buf_count"`
}

func (p paramsReply) params() Params {
	if p.Size < minBuffer {
		return Params{BufferSize: assumedBuffer, BufferCount: assumedCount}
	}
	return Params{
		BufferSize:  int(min(p.Size, maxBuffer)),
		BufferCount: int(min(max(p.Count, 1), maxCount)),
		Known:       true,
	}
}

// roundTrip is how long the device took for its first answer.
func (c *Client) roundTrip() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.took
}

func (c *Client) negotiatedParams() (params Params, restarts int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.params, c.restarts, c.negotiated
}

// Restarted tells the client that the device has restarted on a link that outlived it. What was negotiated no longer
// holds, because other firmware may have other buffers and another protocol version: the next request negotiates again.
// It sends nothing and does not block.
func (c *Client) Restarted() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.restarts++
	c.negotiated, c.probed, c.version, c.params = false, false, c.options.Version, Params{}
}

// PacketLimit is the size in bytes of the largest request that the device takes, SMP header included. Before
// [Client.Negotiate] it is what every device takes.
func (c *Client) PacketLimit() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := c.params.BufferSize
	if size == 0 {
		size = assumedBuffer
	}
	return size - c.link.Overhead()
}

// Version is the protocol version in use; V1 or V2 once any command was answered.
func (c *Client) Version() Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version
}

// wire is the time the link needs to carry n bytes, framing and an answer of the same size included.
func (c *Client) wire(n int) time.Duration {
	if c.options.Rate <= 0 {
		return 0
	}
	return time.Duration(n) * 3 * time.Second / time.Duration(c.options.Rate)
}
