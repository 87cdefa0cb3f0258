package sim

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
)

// recoveryLines frames an answer as MCUboot does: base64 of the whole packet, cut every 124 characters; up to 1.10.0
// not cut at all (MCUboot boot_serial.c: boot_serial_output).
func recoveryLines(packet []byte, whole bool) (lines [][]byte) {
	const mtu = 124
	raw := binary.BigEndian.AppendUint16(nil, uint16(len(packet)+crcLen))
	raw = append(raw, packet...)
	raw = binary.BigEndian.AppendUint16(raw, crc16(packet))
	text := base64.StdEncoding.AppendEncode(nil, raw)
	marker := startMarker
	for len(text) > 0 {
		n := min(len(text), mtu)
		if whole {
			n = len(text)
		}
		line := append([]byte(marker), text[:n]...)
		lines = append(lines, append(line, '\n'))
		text, marker = text[n:], continueMarker
	}
	return lines
}

// recoveryAssembler puts packets together as MCUboot does. Its only check is that length and CRC fit at the end of a
// line; a continuation goes on from whatever is there (MCUboot boot_serial.c: boot_serial_in_dec).
type recoveryAssembler struct{ raw []byte }

// line takes one line with its newline and returns a packet when that is complete.
func (a *recoveryAssembler) line(line []byte, bufSize int) (packet []byte, ok bool) {
	text, whole := bytes.CutSuffix(line, []byte{'\n'})
	if !whole || len(text) < len(startMarker) {
		return nil, false
	}
	switch string(text[:len(startMarker)]) {
	case startMarker:
		a.raw = a.raw[:0]
	case continueMarker:
	default:
		return nil, false
	}
	text = text[len(startMarker):]
	// Go's decoder skips carriage returns; MCUboot's takes them for data.
	if bytes.IndexByte(text, '\r') >= 0 || len(a.raw)+len(text)/4*3 > bufSize+1+2 {
		return nil, false
	}
	more, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil || len(a.raw)+len(more) > bufSize+1 {
		return nil, false
	}
	a.raw = append(a.raw, more...)
	if len(a.raw) <= lenLen {
		return nil, false
	}
	body := a.raw[lenLen:]
	if int(binary.BigEndian.Uint16(a.raw)) != len(body) || len(body) <= crcLen || crc16(body) != 0 {
		return nil, false
	}
	a.raw = a.raw[:len(a.raw)-crcLen]
	return bytes.Clone(a.raw[lenLen:]), true
}
