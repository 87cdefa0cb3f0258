package transport

import (
	"bytes"
	"slices"
)

// maxLine is the longest line taken, in bytes, without marker and newline.
// MCUboot before 1.10 sends a whole packet as one line and some units use lines
// of 4096 bytes; beyond this a lost newline is more likely than a long line.
const maxLine = 8 << 10

// Decoder finds the console frames in a byte stream. The zero value is ready.
//
// Frames may start anywhere, split anywhere and be surrounded by log text,
// colour sequences, prompts or the echo of our own requests. Damage costs the
// frame it hits and no other: a frame whose bytes are intact and whose lines
// follow each other is always found, whatever came before it. Between its lines
// there may be text, even text with a marker in it, and another whole frame. The
// packets found do not depend on how the stream is cut into calls. Memory is
// bounded, about 200 KiB however hostile the stream.
//
// A Decoder is for one goroutine at a time.
type Decoder struct {
	// Text, if not nil, gets the bytes outside frames in order: log text,
	// prompts, and lines that began like a frame but were none. The slice is
	// only valid during the call, and its bytes come from the device unfiltered.
	Text func([]byte)

	half   byte    // first byte of a possible marker at the end of the last call
	one    [1]byte // so that handing out half does not allocate
	inText bool    // the last byte outside frames was no newline, or a line was cut off
	inLine bool    // a marker was seen, its newline not yet
	start  bool    // that marker opens a packet
	amid   bool    // text came before it in the same line
	line   []byte  // what earlier calls held of the line

	packets assembler
	stats   Stats
}

// Stats counts what came over a link and what was wrong with it. The counters
// only grow.
type Stats struct {
	Packets   uint64 `json:"packets"`    // intact packets received
	Bytes     uint64 `json:"bytes"`      // bytes received, everything included
	TextBytes uint64 `json:"text_bytes"` // of these, bytes outside frames

	Incomplete uint64 `json:"incomplete"`  // packets whose end did not come
	CutLines   uint64 `json:"cut_lines"`   // lines that another marker cut off
	StrayLines uint64 `json:"stray_lines"` // continuation lines of no packet, such as text with a marker in it
	LongLines  uint64 `json:"long_lines"`  // lines over 8 KiB
	BadBase64  uint64 `json:"bad_base64"`  // lines that are not base64
	BadLength  uint64 `json:"bad_length"`  // packets whose length fields contradict their size
	BadCRC     uint64 `json:"bad_crc"`     // packets whose checksum is wrong
	BadHeader  uint64 `json:"bad_header"`  // raw framing: times the input was no packet header

	SentPackets uint64 `json:"sent_packets"` // packets written completely
	SentBytes   uint64 `json:"sent_bytes"`   // their bytes on the wire
}

// Damaged returns how many packets or lines had to be given up.
func (s Stats) Damaged() uint64 {
	return s.Incomplete + s.CutLines + s.StrayLines + s.LongLines + s.BadBase64 +
		s.BadLength + s.BadCRC + s.BadHeader
}

// Next consumes p up to the end of the first intact packet and returns that
// packet and the rest of p, to be passed in again. It returns a nil packet when
// p is used up. The packet is valid until the next call.
//
// A packet is at least 8 bytes, and at least as long as its header says; it may
// be longer, and the surplus is to be ignored.
func (d *Decoder) Next(p []byte) (packet, rest []byte) {
	for before := len(p); len(p) > 0; before = len(p) {
		if d.inLine {
			packet, p = d.collect(p)
		} else {
			p = d.seek(p)
		}
		d.stats.Bytes += uint64(before - len(p))
		if packet != nil {
			return packet, p
		}
	}
	return nil, nil
}

// Stats returns the counters so far.
func (d *Decoder) Stats() Stats {
	s := d.stats
	s.Incomplete, s.BadLength, s.BadCRC = d.packets.incomplete, d.packets.badLength, d.packets.badCRC
	return s
}

// seek consumes text up to and including the next marker.
func (d *Decoder) seek(p []byte) []byte {
	if d.half != 0 {
		first := d.half
		d.half = 0
		if isMarker(first, p[0]) {
			d.begin(first)
			return p[1:]
		}
		d.one[0] = first
		d.text(d.one[:])
	}
	i := markerIndex(p)
	if i < 0 && couldStartMarker(p[len(p)-1]) {
		d.half = p[len(p)-1]
		d.text(p[:len(p)-1])
		return nil
	}
	if i < 0 {
		d.text(p)
		return nil
	}
	d.text(p[:i])
	d.begin(p[i])
	return p[i+markerSize:]
}

// begin starts a line after its marker.
func (d *Decoder) begin(first byte) {
	d.inLine, d.start, d.amid, d.line = true, first == startFirst, d.inText, d.line[:0]
}

// collect consumes p up to the end of the line, be it a newline, another marker
// or the size limit. It decides on the line's own bytes only, so that the
// outcome does not depend on how the line was split.
func (d *Decoder) collect(p []byte) (packet, rest []byte) {
	if n := len(d.line); n > 0 && isMarker(d.line[n-1], p[0]) {
		first := d.line[n-1]
		d.cut(d.line[:n-1])
		d.begin(first)
		return nil, p[1:]
	}
	room := maxLine - len(d.line)
	window := p[:min(len(p), room+1)]
	end := bytes.IndexByte(window, lineEnd)
	body := window
	if end >= 0 {
		body = window[:end]
	}
	// Neither byte of a marker is base64: the device printed into its own line.
	if i := markerIndex(body); i >= 0 {
		d.cut(d.whole(body[:i]))
		d.begin(body[i])
		return nil, p[i+markerSize:]
	}
	switch {
	case end >= 0:
		packet = d.finish(d.whole(body))
		d.inLine, d.inText = false, false
		return packet, p[end+1:]
	case len(window) > room:
		d.stats.LongLines++
		d.inLine = false
		d.text(d.whole(window[:room]))
		return nil, p[room:]
	}
	d.line = append(d.line, window...)
	return nil, nil
}

// whole returns the line so far with tail behind it, copying only if it was split.
func (d *Decoder) whole(tail []byte) []byte {
	if len(d.line) == 0 {
		return tail
	}
	d.line = append(d.line, tail...)
	return d.line
}

// cut gives up a line that ran into another marker. What it is part of stays
// under way: it may have been noise, and if not the length or the CRC will tell.
func (d *Decoder) cut(line []byte) {
	d.stats.CutLines++
	d.textUnlessBase64(line)
	d.inText = true
}

// finish takes a complete line and returns the packet if it was the last one.
func (d *Decoder) finish(line []byte) (packet []byte) {
	line = bytes.TrimRight(line, "\r") // a console may turn \n into \r\n
	ok, taken := true, d.packets.n > 0
	switch {
	case d.start:
		packet, ok = d.packets.start(line)
		taken = ok
	case taken:
		packet, ok, taken = d.packets.more(line, d.amid)
	}
	switch {
	case !ok:
		d.stats.BadBase64++
		d.textUnlessBase64(line)
	case !taken:
		d.stats.StrayLines++
		d.textUnlessBase64(line)
	case packet != nil:
		d.stats.Packets++
	}
	return packet
}

func (d *Decoder) text(p []byte) {
	if len(p) == 0 {
		return
	}
	d.stats.TextBytes += uint64(len(p))
	d.inText = p[len(p)-1] != lineEnd
	if d.Text != nil {
		d.Text(p)
	}
}

// textUnlessBase64 hands a spoilt line to Text if something else than a frame is
// in it, so that a message printed into a frame can still be read.
func (d *Decoder) textUnlessBase64(line []byte) {
	if slices.ContainsFunc(line, func(b byte) bool { return !isBase64(b) }) {
		d.text(line)
	}
}

func couldStartMarker(b byte) bool { return b == startFirst || b == contFirst }

func isMarker(first, second byte) bool {
	return first == startFirst && second == startSecond || first == contFirst && second == contSecond
}

// markerIndex returns where the first complete marker in p is, or -1.
func markerIndex(p []byte) int {
	for i := 1; i < len(p); i++ {
		if p[i] < ' ' && isMarker(p[i-1], p[i]) {
			return i - 1
		}
	}
	return -1
}

func isBase64(b byte) bool {
	return 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z' || '0' <= b && b <= '9' ||
		b == '+' || b == '/' || b == '='
}
