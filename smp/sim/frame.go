package sim

import (
	"encoding/base64"
	"encoding/binary"
)

// Console framing (Zephyr include/zephyr/mgmt/mcumgr/transport/serial.h, smp_transport.rst). The device has its own
// code for it, so that a mistake in package transport shows.
const (
	startMarker    = "\x06\x09"
	continueMarker = "\x04\x14"
	crcLen         = 2
	lenLen         = 2
)

// appendLines frames an answer as Zephyr does: 93 bytes in the first line and 90 in the following ones, because the
// budget of the first is never restored, and both bytes of the CRC in the same line (serial_util.c:
// mcumgr_serial_tx_pkt). Each element is a line with its marker and newline.
func appendLines(lines [][]byte, packet []byte) [][]byte {
	const budget = 90
	raw := binary.BigEndian.AppendUint16(nil, uint16(len(packet)+crcLen))
	raw = append(raw, packet...)
	raw = binary.BigEndian.AppendUint16(raw, crc16(packet))
	marker, head := startMarker, lenLen+1
	for len(raw) > 0 {
		n := len(raw) - head
		switch {
		case n-crcLen > budget:
			n = budget
		case n > budget:
			n = budget - 3 // the CRC would be torn apart
		}
		lines = append(lines, encodeLine(marker, raw[:head+n]))
		raw = raw[head+n:]
		marker, head = continueMarker, 0
	}
	return lines
}

func encodeLine(marker string, raw []byte) []byte {
	line := append(make([]byte, 0, len(marker)+base64.StdEncoding.EncodedLen(len(raw))+1), marker...)
	return append(base64.StdEncoding.AppendEncode(line, raw), '\n')
}

// assembler puts packets together from lines. It holds a packet buffer from the first line of a packet on.
type assembler struct {
	raw     []byte // length, packet and CRC as far as received
	holding bool
}

// line takes one line with its newline. It returns a packet when that is complete; its buffer then belongs to the
// caller. Everything that is wrong is dropped without a word. The lock is held.
func (a *assembler) line(prog *program, line []byte, bufSize int) (packet []byte, ok bool) {
	if len(line) < len(startMarker) {
		return nil, false
	}
	switch string(line[:len(startMarker)]) {
	case startMarker:
		if !a.holding && prog.free == 0 {
			prog.stats.LostPackets++
			return nil, false
		}
		if !a.holding {
			a.holding = true
			prog.free--
		}
		a.raw = a.raw[:0]
	case continueMarker:
		if !a.holding {
			return nil, false
		}
	default:
		return nil, false
	}
	packet, ok = a.add(line[len(startMarker):], bufSize)
	if packet != nil {
		a.holding = false
		return packet, true
	}
	if !ok {
		prog.stats.Broken++
		a.drop(prog)
	}
	return nil, false
}

// add decodes the text of a line. It reports false if the packet is broken.
func (a *assembler) add(text []byte, bufSize int) (packet []byte, ok bool) {
	var err error
	if a.raw, err = base64.StdEncoding.AppendDecode(a.raw, text); err != nil || len(a.raw) < lenLen ||
		len(a.raw) > bufSize {
		return nil, false
	}
	body := a.raw[lenLen:]
	switch want := int(binary.BigEndian.Uint16(a.raw)); {
	case len(body) < want:
		return nil, true
	case len(body) > want || want < crcLen || crc16(body) != 0:
		return nil, false
	}
	return append([]byte{}, body[:len(body)-crcLen]...), true
}

// drop gives up a packet in progress.
func (a *assembler) drop(prog *program) {
	if a.holding {
		a.holding = false
		prog.free++
	}
}

// crc16 is CRC-16/XMODEM: polynomial 0x1021, initial value 0. Over data and their CRC it is 0.
func crc16(p []byte) uint16 {
	var crc uint16
	for _, b := range p {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^b]
	}
	return crc
}

var crcTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
		table[i] = crc
	}
	return table
}()
