package transport

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// TraceKind says what a trace entry is.
type TraceKind byte

const (
	SentPacket TraceKind = iota + 1
	ReceivedPacket
	SentText     // bytes sent outside frames
	ReceivedText // bytes received outside frames
	Note         // what happened to the link: damage, time limits, its end
)

// TraceEntry is one line of a trace.
type TraceEntry struct {
	At     time.Duration // since the connection was made, in whole microseconds
	Kind   TraceKind
	Packet []byte // of a packet, header included, without framing
	Text   string // of a text or note, byte for byte
}

const (
	traceTitle = "# smp trace: seconds, > sent or < received, what the header says, packet in hex\n"

	// traceLine bounds a line of a trace being read: a packet of 64 KiB in hex,
	// or a text of which every byte is escaped, and the words before them.
	traceLine = 1 << 20
)

// ReadTrace reads a trace as Options.Trace writes it. Lines are
//
//	# comment, ignored like empty lines
//	0.000412 > write v2 group 0 id 0 seq 66 len 9 0a00000900004200a161646568656c6c6f
//	0.031870 < write-rsp v2 group 0 id 0 seq 66 len 10 0b00000a00004200bf617265…
//	0.020000 < text "[00:00:01.000] <inf> smp: hello\r\n"
//	0.040000 > text "\n"
//	0.100000 ! note "device disconnected: input/output error"
//
// Time is in seconds with six decimals. The words between > or < and the hex
// digits are the decoded header (op, version, group, command id, sequence and
// the length it claims) and must agree with the packet. Texts are quoted as in
// Go; bytes that are not printable ASCII are escaped.
func ReadTrace(r io.Reader) ([]TraceEntry, error) {
	var entries []TraceEntry
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, traceLine)
	number := 0
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := parseTraceLine(line)
		if err != nil {
			return nil, fmt.Errorf("trace line %d: %w", number, err)
		}
		entries = append(entries, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("trace line %d: %w", number+1, err)
	}
	return entries, nil
}

// Append appends the line of the trace, newline included, and returns the
// extended slice. A packet without a whole header cannot be written and panics.
func (e TraceEntry) Append(dst []byte) []byte {
	dst = appendSeconds(dst, e.At)
	switch e.Kind {
	case SentPacket:
		dst = appendPacket(append(dst, " > "...), e.Packet)
	case ReceivedPacket:
		dst = appendPacket(append(dst, " < "...), e.Packet)
	case SentText:
		dst = strconv.AppendQuoteToASCII(append(dst, " > text "...), e.Text)
	case ReceivedText:
		dst = strconv.AppendQuoteToASCII(append(dst, " < text "...), e.Text)
	default:
		dst = strconv.AppendQuoteToASCII(append(dst, " ! note "...), e.Text)
	}
	return append(dst, '\n')
}

func appendSeconds(dst []byte, t time.Duration) []byte {
	us := t.Microseconds()
	dst = strconv.AppendInt(dst, us/1e6, 10)
	fraction := strconv.AppendInt(nil, 1e6+us%1e6, 10) // a 1 and six digits
	return append(append(dst, '.'), fraction[1:]...)
}

func appendPacket(dst, p []byte) []byte {
	dst = appendHeader(dst, p)
	return hex.AppendEncode(append(dst, ' '), p)
}

// appendHeader appends the header of p in words, after Zephyr's smp_protocol.rst.
func appendHeader(dst, p []byte) []byte {
	if len(p) < headerSize {
		panic("transport: packet without header in trace")
	}
	ops := [...]string{"read", "read-rsp", "write", "write-rsp", "op4", "op5", "op6", "op7"}
	dst = append(dst, ops[p[0]&7]...)
	for _, field := range [...]struct {
		name  string
		value int
	}{
		{" v", int(p[0]>>3&3) + 1}, // the field counts from 0, people from 1
		{" group ", int(binary.BigEndian.Uint16(p[4:]))},
		{" id ", int(p[7])},
		{" seq ", int(p[6])},
		{" len ", int(binary.BigEndian.Uint16(p[2:]))},
	} {
		dst = strconv.AppendInt(append(dst, field.name...), int64(field.value), 10)
	}
	return dst
}

func parseTraceLine(line string) (TraceEntry, error) {
	seconds, line, _ := strings.Cut(line, " ")
	direction, line, _ := strings.Cut(strings.TrimSpace(line), " ")
	line = strings.TrimSpace(line)
	at, err := parseSeconds(seconds)
	if err != nil {
		return TraceEntry{}, err
	}
	e := TraceEntry{At: at}
	word, quoted, _ := strings.Cut(line, " ")
	switch {
	case direction == "!" && word == "note":
		e.Kind = Note
	case direction == ">" && word == "text":
		e.Kind = SentText
	case direction == "<" && word == "text":
		e.Kind = ReceivedText
	case direction == ">":
		e.Kind = SentPacket
	case direction == "<":
		e.Kind = ReceivedPacket
	default:
		return TraceEntry{}, fmt.Errorf("neither packet, text nor note: %.20q", direction+" "+word)
	}
	if e.Kind == SentPacket || e.Kind == ReceivedPacket {
		e.Packet, err = parseTracePacket(line)
		return e, err
	}
	if !strings.HasPrefix(quoted, `"`) {
		return TraceEntry{}, errors.New("text is not in double quotes")
	}
	e.Text, err = strconv.Unquote(quoted)
	if err != nil {
		return TraceEntry{}, errors.New("text is not quoted as in Go")
	}
	return e, nil
}

func parseSeconds(s string) (time.Duration, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	w, err := strconv.ParseUint(whole, 10, 32)
	if err != nil || len(fraction) != 6 {
		return 0, fmt.Errorf("time %.20q: not seconds with six decimals", s)
	}
	f, err := strconv.ParseUint(fraction, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("time %.20q: not seconds with six decimals", s)
	}
	return time.Duration(w)*time.Second + time.Duration(f)*time.Microsecond, nil
}

// parseTracePacket parses header words and hex. The words must agree with the
// bytes, or a trace edited by hand would say one thing and replay another.
func parseTracePacket(line string) ([]byte, error) {
	at := strings.LastIndexByte(line, ' ')
	if at < 0 {
		return nil, errors.New("packet without bytes")
	}
	packet, err := hex.DecodeString(line[at+1:])
	if err != nil {
		return nil, fmt.Errorf("packet: %w", err)
	}
	if len(packet) < headerSize {
		return nil, fmt.Errorf("packet of %d bytes, its header alone takes %d", len(packet), headerSize)
	}
	got, want := strings.Join(strings.Fields(line[:at]), " "), string(appendHeader(nil, packet))
	if got != want {
		return nil, fmt.Errorf("words say %.80q, packet says %q", got, want)
	}
	return packet, nil
}
