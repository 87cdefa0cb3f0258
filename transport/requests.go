package transport

import "encoding/binary"

// requests are the headers of the latest request under each sequence number, as one number with isRequest set; 0 is
// none.
type requests [256]uint64

// Parts of a header, read as one number (Zephyr smp_protocol.rst).
const (
	isRequest   = 1 << 63                 // here only; reserved on the wire
	isResponse  = 1 << 56                 // the bit of the operation that makes an answer of a request
	identifying = 0x07_00_0000_ffff_ff_ff // operation, group, sequence number, command

	sequenceAt = 6
)

// add remembers a request that is about to be sent.
func (q *requests) add(packet []byte) {
	q[packet[sequenceAt]] = isRequest | binary.BigEndian.Uint64(packet)
}

// has reports whether p begins with the header of a request.
func (q *requests) has(p []byte) bool {
	return len(p) >= headerSize && q[p[sequenceAt]] == isRequest|binary.BigEndian.Uint64(p)
}

// answered reports whether p begins with the header of an answer to a request.
func (q *requests) answered(p []byte) bool {
	if len(p) < headerSize || q[p[sequenceAt]] == 0 {
		return false
	}
	h := binary.BigEndian.Uint64(p)
	return h&isResponse != 0 && (h&^isResponse^q[p[sequenceAt]])&identifying == 0
}

// answeredIn reports whether somewhere in p a bare packet is an answer to a request.
func (q *requests) answeredIn(p []byte) bool {
	for ; len(p) >= headerSize; p = p[1:] {
		if q.answered(p) && bareAnswer(p) > 0 {
			return true
		}
	}
	return false
}

// bareAnswers reports whether p consists of bare answers from its beginning, the last perhaps cut off.
func bareAnswers(p []byte) bool {
	whole := false
	for len(p) >= headerSize {
		n := bareAnswer(p)
		if n == 0 {
			// What is left may be the beginning of one.
			return whole && startsPacket(p[0]) && packetLen(p) > len(p)
		}
		p, whole = p[n:], true
	}
	return whole
}

// bareAnswer returns how many bytes of p are the answer it begins with, 0 if it does not look like one. Without a
// checksum that is a matter of likelihood: the flags are 0, the body is a map of CBOR, and all of it is there.
func bareAnswer(p []byte) int {
	const (
		indefinite = 0xbf // RFC 8949: a map without a length, up to the byte 0xff
		mapType    = 5
	)
	if len(p) <= headerSize || !startsPacket(p[0]) || p[1] != 0 || p[headerSize]>>5 != mapType {
		return 0
	}
	n := packetLen(p)
	if n <= headerSize || n > len(p) || p[headerSize] == indefinite && p[n-1] != 0xff {
		return 0
	}
	return n
}
