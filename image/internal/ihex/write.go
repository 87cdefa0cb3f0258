package ihex

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// recordData is the data of a record as imgtool and most tools write it.
const recordData = 16

// Part is a run of bytes at an offset from the address where the file begins.
type Part struct {
	At   int    // offset in bytes
	Data []byte // read only
}

// Write returns a file with parts in the order of their addresses, 16 bytes to a record; start is the address of offset
// 0. Bytes beyond 32 bits of address are an error.
func Write(start uint32, parts ...Part) ([]byte, error) {
	last := parts[len(parts)-1]
	end := uint64(start) + uint64(last.At) + uint64(len(last.Data))
	if end > math.MaxUint32+1 {
		return nil, fail("Intel HEX: %#x bytes from %#x on are more than 32 bits can address", end-uint64(start), start)
	}
	w := writer{upper: -1, out: make([]byte, 0, textSize(parts))}
	if end <= 1<<16 {
		w.upper = 0 // all addresses have 16 bits
	}
	var joined []Part
	for _, p := range parts {
		if i := len(joined) - 1; i >= 0 && joined[i].At+len(joined[i].Data) == p.At {
			joined[i].Data = append(joined[i].Data[:len(joined[i].Data):len(joined[i].Data)], p.Data...)
			continue
		}
		joined = append(joined, p)
	}
	for _, p := range joined {
		w.write(start+uint32(p.At), p.Data)
	}
	w.record(typeEnd, 0, nil)
	return w.out, nil
}

// textSize is a little more than the size of the text.
func textSize(parts []Part) int {
	size := 64
	for _, p := range parts {
		size += (len(p.Data)/recordData + 3) * (2*(recordData+recordFixed) + 2)
	}
	return size
}

type writer struct {
	out   []byte
	upper int // high half of the address that records build on; -1: not written yet
}

func (w *writer) write(address uint32, data []byte) {
	for len(data) > 0 {
		if upper := int(address >> 16); upper != w.upper {
			w.upper = upper
			w.record(typeLinearBase, 0, binary.BigEndian.AppendUint16(nil, uint16(upper)))
		}
		n := min(recordData, len(data), 1<<16-int(address&0xffff))
		w.record(typeData, uint16(address), data[:n])
		address, data = address+uint32(n), data[n:]
	}
}

func (w *writer) record(kind byte, address uint16, data []byte) {
	var buf [recordData + recordFixed]byte
	rec := append(buf[:0], byte(len(data)), byte(address>>8), byte(address), kind)
	rec = append(rec, data...)
	var sum byte
	for _, v := range rec {
		sum -= v
	}
	w.out = append(w.out, ':')
	at := len(w.out)
	w.out = hex.AppendEncode(w.out, append(rec, sum))
	copy(w.out[at:], bytes.ToUpper(w.out[at:]))
	w.out = append(w.out, '\n')
}
