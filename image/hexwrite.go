package image

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// hexRecordData is the data of a record as imgtool and most tools write it.
const hexRecordData = 16

// ToHex writes bytes as an Intel HEX file in which the first stands at start, 16
// to a record. [FromHex] reads it. Bytes beyond 32 bits of address are
// [ErrBadOption].
func ToHex(data []byte, start uint32) ([]byte, error) { return hexFile(start, part{0, data}) }

// Hex writes a file from [Sign] or [Unsigned.Attach] as Intel HEX, with the
// header at start. What pads the slot is left out, so that flashing it takes no
// longer than needed: a trailer has records of its own.
func (u *Unsigned) Hex(file []byte, start uint32) ([]byte, error) {
	m, err := Parse(file)
	if err != nil {
		return nil, err
	}
	parts := []part{{0, m.Plain()}}
	switch behind := m.raw[m.end:]; {
	case u.original != nil && len(behind) > 0:
		start := 0
		for start < len(behind) && behind[start] == m.fill() {
			start++
		}
		parts = append(parts, part{m.end + start, behind[start:]})
	case u.slot.pad != NoPad:
		parts = append(parts, u.slot.trailer()...)
	}
	return hexFile(start, parts...)
}

// hexFile writes parts in the order of their addresses.
func hexFile(start uint32, parts ...part) ([]byte, error) {
	last := parts[len(parts)-1]
	end := uint64(start) + uint64(last.at) + uint64(len(last.data))
	if end > math.MaxUint32+1 {
		return nil, fail(ErrBadOption, "Intel HEX: %#x bytes from %#x on are more than 32 bits can address", end-uint64(start), start)
	}
	w := hexWriter{upper: -1, out: make([]byte, 0, hexTextSize(parts))}
	if end <= 1<<16 {
		w.upper = 0 // all addresses have 16 bits
	}
	var joined []part
	for _, p := range parts {
		if i := len(joined) - 1; i >= 0 && joined[i].at+len(joined[i].data) == p.at {
			joined[i].data = append(joined[i].data[:len(joined[i].data):len(joined[i].data)], p.data...)
			continue
		}
		joined = append(joined, p)
	}
	for _, p := range joined {
		w.write(start+uint32(p.at), p.data)
	}
	w.record(hexEnd, 0, nil)
	return w.out, nil
}

// hexTextSize is a little more than the size of the text.
func hexTextSize(parts []part) int {
	size := 64
	for _, p := range parts {
		size += (len(p.data)/hexRecordData + 3) * (2*(hexRecordData+hexRecordFixed) + 2)
	}
	return size
}

type hexWriter struct {
	out   []byte
	upper int // high half of the address that records build on; -1: not written yet
}

func (w *hexWriter) write(address uint32, data []byte) {
	for len(data) > 0 {
		if upper := int(address >> 16); upper != w.upper {
			w.upper = upper
			w.record(hexLinearBase, 0, binary.BigEndian.AppendUint16(nil, uint16(upper)))
		}
		n := min(hexRecordData, len(data), 1<<16-int(address&0xffff))
		w.record(hexData, uint16(address), data[:n])
		address, data = address+uint32(n), data[n:]
	}
}

func (w *hexWriter) record(kind byte, address uint16, data []byte) {
	var buf [hexRecordData + hexRecordFixed]byte
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
