package transport

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/sigurn/crc16"
)

// assembler makes packets of the lines that begin with a marker. Such a line is only a claim: log text can hold the
// bytes of a marker, and what comes behind them can look like base64. So a packet under way stays so when another
// seems to begin, further lines go to both, and the first that is whole and intact was meant. The zero value is ready.
// Memory is bounded by the number of packets under way.
type assembler struct {
	open [maxOpen]partial // the first n are under way, oldest first; the others keep their memory for the next
	n    int
	line []byte // the present one, decoded

	incomplete, badLength, badCRC uint64 // as in Stats
}

const (
	maxOpen   = 2 // packets under way: the one that is meant, and one that is not
	maxDoubts = 3 // whole packets in the middle of one that end it; the first may be the echo of a request
)

// partial is a packet under way.
type partial struct {
	data   []byte // LEN, packet, CRC as far as decoded
	first  int    // bytes of its first line
	mark   int    // bytes that were there when the next packet began
	full   bool   // the lines since then are too many, and were taken back: they can only be the other's
	doubts int    // whole packets since it began
}

// start takes a line that opens a packet, and returns the packet if there is no more of it. It reports whether the
// line is base64.
func (a *assembler) start(line []byte) (packet []byte, ok bool) {
	if !a.decode(line) {
		return nil, false
	}
	switch v := judge(a.line); v {
	case intact:
		a.doubt()
		return content(a.line), true
	case unfinished:
		a.begin()
	default:
		a.count(v)
	}
	return nil, true
}

// more takes a line that goes on with a packet, and returns the packet if that was the rest of it. It reports whether
// the line is base64 and whether it belongs to a packet. In a line of text a marker is more likely text too: behind it
// must come as much as in the packet's first line, for encoders fill their lines, or just what is missing.
func (a *assembler) more(line []byte, inText bool) (packet []byte, ok, taken bool) {
	if !a.decode(line) {
		return nil, false, false
	}
	for i := a.n - 1; i >= 0; i-- {
		p := &a.open[i]
		if p.full || inText && !p.fits(len(a.line)) {
			continue
		}
		taken = true
		p.data = append(p.data, a.line...)
		switch v := judge(p.data); {
		case v == intact:
			return a.deliver(i), true, true
		case v != unfinished && i < a.n-1:
			p.rewind()
			p.full = true
		case v != unfinished:
			a.count(v)
			a.fail()
		}
	}
	return nil, true, taken
}

// decode fills a.line. Each line is decoded on its own because any line may end in padding, not only the last.
func (a *assembler) decode(line []byte) bool {
	if bytes.IndexByte(line, '\r') >= 0 {
		return false // encoding/base64 would skip it silently
	}
	a.line = slices.Grow(a.line[:0], base64.StdEncoding.DecodedLen(len(line)))
	n, err := base64.StdEncoding.Decode(a.line[:cap(a.line)], line)
	a.line = a.line[:n]
	return err == nil
}

// begin puts a packet under way, in place of another if there are too many.
func (a *assembler) begin() {
	if a.n == maxOpen {
		a.lose(a.weakest())
	}
	for i := range a.n {
		a.open[i].mark = len(a.open[i].data)
	}
	p := &a.open[a.n]
	*p = partial{data: append(p.data[:0], a.line...), first: len(a.line)}
	a.n++
}

// weakest is the packet that is least likely meant; among equals the youngest, for text with a marker in it can come
// before every line of a packet.
func (a *assembler) weakest() int {
	worst := a.n - 1
	for i := worst - 1; i >= 0; i-- {
		if p, w := a.open[i], a.open[worst]; p.full && !w.full || p.full == w.full && p.doubts > w.doubts {
			worst = i
		}
	}
	return worst
}

// deliver returns the ith packet, which is whole. The lines since it began were its own.
func (a *assembler) deliver(i int) []byte {
	packet := content(a.open[i].data)
	for j := range i {
		a.open[j].rewind()
	}
	a.drop(i)
	a.doubt()
	return packet
}

// fail gives up the youngest packet, and those that could only be meant if it were.
func (a *assembler) fail() {
	a.drop(a.n - 1)
	for i := a.n - 1; i >= 0; i-- {
		if a.open[i].full {
			a.lose(i)
		}
	}
}

// doubt takes the news that a whole packet came while those under way were.
func (a *assembler) doubt() {
	for i := a.n - 1; i >= 0; i-- {
		if a.open[i].doubts++; a.open[i].doubts == maxDoubts {
			a.lose(i)
		}
	}
}

// lose gives the ith packet up before its end.
func (a *assembler) lose(i int) {
	a.incomplete++
	a.drop(i)
}

// drop takes the ith packet out. Its bytes stay as they are until the next one begins.
func (a *assembler) drop(i int) {
	p := a.open[i]
	a.n--
	copy(a.open[i:], a.open[i+1:a.n+1])
	a.open[a.n] = p
}

func (a *assembler) count(v verdict) {
	if v == badCRC {
		a.badCRC++
		return
	}
	a.badLength++
}

// rewind takes back the lines since the next packet began.
func (p *partial) rewind() { p.data, p.full = p.data[:p.mark], false }

// fits reports whether a line of n bytes can be expected.
func (p *partial) fits(n int) bool {
	return n == p.first || len(p.data) >= lenSize && len(p.data)+n == lenSize+int(binary.BigEndian.Uint16(p.data))
}

// verdict is what the bytes so far say of a packet.
type verdict int

const (
	unfinished verdict = iota
	intact
	badLength
	badCRC
)

// judge ends a packet as soon as it is whole or can no longer be.
func judge(data []byte) verdict {
	if len(data) < lenSize {
		return unfinished
	}
	length := int(binary.BigEndian.Uint16(data))
	body := data[lenSize:]
	switch {
	case length < headerSize+crcSize || len(body) > length:
		return badLength
	case len(body) < length:
		return unfinished
	case crc16.Update(0, body, crcTable) != 0: // over data and its own CRC it is 0
		return badCRC
	case packetLen(body) > len(body)-crcSize:
		return badLength
	}
	return intact
}

// content is the packet in LEN, packet, CRC.
func content(data []byte) []byte { return data[lenSize : len(data)-crcSize] }

// packetLen returns the length a packet has by its header, 8 bytes included.
func packetLen(header []byte) int {
	return headerSize + int(binary.BigEndian.Uint16(header[2:]))
}
