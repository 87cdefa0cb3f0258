package transport

// rawDecoder finds bare SMP packets in a byte stream: no markers, no base64, no
// CRC, the end known from the header only (Zephyr subsys/mgmt/mcumgr/transport/
// src/smp_raw_uart.c, MCUboot CONFIG_BOOT_SERIAL_RAW_PROTOCOL). The zero value
// is ready.
//
// Without a checksum nothing in a damaged stream tells where the next packet
// starts. So the rule is: a packet starts with a byte that is possible there,
// which is a response of SMP version 1 or 2 with the reserved bits 0; at
// anything else the input is dropped until the line has been idle, which the
// caller says with [rawDecoder.Reset]. A packet that stops half way is dropped
// in the same way.
//
// The packets found do not depend on how the stream is cut into calls. Memory
// is bounded by the largest packet, 64 KiB and a header. A rawDecoder is for one
// goroutine at a time.
type rawDecoder struct {
	// Text, if not nil, gets the bytes that are dropped because no packet can
	// start with them. The slice is only valid during the call.
	Text func([]byte)

	lost   bool // dropping until Reset
	packet []byte
	stats  Stats
}

// Next consumes p up to the end of the first packet and returns that packet and
// the rest of p, to be passed in again. It returns a nil packet when p is used
// up. The packet is valid until the next call and exactly as long as its header says.
func (d *rawDecoder) Next(p []byte) (packet, rest []byte) {
	before := len(p)
	packet, rest = d.next(p)
	d.stats.Bytes += uint64(before - len(rest))
	return packet, rest
}

// Reset says that the line has been idle: what comes next is the start of a
// packet. A packet received in part is dropped.
func (d *rawDecoder) Reset() {
	if len(d.packet) > 0 {
		d.stats.Incomplete++
	}
	d.lost, d.packet = false, d.packet[:0]
}

// Stats returns the counters so far.
func (d *rawDecoder) Stats() Stats { return d.stats }

func (d *rawDecoder) next(p []byte) (packet, rest []byte) {
	if len(p) == 0 {
		return nil, nil
	}
	if !d.lost && len(d.packet) == 0 && !startsPacket(p[0]) {
		d.lost = true
		d.stats.BadHeader++
	}
	if d.lost {
		d.stats.TextBytes += uint64(len(p))
		if d.Text != nil {
			d.Text(p)
		}
		return nil, nil
	}
	p = d.fill(p, headerSize)
	if len(d.packet) < headerSize {
		return nil, nil
	}
	length := packetLen(d.packet)
	if p = d.fill(p, length); len(d.packet) < length {
		return nil, nil
	}
	packet, d.packet = d.packet, d.packet[:0]
	d.stats.Packets++
	return packet, p
}

// fill moves bytes from p until the packet has n bytes and returns the rest of p.
func (d *rawDecoder) fill(p []byte, n int) []byte {
	take := min(max(n-len(d.packet), 0), len(p))
	d.packet = append(d.packet, p[:take]...)
	return p[take:]
}

// startsPacket tells whether b can be the first byte of a response: 3 reserved bits,
// 2 bits of version, 3 bits of operation (Zephyr smp_protocol.rst).
func startsPacket(b byte) bool {
	const (
		reserved  = 0b111_00_000
		version   = 0b000_10_000 // versions 2 and 3 of this field are reserved
		operation = 0b000_00_111
		response  = 0b000_00_001
	)
	op := b & operation
	return b&(reserved|version) == 0 && op <= 3 && op&response != 0
}
