package transport

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"
)

const traceTitle = "# smp trace: seconds, > sent or < received, what the header says, packet in hex\n"

// traceKind says what a trace entry is.
type traceKind byte

const (
	sentPacket traceKind = iota + 1
	receivedPacket
	sentText     // bytes sent outside frames
	receivedText // bytes received outside frames
	note         // what happened to the link: damage, time limits, its end
)

// traceEntry is one line of a trace, whose format is that of [Options.Trace].
type traceEntry struct {
	At     time.Duration // since the connection was made, in whole microseconds
	Kind   traceKind
	Packet []byte // of a packet, header included, without framing
	Text   string // of a text or note, byte for byte
}

// Append appends the line of the trace, newline included, and returns the
// extended slice. A packet without a whole header cannot be written and panics.
func (e traceEntry) Append(dst []byte) []byte {
	dst = appendSeconds(dst, e.At)
	switch e.Kind {
	case sentPacket:
		dst = appendPacket(append(dst, " > "...), e.Packet)
	case receivedPacket:
		dst = appendPacket(append(dst, " < "...), e.Packet)
	case sentText:
		dst = strconv.AppendQuoteToASCII(append(dst, " > text "...), e.Text)
	case receivedText:
		dst = strconv.AppendQuoteToASCII(append(dst, " < text "...), e.Text)
	default:
		dst = strconv.AppendQuoteToASCII(append(dst, " ! note "...), e.Text)
	}
	return append(dst, '\n')
}

func appendSeconds(dst []byte, t time.Duration) []byte {
	us := t.Microseconds()
	dst = strconv.AppendInt(dst, us/1e6, 10)
	fraction := strconv.AppendInt(nil, 1e6+us%1e6, 10) // a 1 and six digits
	return append(append(dst, '.'), fraction[1:]...)
}

func appendPacket(dst, p []byte) []byte {
	dst = appendHeader(dst, p)
	return hex.AppendEncode(append(dst, ' '), p)
}

// appendHeader appends the header of p in words, after Zephyr's smp_protocol.rst.
func appendHeader(dst, p []byte) []byte {
	if len(p) < headerSize {
		panic("transport: packet without header in trace")
	}
	ops := [...]string{"read", "read-rsp", "write", "write-rsp", "op4", "op5", "op6", "op7"}
	dst = append(dst, ops[p[0]&7]...)
	for _, field := range [...]struct {
		name  string
		value int
	}{
		{" v", int(p[0]>>3&3) + 1}, // the field counts from 0, people from 1
		{" group ", int(binary.BigEndian.Uint16(p[4:]))},
		{" id ", int(p[7])},
		{" seq ", int(p[6])},
		{" len ", int(binary.BigEndian.Uint16(p[2:]))},
	} {
		dst = strconv.AppendInt(append(dst, field.name...), int64(field.value), 10)
	}
	return dst
}
