package transport

import "bytes"

// HeardKind says what came over a link instead of an answer. Its text is a word of the command line's contract.
type HeardKind string

// What can come instead of an answer. Where several things came, the first of these wins: SMP frames, for whoever sends
// one speaks the protocol, and text beside it is normal on a console; another protocol, if its frames are the greater
// part; text, if it is more than what cannot be read, for a shell that echoes and complains is best known by what it
// says; the echo; unreadable bytes.
const (
	HeardNothing HeardKind = "nothing" // no byte
	HeardText    HeardKind = "text"    // console text, such as log lines or the prompt of a shell
	HeardGarbage HeardKind = "garbage" // unreadable bytes, as from a line at another rate
	HeardEcho    HeardKind = "echo"    // our own requests, without text beside them
	HeardFrames  HeardKind = "frames"  // frames that answer nothing: see FrameKind
)

// FrameKind says which frames came with HeardFrames. The empty one is a datagram of an unknown protocol.
type FrameKind string

// Frames of SMP, and those of other protocols that serial ports of microcontrollers speak.
const (
	// FramesUnasked are whole SMP packets that answer no request of this connection: another program or another host
	// uses the same line.
	FramesUnasked FrameKind = "unasked"
	// FramesDamaged are console frames of which none became whole: bytes are lost or changed on the way.
	FramesDamaged FrameKind = "damaged"
	// FramesRaw are bare SMP packets where console frames are expected: what is missing is [Options].Raw.
	FramesRaw FrameKind = "raw"
	// FramesConsole are console frames where bare packets are expected: [Options].Raw is wrong.
	FramesConsole FrameKind = "console"
	// FramesHDLC are those of RFC 1662 with a right checksum: PPP, and Spinel of OpenThread.
	FramesHDLC FrameKind = "hdlc"
	// FramesSLIP are those of RFC 1055, also under the three-wire UART of Bluetooth and in Nordic's serial bootloader.
	FramesSLIP FrameKind = "slip"
	// FramesCOBS are packets without zero bytes between zero bytes (Cheshire and Baker, 1999).
	FramesCOBS FrameKind = "cobs"
)

// maxHeardLine is the longest Heard.Line, in bytes.
const maxHeardLine = 120

// Heard says what came over a link since the last answer to one of its requests, or since it was opened if there was
// none. It goes by the last 4 KiB of that.
type Heard struct {
	Kind   HeardKind
	Frames FrameKind // which, with HeardFrames

	// Line is the last line of readable text, or what there is of it if none was whole. Beside HeardText it is there
	// with console frames, and with unreadable bytes after a readable beginning. It has 120 bytes at most, and neither
	// control bytes nor colours; "..." stands for a request of ours that was sent back in it. It is from the device:
	// whoever prints it must still filter what could steer a terminal.
	Line string

	Bytes   uint64 // how many came, framing included
	Answers uint64 // answers to requests of this connection before them, since it was opened; late ones count
}

// Heard returns what came instead of an answer. It does not block, and costs more than a counter: it is for the moment
// in which somebody has given up waiting.
func (c *Conn) Heard() Heard {
	c.mu.Lock()
	r := c.reception
	c.mu.Unlock()
	e := evidence{
		sample:  r.latest(),
		cut:     r.bytes > heardWindow,
		asked:   &r.asked,
		framing: c.framing,
		unasked: r.unasked > 0,
		echoed:  r.echoed,
	}
	h := Heard{Bytes: r.bytes, Answers: r.answers}
	h.Kind, h.Frames, h.Line = e.classify()
	return h
}

// evidence is what a classification goes by.
type evidence struct {
	sample  []byte // the latest bytes
	cut     bool   // there were more before them
	asked   *requests
	framing framing
	unasked bool // whole packets came that answer nothing
	echoed  bool // requests of ours came back whole
}

// classify weighs the evidence, in the order that HeardKind has.
func (e evidence) classify() (HeardKind, FrameKind, string) {
	if len(e.sample) == 0 {
		return HeardNothing, "", ""
	}
	s := separate(e.lines(), e.asked, e.echoed)
	r := readText(s.rest)
	frames := e.frames(s.pieces)
	switch {
	case frames != "" && s.pieces == 0 && !e.unasked:
		return HeardFrames, frames, "" // what can be read may be what they carry
	case frames != "":
		return HeardFrames, frames, r.line
	case r.text > r.unreadable, r.text+r.unreadable == 0 && !s.echoed: // the latter is empty lines
		return HeardText, "", r.line
	case s.echoed:
		return HeardEcho, "", ""
	case !e.framing.text:
		return HeardFrames, "", "" // there is no rate at which a datagram could be read
	case len(r.line) < surerRun:
		return HeardGarbage, "", ""
	}
	return HeardGarbage, "", r.line
}

// lines is the sample from the beginning of a line on, for the rest of one may look like anything.
func (e evidence) lines() []byte {
	if i := bytes.IndexByte(e.sample, lineEnd); e.cut && i < len(e.sample)/2 {
		return e.sample[i+1:]
	}
	return e.sample
}

// frames names the frames in the sample; pieces is the number of lines in it that are of a console frame and not ours.
func (e evidence) frames(pieces int) FrameKind {
	switch {
	case e.unasked:
		return FramesUnasked
	case e.framing.lines && (bareAnswers(e.sample) || e.asked.answeredIn(e.sample)):
		return FramesRaw
	case e.framing.lines && pieces > 0:
		return FramesDamaged
	case e.framing.lines:
	case pieces > 0:
		return FramesConsole
	case bareAnswers(e.sample):
		return FramesUnasked
	case e.asked.answeredIn(e.sample):
		return FramesDamaged // behind text, where nothing but silence tells that a packet begins
	}
	return foreignFrames(e.sample)
}
