package transport

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// DefaultBaud is the rate used when none is given, in bits per second.
const DefaultBaud = 115200

// BitsPerByte is what a byte takes on a serial line: a start bit, eight data bits, a stop bit.
const BitsPerByte = 10

const (
	// closeLimit bounds Close when the system's close hangs on undelivered output.
	closeLimit = time.Second

	// rawIdle is how long a raw line must be silent to count as idle. It is far
	// above the pauses inside a reply, and below the time limit of any request.
	rawIdle = 250 * time.Millisecond

	// maxEmptyReads bounds reads in a row that give neither data nor an error.
	maxEmptyReads = 100
)

// Options says how to talk over a link. The zero value is right for a device
// with Zephyr's defaults.
type Options struct {
	// Baud is the bit rate of a serial port; 0 means [DefaultBaud]. Any rate the
	// driver takes is possible. USB CDC ACM devices ignore it.
	Baud int
	// LineLength is the longest line sent, in bytes; 0 means [DefaultLineLength].
	// Lines received may always be longer.
	LineLength int
	// Raw selects bare SMP packets instead of console frames. The device must be
	// built for it; nothing on the line tells which one it expects.
	Raw bool
	// DropLines lowers DTR and RTS once a serial port is open, for boards that
	// have them wired to reset or boot pins. On Unix the kernel raises both while
	// it opens the port, whatever is asked, so these boards see a pulse. Zero
	// leaves both raised, as consoles on USB expect.
	DropLines bool
	// KeepInput keeps what a serial port had received before it was opened, instead of
	// throwing it away: for whoever follows the text of a device over its resets.
	KeepInput bool
	// Retry, if not nil, decides whether [Dial] goes on trying to open a serial port that is busy, or that was
	// plugged in a moment ago and gives no permission yet. It gets the error after each try, every 50 ms, in the
	// goroutine of Dial; its Address is the name of the port. If nil, Dial goes on within its limits.
	Retry func(*OpenError) bool
	// Trace, if not nil, gets a line for every packet and every text both ways. It is
	// written to from the reading and the writing goroutine, one at a time, and holds
	// them up while it blocks: give it a file. Lines are
	//
	//	# title
	//	0.000412 > write v2 group 0 id 0 seq 66 len 9 0a00000900004200a161646568656c6c6f
	//	0.031870 < write-rsp v2 group 0 id 0 seq 66 len 10 0b00000a00004200bf617265…
	//	0.020000 < text "[00:00:01.000] <inf> smp: hello\r\n"
	//	0.040000 > text "\n"
	//	0.100000 ! note "device disconnected: input/output error"
	//
	// with the time in seconds, what the packet's header says in words, and the packet
	// without framing in hex. Texts are quoted as in Go: bytes that are not printable
	// ASCII are escaped.
	Trace io.Writer
	// Text, if not nil, gets what the device sends outside frames: log text,
	// prompts. It is called from ReadPacket, must not keep the slice, and must
	// filter what it shows, for the bytes come straight from the device. While it
	// blocks no packet arrives.
	Text func([]byte)
}

// packetDecoder is what Decoder, rawDecoder and datagramDecoder have in common.
type packetDecoder interface {
	Next(p []byte) (packet, rest []byte)
	Stats() Stats
}

// Conn sends and receives packets over a byte stream, or over UDP. One goroutine at a time
// may call ReadPacket; everything else may be called from any goroutine.
type Conn struct {
	rwc     io.ReadWriteCloser
	options Options
	framing framing
	port    Port
	trace   *recorder // nil when off

	// Of the reading goroutine.
	decoder packetDecoder
	raw     *rawDecoder // the same decoder, when it has to be told of idle times
	buf     []byte
	rest    []byte // of buf, not decoded yet
	readErr error  // the last thing the stream gave, perhaps together with data

	out writer

	mu        sync.Mutex // guards stats, reception and cause
	stats     Stats
	reception reception
	cause     error // why the stream is gone

	closed    chan struct{}
	closeOnce sync.Once
	closeErr  error
}

// framing is what a packet travels in.
type framing struct {
	name  string
	limit int  // bytes of the longest packet
	lines bool // base64 in lines, with length and CRC
	text  bool // other text can be between the packets
}

// A header announces at most 65535 bytes after itself.
var (
	consoleFraming = framing{"frame", MaxFramed, true, true}
	rawFraming     = framing{"raw line", headerSize + 1<<16 - 1, false, true}
)

// NewConn returns a connection over rwc, which it owns from now on. The Close of
// rwc must wake up a Read in progress; that of a Write is welcome, not needed.
func NewConn(rwc io.ReadWriteCloser, o Options) *Conn {
	if !o.Raw {
		c := newConn(rwc, o, consoleFraming)
		c.decoder = &Decoder{Text: c.textSink()}
		return c
	}
	c := newConn(rwc, o, rawFraming)
	c.raw = &rawDecoder{Text: c.textSink()}
	c.decoder = c.raw
	return c
}

// newConn returns a connection that still needs its decoder.
func newConn(rwc io.ReadWriteCloser, o Options, f framing) *Conn {
	return &Conn{
		rwc:     rwc,
		options: o,
		framing: f,
		trace:   newRecorder(o.Trace),
		buf:     make([]byte, 8<<10),
		out:     writer{turn: make(chan struct{}, 1)},
		closed:  make(chan struct{}),
	}
}

// ReadPacket blocks until an intact packet arrives and returns it. The packet is
// valid until the next call. It is at least as long as its header says; surplus
// bytes are to be ignored.
//
// Damaged input is dropped and counted, never an error. The error is [ErrClosed]
// after Close, which also ends a call in progress, and otherwise matches
// [ErrDisconnected]; both are final.
func (c *Conn) ReadPacket() ([]byte, error) {
	for {
		if isClosed(c.closed) {
			return nil, ErrClosed
		}
		if len(c.rest) > 0 {
			packet, rest := c.decoder.Next(c.rest)
			c.received(c.rest[:len(c.rest)-len(rest)], packet)
			c.rest = rest
			if packet != nil {
				c.trace.packet(receivedPacket, packet)
				return packet, nil
			}
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// WritePacket sends one packet in one write and returns when the system has taken all of it. It blocks as long as the
// device takes no data. Close ends a call that waits for its turn or between two lines; one that is in the driver
// returns when the driver lets it, which no system promises. So whoever must not be held up calls it from a goroutine
// that it can leave behind, as an smp.Client does. Concurrent calls take turns. Errors are those of ReadPacket, or say
// that p is no packet or too long.
func (c *Conn) WritePacket(p []byte) error {
	if len(p) < headerSize {
		return fmt.Errorf("write packet: %d bytes are no packet, its header alone takes %d", len(p), headerSize)
	}
	if len(p) > c.framing.limit {
		return fmt.Errorf("write packet: %d bytes are over the %d a %s can carry",
			len(p), c.framing.limit, c.framing.name)
	}
	return c.send("write packet", sentPacket, p)
}

// SetLineGap makes the lines of every further packet start at least this long after each other; 0, the default, sends
// each packet in one write. It is for devices that lose lines when nothing paces them: Zephyr's driver has two buffers
// for lines (CONFIG_UART_MCUMGR_RX_BUF_COUNT), and drops what finds none. Raw framing and UDP have no lines and ignore
// it.
func (c *Conn) SetLineGap(d time.Duration) {
	if c.framing.lines {
		c.out.gap.Store(int64(d))
	}
}

// WriteText sends bytes outside any frame, such as a keystroke for the shell on
// the same console, or a newline to end what was left in the device's line
// buffer. Blocking and errors are those of WritePacket. UDP carries packets only:
// there the error matches [errors.ErrUnsupported].
func (c *Conn) WriteText(p []byte) error {
	if !c.framing.text {
		return fmt.Errorf("write text: %w in a %s", errors.ErrUnsupported, c.framing.name)
	}
	if len(p) == 0 {
		return nil
	}
	return c.send("write text", sentText, p)
}

// EndLine ends whatever stands in the device's line buffer, so that the next packet is not lost with it: it sends a
// line that goes on with a packet and adds nothing to it, which every receiver drops. A bare newline would not do. Zephyr's
// shell takes the bytes that came together with it for commands, the packet among them, and two of MCUboot's ports
// answer a line that short with what they answered last. Raw framing and UDP have no lines: there it does nothing.
// Blocking and errors are those of WritePacket.
func (c *Conn) EndLine() error {
	if !c.framing.lines {
		return nil
	}
	return c.send("end line", sentText, emptyLine[:])
}

// Overhead returns how many bytes of the device's packet buffer the framing takes
// besides the packet: console frames are decoded with length and CRC into it.
func (c *Conn) Overhead() int {
	if !c.framing.lines {
		return 0
	}
	return lenSize + crcSize
}

// Bare reports whether packets follow each other in a stream of bytes with nothing between them: raw framing. A device
// that reads in larger pieces may lose two packets of which parts arrive together.
func (c *Conn) Bare() bool { return c.framing.text && !c.framing.lines }

// MaxPacket returns the size in bytes of the longest packet that WritePacket
// takes. The device's packet buffers, which it knows nothing of, may be smaller.
func (c *Conn) MaxPacket() int { return c.framing.limit }

// Port returns what is known of the serial port, for [Same]. Its name is empty if
// the connection is not a serial port that [Dial] opened.
func (c *Conn) Port() Port { return c.port }

// Stats returns the counters so far.
func (c *Conn) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Close ends the connection and the calls in progress, except a write that is stuck in the driver: it stays behind. It
// does not wait for the device: what the device has not taken by then is thrown away, so wait for the answer to what
// must arrive. It takes a second at most. Further calls do nothing and return the same. The error may also be the
// first one met while writing the trace.
func (c *Conn) Close() error {
	c.closeOnce.Do(func() {
		close(c.closed)
		c.closeErr = c.closeStream()
		if err := c.trace.close(); c.closeErr == nil && err != nil {
			c.closeErr = fmt.Errorf("write trace: %w", err)
		}
	})
	return c.closeErr
}

func (c *Conn) closeStream() error {
	done := make(chan error, 1)
	// May outlive Close if the system's close never returns; nothing can end it.
	go func() { done <- c.rwc.Close() }()
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
		return fmt.Errorf("close: %w", os.ErrDeadlineExceeded)
	}
}

// fill reads the next bytes of the stream.
func (c *Conn) fill() error {
	if c.readErr != nil {
		return c.fail(c.readErr)
	}
	start := time.Now()
	for range maxEmptyReads {
		n, err := c.rwc.Read(c.buf)
		if n > 0 {
			c.rest, c.readErr = c.buf[:n], err
			if c.raw != nil && time.Since(start) >= rawIdle {
				c.raw.Reset()
			}
			return nil
		}
		if err != nil {
			c.readErr = err
			return c.fail(err)
		}
	}
	c.readErr = io.ErrNoProgress
	return c.fail(c.readErr)
}

// fail makes err, met while reading or writing, the end of the connection, and
// returns what the caller is told. Unplug and our own Close give the same errors
// in the serial library, hence the look at closed first.
func (c *Conn) fail(err error) error {
	if isClosed(c.closed) {
		return ErrClosed
	}
	c.mu.Lock()
	first := c.cause == nil
	if first {
		c.cause = disconnected(err)
	}
	cause := c.cause
	c.mu.Unlock()
	if first {
		c.trace.note(cause.Error())
	}
	return cause
}

// disconnected classifies an error of the byte stream. No such stream can be used
// after an error, and the systems have many for a device that went away: EIO,
// ENXIO, EOF, on Windows access denied, operation aborted or bad command.
func disconnected(err error) error {
	if errors.Is(err, ErrDisconnected) || errors.Is(err, errDescriptor) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDisconnected, bare(err))
}

// received publishes the decoder's counters and the bytes it used, and tells the trace of new damage. packet is what
// ended with these bytes, or nil.
func (c *Conn) received(p, packet []byte) {
	now := c.decoder.Stats()
	c.mu.Lock()
	c.reception.take(p, packet, c.framing.lines)
	before := c.stats
	now.SentPackets, now.SentBytes = before.SentPackets, before.SentBytes
	c.stats = now
	c.mu.Unlock()
	if c.trace != nil && now.Damaged() != before.Damaged() {
		c.trace.note(describeDamage(before, now))
	}
}

// textSink returns what gets the bytes outside frames.
func (c *Conn) textSink() func([]byte) {
	if c.trace != nil {
		return c.traceText
	}
	return c.options.Text
}

func (c *Conn) traceText(p []byte) {
	c.trace.text(receivedText, p)
	if c.options.Text != nil {
		c.options.Text(p)
	}
}
