package transport

import (
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/sigurn/crc16"
)

// DefaultLineLength is the longest line sent, in bytes, marker and newline
// included. It fits the 128-byte line buffers of Zephyr
// (CONFIG_UART_MCUMGR_RX_BUF_SIZE) and MCUboot (BOOT_MAX_LINE_INPUT_LEN).
const DefaultLineLength = 127

// MaxFramed is the largest packet a console frame can carry, in bytes: its
// 16-bit length counts the packet and two bytes of CRC.
const MaxFramed = 1<<16 - 1 - crcSize

// Console framing as in Zephyr include/zephyr/mgmt/mcumgr/transport/serial.h.
const (
	startFirst, startSecond = 0x06, 0x09 // first line of a packet
	contFirst, contSecond   = 0x04, 0x14 // every further line
	lineEnd                 = '\n'

	markerSize = 2
	lenSize    = 2
	crcSize    = 2

	// HeaderSize of smp_protocol.rst; bytes 2 and 3 are the length of the rest.
	headerSize = 8

	minLineLength = markerSize + 4 + 1 // one base64 group
)

// emptyLine goes on with a packet, and adds nothing.
var emptyLine = [...]byte{contFirst, contSecond, lineEnd}

// crcTable is CRC-16/XMODEM: polynomial 0x1021, initial value 0.
var crcTable = crc16.MakeTable(crc16.CRC16_XMODEM)

// AppendFrame appends the console frame of packet to dst and returns the
// extended slice. lineLen is the longest line in bytes, marker and newline
// included; 0 means [DefaultLineLength], and less than 7 counts as 7. It does not
// allocate when dst has room for [FrameLen] more bytes.
//
// A packet longer than [MaxFramed] cannot be framed and panics.
//
// The encoding is that of Zephyr's smp_transport.rst. Every line ends in a bare
// newline, because MCUboot strips nothing else, and holds whole base64 groups,
// because receivers decode each line on its own.
func AppendFrame(dst, packet []byte, lineLen int) []byte {
	if len(packet) > MaxFramed {
		panic("transport: packet too long for a frame")
	}
	dst = slices.Grow(dst, FrameLen(len(packet), lineLen))
	raw := frameBytes{packet: packet}
	binary.BigEndian.PutUint16(raw.length[:], uint16(len(packet)+crcSize))
	binary.BigEndian.PutUint16(raw.crc[:], crc16.Update(0, packet, crcTable))

	perLine, total := rawPerLine(lineLen), raw.len()
	marker := [markerSize]byte{startFirst, startSecond}
	for off := 0; off < total; off += perLine {
		dst = append(dst, marker[:]...)
		dst = raw.appendBase64(dst, off, min(off+perLine, total))
		dst = append(dst, lineEnd)
		marker = [markerSize]byte{contFirst, contSecond}
	}
	return dst
}

// FrameLen returns how many bytes the console frame of a packet of packetLen
// bytes takes on the wire. lineLen is as in [AppendFrame].
func FrameLen(packetLen, lineLen int) int {
	perLine, total := rawPerLine(lineLen), lenSize+packetLen+crcSize
	full, rest := total/perLine, total%perLine
	n := full * (markerSize + base64.StdEncoding.EncodedLen(perLine) + 1)
	if rest > 0 {
		n += markerSize + base64.StdEncoding.EncodedLen(rest) + 1
	}
	return n
}

// rawPerLine returns how many raw bytes a full line carries, a multiple of 3.
func rawPerLine(lineLen int) int {
	if lineLen == 0 {
		lineLen = DefaultLineLength
	}
	return (max(lineLen, minLineLength) - markerSize - 1) / 4 * 3
}

// frameBytes is the concatenation LEN, packet, CRC without copying the packet.
type frameBytes struct {
	length [lenSize]byte
	packet []byte
	crc    [crcSize]byte
}

func (f *frameBytes) len() int { return lenSize + len(f.packet) + crcSize }

// appendBase64 appends the encoding of bytes from to to of the concatenation.
func (f *frameBytes) appendBase64(dst []byte, from, to int) []byte {
	var group [96]byte // a multiple of 3, so padding appears only at the end
	for from < to {
		n := f.copy(group[:min(len(group), to-from)], from)
		dst = base64.StdEncoding.AppendEncode(dst, group[:n])
		from += n
	}
	return dst
}

// copy fills dst with the bytes from offset off on; dst must not reach past the end.
func (f *frameBytes) copy(dst []byte, off int) int {
	n := 0
	if off < lenSize {
		n = copy(dst, f.length[off:])
	}
	if at := off + n - lenSize; n < len(dst) && at < len(f.packet) {
		n += copy(dst[n:], f.packet[at:])
	}
	if at := off + n - lenSize - len(f.packet); n < len(dst) && at < crcSize {
		n += copy(dst[n:], f.crc[at:])
	}
	return n
}
