// Package cborhead reads and writes the first bytes of a CBOR data item, for code that has no use for a decoder: the
// major type in the upper three bits, and an argument, which is a value, a length or a count (RFC 8949, section 3).
//
//	0x63         text (3) of 3 bytes          'i' 'm' 'g' follow
//	0x19 0x0200  number (0) 512
//	0xbf         map (5) of indefinite length, up to 0xff
package cborhead

import "encoding/binary"

// Major is the major type of a data item (RFC 8949, section 3.1).
type Major byte

// The major types.
const (
	Unsigned Major = iota
	Negative       // the argument n stands for -1-n
	Bytes
	Text
	Array
	Map
	Tag
	Simple // simple values and floats
)

// Values of [Head.Info] with a meaning of their own.
const (
	Half       = 25 // of Simple: a float of 2 bytes, its bits in the argument
	Float      = 26 // of Simple: a float of 4 bytes
	Double     = 27 // of Simple: a float of 8 bytes
	Indefinite = 31 // of Bytes, Text, Array and Map: up to a [Break]
)

// Break ends an item of indefinite length (RFC 8949, section 3.2.1).
const Break = 0xff

// Head is what the first bytes of a data item say.
type Head struct {
	Major Major  // type of the item
	Info  byte   // the lower five bits of the first byte: the argument, or how many bytes it takes
	N     uint64 // the argument; 0 if there is none, as with Indefinite
}

// Read reads a head and returns what follows it, a part of b. It reports false if b ends too early, and for the
// reserved values of Info, 28 to 30. It does not look at what follows: a length may be larger than that.
func Read(b []byte) (h Head, rest []byte, ok bool) {
	if len(b) == 0 {
		return Head{}, nil, false
	}
	h, rest = Head{Major: Major(b[0] >> 5), Info: b[0] & 31}, b[1:]
	switch {
	case h.Info < 24:
		h.N = uint64(h.Info)
		return h, rest, true
	case h.Info == Indefinite:
		return h, rest, true
	case h.Info > 27 || len(rest) < 1<<(h.Info-24):
		return Head{}, nil, false
	}
	for _, v := range rest[:1<<(h.Info-24)] {
		h.N = h.N<<8 | uint64(v)
	}
	return h, rest[1<<(h.Info-24):], true
}

// Append appends a head with its argument in the shortest form and returns the extended slice.
func Append(b []byte, m Major, n uint64) []byte {
	first := byte(m) << 5
	switch {
	case n < 24:
		return append(b, first|byte(n))
	case n < 1<<8:
		return append(b, first|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, first|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, first|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, first|27), n)
}

// Len is how many bytes a head takes, its argument in the shortest form.
func Len(n uint64) int {
	switch {
	case n < 24:
		return 1
	case n < 1<<8:
		return 2
	case n < 1<<16:
		return 3
	case n < 1<<32:
		return 5
	}
	return 9
}
