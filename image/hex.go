package image

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// maxHexSpan bounds the flat size of an Intel HEX file. No slot comes near it; a
// few bytes of text could otherwise ask for 4 GiB.
const maxHexSpan = 64 << 20

// FromHex flattens an Intel HEX file: it returns the bytes from the lowest
// address to the highest, gaps filled with 0xff like erased flash, and the lowest
// address. Records of types 00 to 05 are understood (Intel Hexadecimal Object
// File Format Specification, revision A), in any order of addresses.
//
// A wrong checksum, data given twice, a missing end record, text behind it, or a
// span of more than 64 MiB are errors of kind [ErrBadHex] that name the line.
func FromHex(b []byte) (data []byte, start uint32, err error) {
	r := hexReader{limit: 1 << 16, data: make([]byte, 0, len(b)/2)}
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte("\n"))
		r.line++
		if err := r.read(bytes.TrimRight(line, " \t\r")); err != nil {
			return nil, 0, err
		}
	}
	if !r.ended {
		return nil, 0, fail(ErrBadHex, "Intel HEX: no end record after %d lines: cut short", r.line)
	}
	return r.flatten()
}

// Record types.
const (
	hexData          = 0
	hexEnd           = 1
	hexSegmentBase   = 2
	hexSegmentStart  = 3 // where a PC would begin to run: of no use here
	hexLinearBase    = 4
	hexLinearStart   = 5 // the same
	hexRecordFixed   = 5 // bytes of a record besides its data
	hexRecordLargest = 255 + hexRecordFixed
)

// hexReader collects the data of a file in the order of its lines.
type hexReader struct {
	line   int
	base   uint64 // added to the address of a data record
	limit  uint64 // end of the addresses that the base can reach
	ended  bool
	data   []byte
	chunks []hexChunk
}

// hexChunk is a run of data without a gap.
type hexChunk struct {
	start, end uint64 // addresses
	at         int    // offset of its first byte in data
	line       int    // of its first record
}

func (r *hexReader) read(line []byte) error {
	switch {
	case len(line) == 0:
		return nil
	case r.ended:
		return r.fail("text behind the end record")
	case line[0] != ':':
		return r.fail("does not begin with a colon")
	case len(line)-1 > 2*hexRecordLargest:
		return r.fail("longer than any record")
	}
	var buf [hexRecordLargest]byte
	n, err := hex.Decode(buf[:], line[1:])
	if err != nil {
		return r.fail("not a whole number of hexadecimal bytes")
	}
	return r.record(buf[:n])
}

func (r *hexReader) record(rec []byte) error {
	if len(rec) < hexRecordFixed || len(rec) != int(rec[0])+hexRecordFixed {
		return r.fail("the record's length does not fit the line: cut short or joined")
	}
	var sum byte
	for _, v := range rec {
		sum += v
	}
	if last := rec[len(rec)-1]; sum != 0 {
		return r.fail("checksum %02x, should be %02x", last, last-sum)
	}
	address, kind, data := binary.BigEndian.Uint16(rec[1:]), rec[3], rec[4:len(rec)-1]
	if want, ok := hexDataLength(kind); ok && len(data) != want {
		return r.fail("a record of type %02x with %d bytes instead of %d", kind, len(data), want)
	}
	switch kind {
	case hexData:
		return r.add(uint64(address), data)
	case hexEnd:
		r.ended = true
	case hexSegmentBase:
		r.base = uint64(binary.BigEndian.Uint16(data)) << 4
		r.limit = r.base + 1<<16
	case hexLinearBase:
		r.base = uint64(binary.BigEndian.Uint16(data)) << 16
		r.limit = 1 << 32
	case hexSegmentStart, hexLinearStart:
	default:
		return r.fail("unknown record type %02x", kind)
	}
	return nil
}

func hexDataLength(kind byte) (n int, fixed bool) {
	switch kind {
	case hexEnd:
		return 0, true
	case hexSegmentBase, hexLinearBase:
		return 2, true
	case hexSegmentStart, hexLinearStart:
		return 4, true
	}
	return 0, false
}

func (r *hexReader) add(offset uint64, data []byte) error {
	start := r.base + offset
	end := start + uint64(len(data))
	// Beyond the limit addresses wrap around; no tool means that.
	if end > r.limit {
		return r.fail("data beyond the end of the address range")
	}
	if len(data) == 0 {
		return nil
	}
	if last := len(r.chunks) - 1; last >= 0 && r.chunks[last].end == start {
		r.chunks[last].end = end
	} else {
		r.chunks = append(r.chunks, hexChunk{start: start, end: end, at: len(r.data), line: r.line})
	}
	r.data = append(r.data, data...)
	return nil
}

func (r *hexReader) flatten() ([]byte, uint32, error) {
	if len(r.chunks) == 0 {
		return nil, 0, fail(ErrBadHex, "Intel HEX: no data")
	}
	slices.SortFunc(r.chunks, func(a, b hexChunk) int { return cmp.Compare(a.start, b.start) })
	for i, c := range r.chunks[1:] {
		if before := r.chunks[i]; c.start < before.end {
			return nil, 0, fail(ErrBadHex, "Intel HEX line %d: data for %#x that the data from line %d on also contains",
				c.line, c.start, before.line)
		}
	}
	start, end := r.chunks[0].start, r.chunks[len(r.chunks)-1].end
	if end-start > maxHexSpan {
		return nil, 0, fail(ErrBadHex, "Intel HEX: data from %#x to %#x, more than %d MiB apart: take the .bin, or leave far regions such as UICR out",
			start, end, maxHexSpan>>20)
	}
	if len(r.chunks) == 1 {
		return r.data, uint32(start), nil
	}
	flat := bytes.Repeat([]byte{0xff}, int(end-start))
	for _, c := range r.chunks {
		copy(flat[c.start-start:], r.data[c.at:c.at+int(c.end-c.start)])
	}
	return flat, uint32(start), nil
}

func (r *hexReader) fail(format string, args ...any) error {
	return fail(ErrBadHex, "Intel HEX line %d: "+format, append([]any{r.line}, args...)...)
}
