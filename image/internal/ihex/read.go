// Package ihex reads and writes Intel HEX files (Intel Hexadecimal Object File Format Specification, revision A).
package ihex

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
)

// MaxSpan is the largest flat size of a file, in bytes. No slot comes near it; a few bytes of text could otherwise ask
// for 4 GiB.
const MaxSpan = 64 << 20

// Flatten returns the bytes of a file from the lowest address to the highest, gaps filled with 0xff like erased flash,
// and the lowest address. Records of types 00 to 05 are understood, in any order of addresses.
//
// A wrong checksum, data given twice, a missing end record, text behind it, or a span of more than [MaxSpan] are errors
// that name the line.
func Flatten(b []byte) (data []byte, start uint32, err error) {
	r := reader{limit: 1 << 16, data: make([]byte, 0, len(b)/2)}
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte("\n"))
		r.line++
		if err := r.read(bytes.TrimRight(line, " \t\r")); err != nil {
			return nil, 0, err
		}
	}
	if !r.ended {
		return nil, 0, fail("Intel HEX: no end record after %d lines: cut short", r.line)
	}
	return r.flatten()
}

// Record types.
const (
	typeData         = 0
	typeEnd          = 1
	typeSegmentBase  = 2
	typeSegmentStart = 3 // where a PC would begin to run: of no use here
	typeLinearBase   = 4
	typeLinearStart  = 5 // the same
	recordFixed      = 5 // bytes of a record besides its data
	recordLargest    = 255 + recordFixed
)

// reader collects the data of a file in the order of its lines.
type reader struct {
	line   int
	base   uint64 // added to the address of a data record
	limit  uint64 // end of the addresses that the base can reach
	ended  bool
	data   []byte
	chunks []chunk
}

// chunk is a run of data without a gap.
type chunk struct {
	start, end uint64 // addresses
	at         int    // offset of its first byte in data
	line       int    // of its first record
}

func (r *reader) read(line []byte) error {
	switch {
	case len(line) == 0:
		return nil
	case r.ended:
		return r.fail("text behind the end record")
	case line[0] != ':':
		return r.fail("does not begin with a colon")
	case len(line)-1 > 2*recordLargest:
		return r.fail("longer than any record")
	}
	var buf [recordLargest]byte
	n, err := hex.Decode(buf[:], line[1:])
	if err != nil {
		return r.fail("not a whole number of hexadecimal bytes")
	}
	return r.record(buf[:n])
}

func (r *reader) record(rec []byte) error {
	if len(rec) < recordFixed || len(rec) != int(rec[0])+recordFixed {
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
	if want, ok := dataLength(kind); ok && len(data) != want {
		return r.fail("a record of type %02x with %d bytes instead of %d", kind, len(data), want)
	}
	switch kind {
	case typeData:
		return r.add(uint64(address), data)
	case typeEnd:
		r.ended = true
	case typeSegmentBase:
		r.base = uint64(binary.BigEndian.Uint16(data)) << 4
		r.limit = r.base + 1<<16
	case typeLinearBase:
		r.base = uint64(binary.BigEndian.Uint16(data)) << 16
		r.limit = 1 << 32
	case typeSegmentStart, typeLinearStart:
	default:
		return r.fail("unknown record type %02x", kind)
	}
	return nil
}

func dataLength(kind byte) (n int, fixed bool) {
	switch kind {
	case typeEnd:
		return 0, true
	case typeSegmentBase, typeLinearBase:
		return 2, true
	case typeSegmentStart, typeLinearStart:
		return 4, true
	}
	return 0, false
}

func (r *reader) add(offset uint64, data []byte) error {
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
		r.chunks = append(r.chunks, chunk{start: start, end: end, at: len(r.data), line: r.line})
	}
	r.data = append(r.data, data...)
	return nil
}

func (r *reader) flatten() ([]byte, uint32, error) {
	if len(r.chunks) == 0 {
		return nil, 0, fail("Intel HEX: no data")
	}
	slices.SortFunc(r.chunks, func(a, b chunk) int { return cmp.Compare(a.start, b.start) })
	for i, c := range r.chunks[1:] {
		if before := r.chunks[i]; c.start < before.end {
			return nil, 0, fail("Intel HEX line %d: data for %#x that the data from line %d on also contains",
				c.line, c.start, before.line)
		}
	}
	start, end := r.chunks[0].start, r.chunks[len(r.chunks)-1].end
	if end-start > MaxSpan {
		return nil, 0, fail("Intel HEX: data from %#x to %#x, more than %d MiB apart: take the .bin, or leave far "+
			"regions such as UICR out",
			start, end, MaxSpan>>20)
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

func (r *reader) fail(format string, args ...any) error {
	return fail("Intel HEX line %d: "+format, append([]any{r.line}, args...)...)
}

// fail is an error whose text begins with a name, in capitals.
func fail(format string, args ...any) error { return fmt.Errorf(format, args...) }
