package smp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Progress is the news of an upload.
type Progress struct {
	Done     int // bytes that the device has accepted
	Total    int // bytes
	InFlight int // requests that wait for their answers
	Resent   int // bytes that were sent more than once
}

// ImageUpload adjusts [ImageGroup.Upload].
type ImageUpload struct {
	Image       int            // number of the image
	UpgradeOnly bool           // the device refuses the image unless it is newer than the running one
	Hash        Hash           // of the image, to look for in the device's list; nil skips that check
	OnProgress  func(Progress) // called on the caller's goroutine after every answer; must not block

	// Recovery says that MCUboot's serial recovery takes the upload, see [Client.Who]: one request at a time, the image number
	// in every chunk, and packets of 512 bytes if the bootloader does not say what it takes.
	Recovery bool
	// Encrypted says that the image is. Serial recovery decrypts such an image in place after its last chunk, and a second copy of
	// that chunk makes it do so again, which destroys the image. So it is never sent twice: if no answer comes, the list decides.
	Encrypted bool
}

// UploadResult says how an upload went.
type UploadResult struct {
	FileSHA256     [sha256.Size]byte // of the uploaded bytes, not the image's hash
	AlreadyPresent bool              // the device had the whole file, and nothing was sent but the first chunk
	ResumedFrom    int               // offset in bytes at which an earlier upload was taken up; 0 if from the start
	Resent         int               // bytes that were sent more than once
	Settled        Settled           // what suited the device
	Images         ImageList         // the device's list after the upload; empty without a hash to look for
}

// Settled is what an upload found out about the device and the way to it.
type Settled struct {
	InFlight    int           // requests at a time
	PacketLimit int           // bytes of the largest request, which is smaller than the device's buffer if larger ones were lost
	LineGap     time.Duration // from one line to the next, for a device that loses lines when they come at once; 0 if it needs none
	RoundTrip   time.Duration // of a chunk while so many are in flight
	Lost        int           // requests
}

// mostInFlight is more than fills any serial line; each loss costs as much data as there is in flight.
const mostInFlight = 8

// ErrNotListed says that the device took a whole upload but does not list the image afterwards.
var ErrNotListed = errors.New("the device does not list the image after the upload")

// Upload sends a whole image file and returns when the device has it: all of it accepted and, if the hash is given, listed. It resumes
// an earlier upload of the same bytes when the device remembers it. data must not change meanwhile.
//
// As long as it moves it goes on, whatever hinders it. What ends it is time without progress: 20 s for a device that says that it is
// busy or out of memory, 30 s for one that answers while the chunks get lost, and Options.Timeout times Options.Tries+3 of silence,
// longer at the first and the last chunk. So do three steps backwards that lead no further, and 20 in all. After [ErrNoReply] the client
// is as usable as before: call [Client.Restarted], for the device may have restarted, and upload again.
func (g ImageGroup) Upload(ctx context.Context, data []byte, o ImageUpload) (UploadResult, error) {
	fail := func(err error) (UploadResult, error) {
		return UploadResult{}, fmt.Errorf("%s: %w", imageUpload.name, err)
	}
	if len(data) == 0 {
		return fail(errors.New("no data"))
	}
	if o.Image < 0 {
		return fail(fmt.Errorf("image number %d", o.Image))
	}
	params, err := g.c.Negotiate(ctx)
	if err != nil {
		return fail(err)
	}
	u := newImageUpload(g.c, data, o, params)
	err = u.run(ctx)
	u.result.Settled = u.settled()
	if err != nil {
		return u.result, u.explain(err)
	}
	if len(o.Hash) > 0 {
		list, err := g.List(ctx)
		if err != nil {
			return u.result, err
		}
		u.result.Images = list
		if !list.Has(o.Hash) {
			return u.result, fmt.Errorf("%s: %w", imageUpload.name, ErrNotListed)
		}
	}
	return u.result, nil
}

// upload drives a window over a client: it is the part with packets and time. What it carries is the errand's business.
type upload struct {
	c       *Client
	errand  errand
	w       *window
	pace    *pace
	rtt     rtt
	stretch *stretch
	size    int // bytes to carry
	full    int // bytes of the largest packet that the device's buffer takes
	limit   int // bytes of the largest packet now
	result  UploadResult

	onProgress func(Progress) // may be nil

	done    chan *call
	flights []*flight // in the order in which they were sent
	idle    []*flight // to use again
	signs   []*sign   // open requests for a sign of life, oldest first
	queue   int       // requests that the device can hold
	buffers int       // that it has for requests and answers
	timer   *time.Timer
	heard   time.Time // when the device last answered
	highest int       // end of the furthest chunk sent
	lost    int       // losses that the stretch knows of
	returns int       // steps backwards that were looked into
	still   standstill
}

// flight is a chunk and the call that carries it.
type flight struct {
	call
	chunk chunk
	sent  time.Time
	buf   bytes.Buffer
}

func newUpload(c *Client, e errand, size, limit int, params Params, single bool) *upload {
	depth := min(max(params.BufferCount-1, 1), c.options.Window) // an answer needs a buffer too
	if c.options.Window == 0 {
		depth = min(max(params.BufferCount-2, 1), mostInFlight) // and a sign of life another
	}
	if single {
		depth = 1
	}
	u := &upload{c: c, errand: e, size: size, full: min(limit, maxPayload)}
	u.limit = u.full
	u.pace = newPace(depth, (u.full+c.link.Overhead()+lineBytes-1)/lineBytes)
	u.pace.gap, u.pace.maxGap = c.lineGap(), c.widestGap()
	u.w = newWindow(size, u.pace)
	u.rtt.measure(c.roundTrip())
	u.stretch = newStretch(c.options.Window == 0 && !single && depth < min(params.BufferCount-1, mostInFlight))
	u.done = make(chan *call, 2*len(c.pending)) // for every call that is open, and as many again that were given up just after they ended
	u.queue = max(params.BufferCount-1, 2)      // MCUboot has one packet buffer, but more for lines
	u.buffers = params.BufferCount
	return u
}

// recoveryBuffer is what serial recovery takes on every platform (MCUBOOT_SERIAL_MAX_RECEIVE_SIZE; 1024 on Zephyr).
const recoveryBuffer = 512

// uploadLimit is the size in bytes of the largest request.
func (c *Client) uploadLimit(o ImageUpload, params Params) int {
	size := recoveryBuffer
	if c.options.MaxBuffer > 0 {
		size = min(size, max(c.options.MaxBuffer, minBuffer))
	}
	if !o.Recovery || params.Known || c.options.Buffer > 0 {
		return c.PacketLimit()
	}
	return size - c.link.Overhead()
}

func (u *upload) run(ctx context.Context) error {
	u.timer = time.NewTimer(time.Hour)
	u.still.moved(u.w.best, time.Now())
	defer u.timer.Stop()
	defer u.withdraw()
	for !u.w.finished {
		if err := ended(ctx); err != nil {
			return err
		}
		if err := u.fill(); err != nil {
			return err
		}
		if err := u.wait(ctx); err != nil {
			return err
		}
		if u.w.doubtful && len(u.flights) == 0 {
			if err := u.settle(ctx); err != nil {
				return err
			}
		}
		u.still.moved(u.w.best, time.Now())
		if u.w.failed != nil {
			return u.w.failed
		}
		if err := u.returned(ctx); err != nil {
			return err
		}
		if u.w.lost > u.lost {
			u.lost = u.w.lost
			u.pace.depth.shift(u.stretch.lost())
			if err := u.hold(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *upload) settled() Settled {
	return Settled{
		InFlight: u.pace.depth.now, PacketLimit: u.limit, LineGap: lineGaps[u.pace.gap], RoundTrip: u.rtt.mean, Lost: u.w.lost,
	}
}

// explain adds how far the upload came, except to a refusal, which names the command itself.
func (u *upload) explain(err error) error {
	var refused *DeviceError
	var nonsense *ProtocolError
	if errors.As(err, &refused) || errors.As(err, &nonsense) {
		return err
	}
	return fmt.Errorf("%s at %d of %d bytes: %w", u.errand.name(), u.w.wanted, u.size, err)
}

// fill sends chunks as long as the window gives some.
func (u *upload) fill() error {
	if !u.errand.fit(u.limit) {
		return fmt.Errorf("%w: a packet of %d bytes has no room for a chunk", ErrTooLarge, u.limit)
	}
	for len(u.flights) == 0 || u.c.outstanding() < u.queue {
		c, ok := u.w.take(u.errand.end)
		if !ok {
			return nil
		}
		if err := u.send(c); err != nil {
			return err
		}
	}
	return nil
}

func (u *upload) send(c chunk) error {
	f := u.spare()
	f.chunk = c
	f.buf.Reset()
	f.buf.Write(emptyHeader[:])
	if err := appendCBOR(&f.buf, u.errand.request(c)); err != nil {
		return err
	}
	f.packet = f.buf.Bytes()
	u.errand.header(len(f.packet) - HeaderLen).Append(f.packet[:0])
	f.sent = time.Now()
	if err := u.c.start(&f.call, noLimit); err != nil {
		return err
	}
	u.flights = append(u.flights, f)
	if c.off < u.highest {
		u.result.Resent += min(c.end, u.highest) - c.off
	}
	u.highest = max(u.highest, c.end)
	return nil
}

var emptyHeader [HeaderLen]byte

// spare returns a flight to fill. An answer may come before the writer is done with its request: such a flight is left alone.
func (u *upload) spare() *flight {
	for i, f := range u.idle {
		if !f.queued.Load() {
			u.idle = slices.Delete(u.idle, i, i+1)
			return f
		}
	}
	return &flight{call: call{done: u.done}}
}

func (u *upload) withdraw() {
	u.dropSigns(len(u.signs))
	for _, f := range u.flights {
		u.c.withdraw(&f.call)
	}
}
