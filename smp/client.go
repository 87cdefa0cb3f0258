package smp

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Options adjust a [Client]. The zero value suits every known device.
type Options struct {
	Timeout   time.Duration // for one try; 0 means 3 s, and longer for slow commands. An erase has a minute
	Tries     int           // how often a request is sent before the device counts as silent; 0 means 3
	Version   Version       // Auto finds out
	Buffer    int           // bytes of the device's packet buffer; 0 asks the device
	MaxBuffer int           // upper limit for what the device says of its buffer, in bytes; 0 means none
	Window    int           // most requests in flight during an upload; 0 leaves the choice to the client
	Rate      int           // bytes per second that the link carries, to extend timeouts on slow wires; 0 means fast
}

// Defaults of [Options].
const (
	DefaultTimeout = 3 * time.Second
	DefaultTries   = 3
)

// maxPayload is what the length field of the header can say.
const maxPayload = 1<<16 - 1

// ErrTooLarge says that a request does not fit the device's packet buffer; nothing was sent.
var ErrTooLarge = errors.New("request too large")

// Client talks SMP to one device. Its methods and those of its groups may be called from several goroutines at a time;
// a request waits while the device holds as many as its packet buffers allow.
type Client struct {
	OS       OSGroup
	Image    ImageGroup
	Stat     StatGroup
	Settings SettingsGroup
	FS       FSGroup
	Shell    ShellGroup
	Enum     EnumGroup
	Zephyr   ZephyrGroup
	Log      LogGroup
	Run      RunGroup
	Crash    CrashGroup

	link    Link
	options Options
	chosen  bool // the timeout is the caller's choice, not the default
	writes  chan *call
	linkGap int           // of lineGaps, that the link keeps; of the writing goroutine
	dead    chan struct{} // closed once the link has ended
	inTurn  atomic.Int32  // calls that wait for room
	freed   chan struct{} // holds a token once a call has ended, for those that wait for room

	negotiating chan struct{} // holds a token while Negotiate asks

	closing  sync.Once
	closeErr chan error // holds what closing the link gave, until Close returns it

	mu         sync.Mutex // guards what follows; nothing blocks while it is held
	pending    [256]*call // by sequence number
	sequence   uint8
	started    uint64 // calls
	answered   uint64 // order of the latest call that has its answer
	negotiated bool
	restarts   int // how often Restarted was called
	version    Version
	params     Params
	took       time.Duration // from the first request to its answer
	gap        int           // of lineGaps, for the next packet
	probed     bool          // the application has answered an application probe
	unmatched  int           // packets
	err        error         // why the link ended
}

// NewClient starts a client on the link, which it owns from then on: [Client.Close] closes it.
func NewClient(link Link, o Options) *Client {
	chosen := o.Timeout > 0
	if !chosen {
		o.Timeout = DefaultTimeout
	}
	if o.Tries <= 0 {
		o.Tries = DefaultTries
	}
	c := &Client{
		link:        link,
		options:     o,
		chosen:      chosen,
		writes:      make(chan *call, 256),
		dead:        make(chan struct{}),
		freed:       make(chan struct{}, 1),
		negotiating: make(chan struct{}, 1),
		closeErr:    make(chan error, 1),
		sequence:    uint8(rand.Uint32()), // an answer to an earlier process is then unlikely to fit
		version:     o.Version,
	}
	c.OS.c, c.Image.c, c.Stat.c, c.Settings.c, c.Shell.c, c.Enum.c, c.Zephyr.c = c, c, c, c, c, c, c
	c.FS.c, c.Log.c, c.Run.c, c.Crash.c = c, c, c, c
	go c.read()
	go c.write()
	return c
}

// Close ends the client and its link; calls that wait return [ErrClosed]. It does not wait for a write that is stuck in
// the operating system. The error is that of closing the link, with a *transport.Conn that of its trace too; it is
// returned once, also when the link had ended by itself before, and by further calls no more.
func (c *Client) Close() error {
	c.end(ErrClosed)
	select {
	case err := <-c.closeErr:
		return err
	default:
		return nil
	}
}

// Done is closed when the link has ended, by [Client.Close] or by itself; [Client.Err] then says why.
func (c *Client) Done() <-chan struct{} { return c.dead }

// Err is nil while the link works; afterwards it wraps [ErrClosed] and, if the link ended by itself, the link's error.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Unmatched is the number of packets that were dropped so far because they answer no request that waits: late answers,
// echoes of requests, noise. It counts over the whole life of the client.
func (c *Client) Unmatched() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unmatched
}
