package smp

import (
	"encoding/binary"
	"fmt"
)

// HeaderLen is the size of an SMP header in bytes.
const HeaderLen = 8

// Version is a version of the SMP protocol. It decides how a server reports the errors of a group:
// as a bare number from one global table (V1) or as group and number (V2).
type Version uint8

// The versions of the protocol. Auto lets a [Client] find out which one the device speaks.
const (
	Auto Version = iota
	V1
	V2
)

// String gives "auto", "1" or "2".
func (v Version) String() string {
	if v == Auto {
		return "auto"
	}
	return fmt.Sprint(uint8(v))
}

// Op says what a packet is: a request or a response, to read or to write.
type Op uint8

// The operations (Zephyr smp_protocol.rst). A response has the number of its request plus one.
const (
	Read Op = iota
	ReadResponse
	Write
	WriteResponse
)

// Response is the operation of the answer to a request with operation o.
func (o Op) Response() Op { return o + 1 }

// IsRequest reports whether o is an operation that a client sends.
func (o Op) IsRequest() bool { return o == Read || o == Write }

// String gives the name of the operation, or its number where it has none.
func (o Op) String() string {
	switch o {
	case Read:
		return "read"
	case ReadResponse:
		return "read response"
	case Write:
		return "write"
	case WriteResponse:
		return "write response"
	}
	return fmt.Sprintf("op %d", uint8(o))
}

// Header opens every SMP packet (Zephyr smp_protocol.rst, "Frame: The SMP header").
type Header struct {
	Version  Version // V1 or V2; numbers above V2 are kept as received
	Op       Op
	Flags    uint8  // no flag is defined; sent as 0, ignored on receive
	Length   uint16 // bytes of payload behind the header
	Group    Group
	Sequence uint8 // copied into the response
	Command  uint8 // number within the group
}

// Append appends the 8 bytes of h to dst and returns the longer slice. Version Auto counts as V1.
func (h Header) Append(dst []byte) []byte {
	version := uint8(0)
	if h.Version > V1 {
		version = uint8(h.Version-V1) & 3
	}
	dst = append(dst, version<<3|uint8(h.Op)&7, h.Flags)
	dst = binary.BigEndian.AppendUint16(dst, h.Length)
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.Group))
	return append(dst, h.Sequence, h.Command)
}

// ParseHeader splits a packet into its header and its payload, which aliases the packet. Bytes behind the payload are
// ignored; a packet that is shorter than its header says is an error.
func ParseHeader(packet []byte) (Header, []byte, error) {
	if len(packet) < HeaderLen {
		return Header{}, nil, fmt.Errorf("packet of %d bytes is shorter than a header", len(packet))
	}
	h := Header{
		Version:  Version(packet[0]>>3&3) + V1,
		Op:       Op(packet[0] & 7),
		Flags:    packet[1],
		Length:   binary.BigEndian.Uint16(packet[2:]),
		Group:    Group(binary.BigEndian.Uint16(packet[4:])),
		Sequence: packet[6],
		Command:  packet[7],
	}
	payload := packet[HeaderLen:]
	if int(h.Length) > len(payload) {
		return h, nil, fmt.Errorf("header announces %d bytes of payload, %d follow", h.Length, len(payload))
	}
	return h, payload[:h.Length], nil
}

// answers reports whether h is the header of a response to the request r. The version may differ: servers from before
// version 2 answer its requests in version 1. A request that is none is refused like a write (Zephyr smp.c:
// smp_rsp_op).
func (h Header) answers(r Header) bool {
	response := r.Op.Response()
	if !r.Op.IsRequest() {
		response = WriteResponse
	}
	return h.Op == response && h.Group == r.Group && h.Command == r.Command && h.Sequence == r.Sequence
}
