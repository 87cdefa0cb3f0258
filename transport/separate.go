package transport

import (
	"bytes"
	"encoding/base64"
)

const (
	// echoMark stands in a text where a request of ours was cut out: U+FFFC, the character for that.
	echoMark = "\ufffc"

	// certainLen is how many base64 characters tell a packet: those of the length and the header, in whole groups.
	certainLen = (lenSize + headerSize + 2) / 3 * 4

	// pieceLen is the fewest base64 characters behind a marker that count as a line of a frame.
	pieceLen = 8

	// wordLen is longer than words on a console are, in base64 characters: once requests of ours have come back, such a
	// one is another line of them.
	wordLen = 32
)

// separation parts a piece of a stream into text and what belongs to frames.
type separation struct {
	asked  *requests
	rest   []byte // what is of no frame, with echoMark for each piece of our own requests
	echoed bool   // requests of ours came back
	pieces int    // lines of other frames
	inLine bool   // the last of these has not ended
}

// separate looks for our own requests as the other end may send them back: as they were, which a line does that is
// connected with itself; with control bytes as ^F, which terminals do; without control bytes, which shells do. echoed
// says that some are known to have come back.
func separate(p []byte, asked *requests, echoed bool) separation {
	if bytes.IndexByte(p, '^') >= 0 {
		if s := separateForm(uncaret(p), asked, echoed); s.echoed {
			return s
		}
	}
	return separateForm(p, asked, echoed)
}

// separateForm looks twice where it finds one of our own: further lines of them may come before that one.
func separateForm(p []byte, asked *requests, echoed bool) separation {
	s := separation{asked: asked, echoed: echoed}
	s.feed(p)
	if s.echoed && !echoed {
		s = separation{asked: asked, echoed: true}
		s.feed(p)
	}
	return s
}

func (s *separation) feed(p []byte) {
	for len(p) > 0 {
		n := base64Len(p)
		switch {
		case n > 0:
			s.run(p[:n])
		case s.asked.has(p): // without framing
			n = min(packetLen(p), len(p))
			s.echo(s.rest)
		default:
			n = max(1, escapeLen(p)) // whole, for its end may be a base64 character
			s.rest = append(s.rest, p[:n]...)
			s.inLine = s.inLine && p[0] != lineEnd
		}
		p = p[n:]
	}
}

// run takes base64 characters in a row, which may be the line of a frame.
func (s *separation) run(run []byte) {
	before, marker := cutMarker(s.rest)
	more := marker == contFirst || marker == contSecond
	switch own := s.asked.find(run); {
	case own >= 0:
		s.echo(append(before, run[:own]...))
	case s.echoed && (more || marker == 0 && len(run) >= wordLen):
		s.echo(before)
	case len(run) < pieceLen:
		s.rest = append(s.rest, run...)
	case marker == startFirst || marker == contFirst:
		s.rest, s.inLine = before, true
		s.pieces++
	case !s.inLine:
		s.rest = append(s.rest, run...)
	}
}

// echo notes a piece of our own behind what came before it.
func (s *separation) echo(before []byte) {
	s.rest, s.echoed = append(before, echoMark...), true
}

// cutMarker takes the marker off the end of p and returns its first byte, or 0 without one. A terminal that gathers
// lines swallows the first byte of a further line's marker, for it means the end of the file.
func cutMarker(p []byte) (before []byte, first byte) {
	n := len(p)
	switch {
	case n >= markerSize && isMarker(p[n-2], p[n-1]):
		return p[:n-markerSize], p[n-2]
	case n > 0 && p[n-1] == contSecond:
		return p[:n-1], contSecond
	}
	return p, 0
}

// find returns where in a run of base64 characters a request of ours begins, or -1.
func (q *requests) find(run []byte) int {
	var head [certainLen / 4 * 3]byte
	for i := 0; i+certainLen <= len(run); i++ {
		_, err := base64.StdEncoding.Decode(head[:], run[i:i+certainLen])
		if err == nil && q.has(head[lenSize:]) {
			return i
		}
	}
	return -1
}

// base64Len returns how many bytes at the beginning of p are base64 characters.
func base64Len(p []byte) int {
	for i, b := range p {
		if !isBase64(b) {
			return i
		}
	}
	return len(p)
}

// uncaret returns p with control bytes where a terminal has shown them as ^A and the like (termios(3), ECHOCTL).
func uncaret(p []byte) []byte {
	out := make([]byte, 0, len(p))
	for i := 0; i < len(p); i++ {
		if p[i] == '^' && i+1 < len(p) && (p[i+1] == '?' || '@' <= p[i+1] && p[i+1] <= '_') {
			i++
			out = append(out, p[i]^0x40)
			continue
		}
		out = append(out, p[i])
	}
	return out
}
