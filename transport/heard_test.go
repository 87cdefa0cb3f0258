package transport_test

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

// Requests that the device does not answer in these tests, and their console frames.
var (
	helloRequest = mustHex("0a00000900004200a161646568656c6c6f")
	longRequest  = append(mustHex("0a00009600014301"), ascending(150)...)
)

const (
	helloRequestFrame = "\x06\tABMKAAAJAABCAKFhZGVoZWxsb0YZ\n"
	longFirst         = "AKAKAACWAAFDAQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAx" +
		"MjM0NTY3ODk6Ozw9Pj9AQUJDREVGR0hJSktMTU5PUFFS"
	longMore = "U1RVVldYWVpbXF1eX2BhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4SFhoeIiYqLjI2Oj5CR" +
		"kpOUlQXo"
	longRequestFrame = "\x06\t" + longFirst + "\n\x04\x14" + longMore + "\n"
)

// ascending returns the bytes 0, 1, 2 and so on.
func ascending(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i)
	}
	return p
}

// hear sends the requests, and returns what the connection says of a stream that then comes in pieces of step bytes,
// and was before it.
func hear(t *testing.T, o transport.Options, requests [][]byte, stream string, step int) transport.Heard {
	t.Helper()
	var reads []read
	for len(stream) > 0 {
		n := min(step, len(stream))
		reads = append(reads, read{stream[:n], nil})
		stream = stream[n:]
	}
	c := transport.NewConn(&scriptedStream{reads: reads}, o)
	defer c.Close()
	for _, p := range requests {
		if err := c.WritePacket(p); err != nil {
			t.Fatal(err)
		}
	}
	return heardOf(c)
}

// heardOf reads to the end of the stream.
func heardOf(c *transport.Conn) transport.Heard {
	for {
		if _, err := c.ReadPacket(); err != nil {
			return c.Heard()
		}
	}
}

// checkHeard wants the same of a stream however it is cut.
func checkHeard(t *testing.T, o transport.Options, requests [][]byte, stream string, want transport.Heard) {
	t.Helper()
	if want.Answers == 0 {
		want.Bytes = uint64(len(stream))
	}
	for _, step := range []int{8 << 10, 1, 7, 64} {
		if diff := cmp.Diff(want, hear(t, o, requests, stream, step)); diff != "" {
			t.Errorf("in pieces of %d bytes, -want +got:\n%s", step, diff)
		}
	}
}

const bootText = "\x00*** Booting Zephyr OS build v4.4.0 ***\r\n" +
	"[00:00:00.251,000] <inf> main: Hello World! \xc2\xb5C\r\n"

func TestHeardText(t *testing.T) {
	for _, tt := range []struct{ name, stream, line string }{
		{"boot text", bootText, "[00:00:00.251,000] <inf> main: Hello World! \xc2\xb5C"},
		{"a line without end", "*** Booting Zeph", "*** Booting Zeph"},
		{"whole line before one without end", "E: ***** BUS FAULT *****\r\nE:   Prec", "E: ***** BUS FAULT *****"},
		{"log with colours", "\x1b[1;33m[00:00:00.000,000] <wrn> app: low\x1b[0m\r\n",
			"[00:00:00.000,000] <wrn> app: low"},
		{"prompt of a shell", "\r\n\x1b[1;32muart:~$ \x1b[m\x1b[8D\x1b[J\x1b[1;32muart:~$ \x1b[m", "uart:~$ uart:~$"},
		{"log above a prompt", "\x1b[8D\x1b[J[00:00:01.000,000] <inf> app: tick\r\n\x1b[1;32muart:~$ \x1b[m",
			"[00:00:01.000,000] <inf> app: tick"},
		{"columns that the cursor steps over",
			"\r\n  \x1b[1;36mresize\x1b[m\x1b[3C\x1b[1;36mretval\x1b[m\x1b[5Cshell\r\n", "resize retval shell"},
		{"title of a window", "\x1b]0;root@board: ~\x07root@board:~# ", "root@board:~#"},
		{"prompt of two bytes", "$ ", "$"},
		{"a modem", "\r\nERROR\r\n", "ERROR"},
		{"two letters in a line", "OK\r\n", "OK"},
		{"a receiver that asks for a file", "CCC", "CCC"},
		{"empty lines", "\r\n\r\n", ""},
		{"noise in front of text", "\xff\x00\x80\xfe*** Booting\r\n", "*** Booting"},
		{"text under a marker", "<wrn> \x06\x09 x\r\n", "<wrn>   x"},
		{"text behind a marker", "\x06\x09no\r\n", "no"},
		{"title of a window that has no end", "\x1b]0;" + strings.Repeat("tick\r\n", 50) + "\a", "tick"},
		{"a packet of PPP in a log", strings.Repeat("<inf> app: tick\r\n", 9) + hdlc("\xff\x03\xc0\x21\x01\x01") +
			"\r\n<inf> a", "<inf> app: tick"},
		{"carets", "^C\r\nKeyboardInterrupt\r\n>>> ", "KeyboardInterrupt"},
		{"a long line", strings.Repeat("0123456789 ", 20) + "\n", strings.Repeat("0123456789 ", 20)[:120]},
		{"a long line, cut before a space", strings.Repeat("0123456789a ", 20),
			strings.Repeat("0123456789a ", 20)[:119]},
		{"a long line of long letters", strings.Repeat("\u20ac", 100), strings.Repeat("\u20ac", 40)},
		{"a letter over the end of a long line", "x" + strings.Repeat("\u20ac", 100),
			"x" + strings.Repeat("\u20ac", 39)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := transport.Heard{Kind: transport.HeardText, Line: tt.line}
			for _, raw := range []bool{false, true} {
				checkHeard(t, transport.Options{Raw: raw}, [][]byte{helloRequest}, tt.stream, want)
			}
		})
	}
}

func TestHeardNothing(t *testing.T) {
	for _, raw := range []bool{false, true} {
		want := transport.Heard{Kind: transport.HeardNothing}
		checkHeard(t, transport.Options{Raw: raw}, [][]byte{helloRequest}, "", want)
	}
}

// TestHeardSinceTheLastAnswer has the device answer before it falls silent, or prints why it does.
func TestHeardSinceTheLastAnswer(t *testing.T) {
	const fault = "E: ***** USAGE FAULT *****\r\n"
	log := strings.Repeat("[00:00:01.000,000] <inf> app: tick\r\n", 300)
	for _, tt := range []struct {
		name, stream string
		want         transport.Heard
	}{
		{"silence", log + helloFrame, transport.Heard{Kind: transport.HeardNothing, Answers: 1}},
		{"text", helloFrame + log + helloFrame + fault,
			transport.Heard{Kind: transport.HeardText, Line: strings.TrimSpace(fault), Bytes: 28, Answers: 2}},
		{"frames for others before it", refusFrame + helloFrame + fault,
			transport.Heard{Kind: transport.HeardText, Line: strings.TrimSpace(fault), Bytes: 28, Answers: 1}},
		{"an echo before it", helloRequestFrame + helloFrame + "\x00\xff", transport.Heard{Kind: transport.HeardGarbage,
			Bytes: 2, Answers: 1}},
		{"text in the same piece", log + helloFrame + "bye", transport.Heard{Kind: transport.HeardText, Line: "bye",
			Bytes: 3, Answers: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkHeard(t, transport.Options{}, [][]byte{helloRequest}, tt.stream, tt.want)
		})
	}
}

// TestHeardEcho has the requests come back. The texts are what Linux 6.1 and its programs sent, and Zephyr 4.4's shell.
func TestHeardEcho(t *testing.T) {
	const (
		echo = transport.HeardEcho
		text = transport.HeardText
	)
	requests := [][]byte{helloRequest, longRequest}
	prompt := "\x1b[1;32muart:~$ \x1b[m"
	for _, tt := range []struct {
		name, stream string
		kind         transport.HeardKind
		line         string
	}{
		{"crossed wires", helloRequestFrame + longRequestFrame, echo, ""},
		{"crossed wires that lose a byte", strings.Replace(helloRequestFrame+longRequestFrame, "VoZW", "VoW", 1), echo,
			""},
		{"crossed wires, the end only", longRequestFrame[60:] + helloRequestFrame, echo, ""},
		{"crossed wires and a log", helloRequestFrame + "<inf> app: tick\r\n" + helloRequestFrame, text,
			"<inf> app: tick"},
		{"terminal", "^F\tABMKAAAJAABCAKFhZGVoZWxsb0YZ\r\n^F\t" + longFirst + "\r\n^T" + longMore + "\r\n", echo, ""},
		{"terminal without lines", "^F\tABMKAAAJAABCAKFhZGVoZWxsb0YZ^J^F\t" + longFirst + "^J^D^T" + longMore + "^J",
			echo, ""},
		{"terminal, the end only", longFirst[20:] + "\r\n^T" + longMore + "\r\n" +
			"^F\tABMKAAAJAABCAKFhZGVoZWxsb0YZ\r\n", echo, ""},
		{"terminal with a short line", "^F\t" + longFirst + "\r\n^TVFVWV1hZ\r\n", echo, ""},
		{"terminal for hours", strings.Repeat("^F\tABMKAAAJAABCAKFhZGVoZWxsb0YZ\r\n", 150), echo, ""},
		{"crossed wires for hours", strings.Repeat(longRequestFrame, 30), echo, ""},
		{"login", "board login: ^F\tABMKAAAJAABCAKFhZGVoZWxsb0YZ\r\nPassword: ", text, "board login: ..."},
		{"bash", "\x1b[?2004h$ \a\aABMKAAAJAABCAKFhZGVoZWxsb0YZ\r\n\x1b[?2004l\r" +
			"bash: ABMKAAAJAABCAKFhZGVoZWxsb0YZ: command not found\r\n\x1b[?2004h$ ",
			text, "bash: ...: command not found"},
		{"dash", "^F\tABMKAAAJAABCAKFhZGVoZWxsb0YZ\r\ndash: 1: \x06: not found\r\n$ ", text, "dash: 1: : not found"},
		{"Python", "\a    ABMKAAAJAABCAKFhZGVoZWxsb0YZ\r\n  File \"<stdin>\", line 1\r\n" +
			"    ABMKAAAJAABCAKFhZGVoZWxsb0YZ\r\nIndentationError: unexpected indent\r\n>>> ",
			text, "IndentationError: unexpected indent"},
		{"modem", "ABMKAAAJAABCAKFhZGVoZWxsb0YZ\r\r\nERROR\r\n", text, "ERROR"},
		{"Zephyr's shell", prompt + "\x1b[1;36m\r\n  clear\x1b[m\x1b[4C\x1b[1;36mdate\x1b[m\r\n" + prompt +
			longFirst[:76] + "\r\n" + longFirst[76:] + "\r\n\x1b[1;31m" + longFirst + ": command not found\r\n\x1b[m" +
			prompt + longMore[:76] + "\r\n" + longMore[76:] + "\r\n\x1b[1;31m" + longMore +
			": command not found\r\n\x1b[m" +
			prompt, text, "...: command not found"},
		{"another text in base64", "ABMKAAAJAABDAKFhZGVoZWxsb0YZ\r\n", text, "ABMKAAAJAABDAKFhZGVoZWxsb0YZ"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := transport.Heard{Kind: tt.kind, Line: tt.line}
			checkHeard(t, transport.Options{}, requests, tt.stream, want)
		})
	}
}

// TestHeardEchoUnframed does the same where nothing is framed.
func TestHeardEchoUnframed(t *testing.T) {
	for _, tt := range []struct {
		name, stream string
		kind         transport.HeardKind
		line         string
	}{
		{"crossed wires", string(helloRequest) + string(longRequest), transport.HeardEcho, ""},
		{"crossed wires, cut off", string(helloRequest) + string(longRequest[:70]), transport.HeardEcho, ""},
		{"terminal", "^J^@^@\t^@^@B^@\xa1adehello", transport.HeardEcho, ""},
		{"Zephyr's shell", "\r\nuart:~$ \r\n  clear  date\r\nuart:~$ Badehello", transport.HeardText, "clear  date"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := transport.Heard{Kind: tt.kind, Line: tt.line}
			checkHeard(t, transport.Options{Raw: true}, [][]byte{helloRequest, longRequest}, tt.stream, want)
		})
	}
}

func TestHeardFrames(t *testing.T) {
	raw := transport.Options{Raw: true}
	log := strings.Repeat("[00:00:01.000,000] <inf> app: tick\r\n", 5)
	const tick = "[00:00:01.000,000] <inf> app: tick"
	frames := func(kind transport.FrameKind, line string) transport.Heard {
		return transport.Heard{Kind: transport.HeardFrames, Frames: kind, Line: line}
	}
	for _, tt := range []struct {
		name, stream string
		options      transport.Options
		want         transport.Heard
	}{
		{"answers of other numbers", refusFrame + frame(packetOf(3, 1, "\xa0")), transport.Options{},
			frames(transport.FramesUnasked, "")},
		{"requests of another host", frame(packetOf(2, 7, "\xa0")), transport.Options{},
			frames(transport.FramesUnasked, "")},
		{"answers to others in a log", log + refusFrame + log, transport.Options{},
			frames(transport.FramesUnasked, tick)},
		{"a wrong checksum", strings.Replace(helloFrame, "ABQLAA", "ABQLAB", 1), transport.Options{},
			frames(transport.FramesDamaged, "")},
		{"a changed byte", frameWith(200, 80, 0xf1), transport.Options{}, frames(transport.FramesDamaged, "")},
		{"a lost first line in a log", log + frame(makePacket(200))[127:], transport.Options{},
			frames(transport.FramesDamaged, tick)},
		{"half an answer", frame(makePacket(200))[:100], transport.Options{}, frames(transport.FramesDamaged, "")},
		{"bare answers", string(refusal) + string(refusal), transport.Options{}, frames(transport.FramesRaw, "")},
		{"bare answers, the last cut off", string(refusal) + string(refusal[:9]), transport.Options{},
			frames(transport.FramesRaw, "")},
		{"bare requests of another host", string(packetOf(2, 7, "\xa0")), transport.Options{},
			transport.Heard{Kind: transport.HeardGarbage}},
		{"framed answers", helloFrame, raw, frames(transport.FramesConsole, "")},
		{"framed answers in a log", log + helloFrame + log, raw, frames(transport.FramesConsole, tick)},
		{"bare answers of other numbers", string(refusal), raw, frames(transport.FramesUnasked, "")},
		{"PPP", hdlc("\xff\x03\xc0\x21\x01\x01\x00\x14\x02\x06\x00\x00\x00\x00\x05\x06\x7d\x7e\x11\x13"),
			transport.Options{}, frames(transport.FramesHDLC, "")},
		{"Spinel", hdlc("\x80\x06\x00\x72") + hdlc("\x81\x06\x00\x03"), transport.Options{},
			frames(transport.FramesHDLC, "")},
		{"Spinel, heard from the middle on", hdlc("\x80\x06\x00\x72")[3:] + hdlc("\x81\x06\x00\x03"),
			transport.Options{}, frames(transport.FramesHDLC, "")},
		{"sync of a three-wire UART", strings.Repeat("\xc0\x00\x2f\x00\xd0\x01\x7e\xc0", 3), transport.Options{},
			frames(transport.FramesSLIP, "")},
		{"the same from the middle on", strings.Repeat("\xc0\x00\x2f\x00\xd0\x01\x7e\xc0", 3)[4:], transport.Options{},
			frames(transport.FramesSLIP, "")},
		{"IP over SLIP", "\xc0\x45\x00\x00\x1c\x00\x01\xdb\xdc\xc0\xc0\x45\x00\x00\x1c\x00\x02\xdb\xdd\x07\xc0",
			transport.Options{}, frames(transport.FramesSLIP, "")},
		{"COBS", "\x03\x01\x02\x04\x81\x82\x83\x00\x02\xfe\x06\x01\x02\x03\x04\x05\x00\x05\x9a\xff\xf0\x10\x00",
			transport.Options{}, frames(transport.FramesCOBS, "")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkHeard(t, tt.options, [][]byte{helloRequest}, tt.stream, tt.want)
		})
	}
	t.Run("a bare answer to us in a log", func(t *testing.T) {
		checkHeard(t, transport.Options{}, [][]byte{helloRequest}, log+string(hello), frames(transport.FramesRaw, ""))
	})
	t.Run("a bare answer to us where it cannot be found", func(t *testing.T) {
		checkHeard(t, raw, [][]byte{helloRequest}, log+string(hello), frames(transport.FramesDamaged, ""))
	})
}

// frameWith is the frame of a packet in which one byte was changed on the way.
func frameWith(size, at int, b byte) string {
	p := []byte(frame(makePacket(size)))
	p[at] = b
	return string(p)
}

// hdlc puts a frame together as RFC 1662 does, with the checksum of its appendix C done bit by bit.
func hdlc(content string) string {
	fcs := uint16(0xffff)
	for _, b := range []byte(content) {
		fcs ^= uint16(b)
		for range 8 {
			fcs = fcs>>1 ^ fcs&1*0x8408
		}
	}
	out := []byte{0x7e}
	for _, b := range binary.LittleEndian.AppendUint16([]byte(content), ^fcs) {
		if b == 0x7e || b == 0x7d || b < ' ' {
			out = append(out, 0x7d)
			b ^= 0x20
		}
		out = append(out, b)
	}
	return string(append(out, 0x7e))
}

// TestHeardGarbage has what could be taken for something else.
func TestHeardGarbage(t *testing.T) {
	noise := strings.Repeat("\x80\xf8\x00\xfe", 20)
	for _, tt := range []struct{ name, stream string }{
		{"a line without power", strings.Repeat("\x00", 500)},
		{"one letter", "x"},
		{"three letters of many alphabets", "\u04c3K?"},
		{"some letters in a row", noise + "Qx7&kQ2!" + noise},
		{"a header with flags", "\x01\x80\x00\x01\x00\x00\x00\x00\xa0"},
		{"a header without a map", "\x01\x00\x00\x01\x00\x00\x00\x00\x00"},
		{"a header and half a map", "\x01\x00\x00\x03\x00\x00\x00\x00\xbf\x61\x62\x00"},
		{"two ends of frames, and more", "\x18\x06\xc0\x63\xfe\x1e\xe0\xe6\xc0\x1e\xf8\x1e\xfe\x06\xc0\x18\x1e"},
		{"ends of short frames", "\xc0\x06\xc0\x06\xc0\x06\xc0"},
		{"a frame that escapes nothing", "\xc0\x18\xdb\x18\x06\xc0\x18\x18\x18\x06\xc0\x18\x18\x18\x06\xc0"},
		{"zeros between short frames", "\x00\x01\x00\x01\x00\x02\xfe\x00\x02\xfe\x00"},
		{"zeros between frames of which one is none", "\x00\x04\x81\x82\x83\x00\x04\x81\x82\x83\x00\xfe\x80\xf8\x00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := transport.Heard{Kind: transport.HeardGarbage}
			for _, raw := range []bool{false, true} {
				checkHeard(t, transport.Options{Raw: raw}, [][]byte{helloRequest}, tt.stream, want)
			}
		})
	}
}

// TestHeardAtAnotherRate has text and frames cross a wire and arrive at a receiver that is set to another rate.
func TestHeardAtAnotherRate(t *testing.T) {
	streams := []struct {
		name, stream string
		right        transport.HeardKind
	}{
		{"boot text", strings.Repeat(bootText[1:], 2) + "uart:~$ ", transport.HeardText},
		{"a line", "I: Starting bootloader\r\n", transport.HeardText},
		{"a log", strings.Repeat(bootText[1:], 60), transport.HeardText},
		{"frames", helloFrame + refusFrame + frame(makePacket(380)), transport.HeardFrames},
	}
	rates := []float64{9600, 57600, 115200, 230400, 460800, 1_000_000}
	short := 0
	for _, tt := range streams {
		for _, sender := range rates {
			for _, receiver := range rates {
				random := rand.New(rand.NewPCG(1, uint64(sender)))
				got := string(receiveUART(sendUART([]byte(tt.stream), random), sender/receiver))
				if sender == receiver && got != tt.stream {
					t.Fatalf("the wire made %q of %q", got, tt.stream)
				}
				want := transport.HeardGarbage
				if sender == receiver {
					want = tt.right
				}
				h := hear(t, transport.Options{}, [][]byte{helloRequest}, got, 64)
				switch {
				case len(got) <= 4 && h.Kind != want:
					short++ // nobody can tell
				case h.Kind != want:
					t.Errorf("%s at %v heard at %v: %+v, want %s, of %x", tt.name, sender, receiver, h, want,
						got[:min(len(got), 64)])
				}
			}
		}
	}
	if short > 2 {
		t.Errorf("%d streams of four bytes and fewer were misjudged, want few", short)
	}
}

// TestHeardOnAWorseLine changes single bytes of a log: it stays text as long as most of it can be read.
func TestHeardOnAWorseLine(t *testing.T) {
	for _, tt := range []struct {
		changed int // of 100 bytes
		want    transport.HeardKind
	}{{1, transport.HeardText}, {3, transport.HeardText}, {50, transport.HeardGarbage}, {100, transport.HeardGarbage}} {
		random := rand.New(rand.NewPCG(1, 2))
		p := []byte(strings.Repeat(bootText[1:], 20))
		for i := range p {
			if random.IntN(100) < tt.changed {
				p[i] = byte(random.IntN(256))
			}
		}
		if h := hear(t, transport.Options{}, nil, string(p), 64); h.Kind != tt.want {
			t.Errorf("%d of 100 bytes changed: %+v, want %s", tt.changed, h, tt.want)
		}
	}
}

// TestHeardMore has one kind of input follow another: the greater part is what the port is about.
func TestHeardMore(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 3))
	unreadable := string(receiveUART(sendUART([]byte(strings.Repeat(bootText[1:], 20)), random), 115200./9600))
	for _, tt := range []struct {
		name, stream string
		kind         transport.HeardKind
	}{
		{"a bootloader, and an application at another rate", bootText + strings.Repeat(unreadable, 9),
			transport.HeardGarbage},
		{"an application, and a bootloader at another rate", unreadable[:20] + bootText, transport.HeardText},
	} {
		h := hear(t, transport.Options{}, nil, tt.stream, 64)
		want := transport.Heard{Kind: tt.kind, Line: h.Line, Bytes: uint64(len(tt.stream))}
		if h != want || !strings.HasSuffix(h.Line, "\u00b5C") {
			t.Errorf("%s: %+v, want %s", tt.name, h, tt.kind)
		}
	}
}

// TestHeardDatagrams has no rate to be wrong.
func TestHeardDatagrams(t *testing.T) {
	for _, tt := range []struct {
		name     string
		datagram string
		want     transport.Heard
	}{
		{"text", "hello\n", transport.Heard{Kind: transport.HeardText, Line: "hello", Bytes: 6}},
		{"another protocol", "\x80\x12\x00\xff\x91", transport.Heard{Kind: transport.HeardFrames, Bytes: 5}},
		{"another host's answer", string(refusal), transport.Heard{Kind: transport.HeardFrames,
			Frames: transport.FramesUnasked, Bytes: uint64(len(refusal))}},
		{"our request", string(packetOf(2, 0, "")), transport.Heard{Kind: transport.HeardEcho, Bytes: 8}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := transport.NewDatagramConn(&scriptedStream{reads: []read{{tt.datagram, nil}}})
			defer c.Close()
			if err := c.WritePacket(packetOf(2, 0, "")); err != nil {
				t.Fatal(err)
			}
			if h := heardOf(c); h != tt.want {
				t.Errorf("got %+v, want %+v", h, tt.want)
			}
		})
	}
}

// FuzzHeard wants a stream to be judged alike however it is cut, and the line to be one that can be shown.
func FuzzHeard(f *testing.F) {
	for _, stream := range []string{
		"", bootText, helloRequestFrame, "^F\tABMKAAAJAABCAKFhZGVoZWxsb0YZ\r\n", refusFrame, string(refusal),
		hdlc("\x80\x06\x00\x72"), "\xc0\x00\x2f\x00\xd0\x01\x7e\xc0", "\x03\x01\x02\x04\x81\x82\x83\x00",
		"\x1b]0;x\x07\x1b[1;32m$ ", strings.Repeat("\x1b[", 50), frame(makePacket(500))[90:],
	} {
		f.Add(stream, false, 7)
		f.Add(stream+bootText+stream, true, 1)
		f.Add(strings.Repeat(stream+"x", 5000/(len(stream)+1)), false, 64)
	}
	f.Fuzz(func(t *testing.T, stream string, raw bool, step int) {
		o := transport.Options{Raw: raw}
		requests := [][]byte{helloRequest, longRequest}
		h := hear(t, o, requests, stream, len(stream)+1)
		if again := hear(t, o, requests, stream, max(1, step)); h != again {
			t.Errorf("%q: %+v in one piece, %+v in pieces of %d bytes", stream, h, again, step)
		}
		if (h.Kind == transport.HeardNothing) != (h.Bytes == 0) || h.Frames != "" && h.Kind != transport.HeardFrames {
			t.Errorf("%q: %+v", stream, h)
		}
		unfit := func(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }
		if len(h.Line) > 120 || !utf8.ValidString(h.Line) || strings.ContainsFunc(h.Line, unfit) {
			t.Errorf("%q: the line is %q", stream, h.Line)
		}
	})
}
