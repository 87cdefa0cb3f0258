package transport

import (
	"bytes"
	"encoding/binary"
	"iter"

	"github.com/sigurn/crc16"
)

// foreignProtocols part their frames with a byte that is not in them.
var foreignProtocols = [...]struct {
	kind  FrameKind
	flag  byte
	valid func(frame []byte) bool
	proof func(p []byte, count, wrong int) bool // of so many frames that are valid, and that are not
}{
	{FramesHDLC, 0x7e, validHDLC, func(_ []byte, count, _ int) bool { return count > 0 }},
	{FramesSLIP, slipEnd, validSLIP, provenSLIP},
	{FramesCOBS, 0x00, validCOBS, func(_ []byte, count, wrong int) bool { return count > 1 && wrong == 0 }},
}

// foreignFrames names the other protocol whose frames are the greater part of p; empty if none is.
func foreignFrames(p []byte) FrameKind {
	for _, protocol := range foreignProtocols {
		count, size, wrong := 0, 0, 0
		for frame := range frames(p, protocol.flag) {
			if !protocol.valid(frame) {
				wrong++
				continue
			}
			count++
			size += len(frame) + 1
		}
		if 2*size >= len(p) && protocol.proof(p, count, wrong) {
			return protocol.kind
		}
	}
	return ""
}

// frames yields what is between two flags, unless that is nothing.
func frames(p []byte, flag byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		_, p, _ := bytes.Cut(p, []byte{flag})
		for {
			frame, rest, found := bytes.Cut(p, []byte{flag})
			if !found || len(frame) > 0 && !yield(frame) {
				return
			}
			p = rest
		}
	}
}

// shortestForeign is the shortest frame without a checksum that counts, in bytes: unreadable bytes often have two that
// look like the ends of a shorter one.
const shortestForeign = 4

// x25Table is the checksum of RFC 1662, C.2.
var x25Table = crc16.MakeTable(crc16.CRC16_X_25)

// validHDLC checks a frame as RFC 1662 has it between two flags: bytes behind 0x7d are changed, the checksum is last.
func validHDLC(frame []byte) bool {
	const escape, change, fcsSize = 0x7d, 0x20, 2
	content := make([]byte, 0, len(frame))
	for i := 0; i < len(frame); i++ {
		b := frame[i]
		if b == escape {
			if i++; i == len(frame) {
				return false
			}
			b = frame[i] ^ change
		}
		content = append(content, b)
	}
	n := len(content) - fcsSize
	return n >= 2 && crc16.Checksum(content[:n], x25Table) == binary.LittleEndian.Uint16(content[n:])
}

const slipEnd = 0xc0

// validSLIP checks a frame as RFC 1055 has it between two ends: behind an escape only two bytes are possible.
func validSLIP(frame []byte) bool {
	const escape, escapedEnd, escapedEscape = 0xdb, 0xdc, 0xdd
	for i, b := range frame {
		if b == escape && (i+1 == len(frame) || frame[i+1] != escapedEnd && frame[i+1] != escapedEscape) {
			return false
		}
	}
	return len(frame) >= shortestForeign
}

// provenSLIP wants more than frames that could be some, for these are found in many unreadable bytes: all there is lies
// between two ends, or one frame came twice in a row, as long as nobody answers.
func provenSLIP(p []byte, count, wrong int) bool {
	if count < 2 || wrong > 0 {
		return false
	}
	var last []byte
	for frame := range frames(p, slipEnd) {
		if bytes.Equal(frame, last) {
			return true
		}
		last = frame
	}
	return p[0] == slipEnd
}

// validCOBS checks a frame between two zeros: each code says where the next one is, and the last where the end is.
func validCOBS(frame []byte) bool {
	at := 0
	for at < len(frame) && frame[at] > 0 {
		at += int(frame[at])
	}
	return at == len(frame) && at >= shortestForeign
}
