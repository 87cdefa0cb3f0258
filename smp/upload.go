package smp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
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
}

// UploadResult says how an upload went.
type UploadResult struct {
	FileSHA256     [sha256.Size]byte // of the uploaded bytes, not the image's hash
	AlreadyPresent bool              // the device had the whole file, and nothing was sent but the first chunk
	ResumedFrom    int               // offset in bytes at which an earlier upload was taken up; 0 if from the start
	Resent         int               // bytes that were sent more than once
	PacketLimit    int               // bytes of the largest request used, after shrinking for a device that lost larger ones
	Images         ImageList         // the device's list after the upload; empty without a hash to look for
}

// ErrNotListed says that the device took a whole upload but does not list the image afterwards.
var ErrNotListed = errors.New("the device does not list the image after the upload")

// How long the device may take for a chunk that makes it work, before it counts as silent.
const (
	firstPatience = 60 * time.Second // erases the slot
	lastPatience  = 30 * time.Second // checks the image
)

// A chunk is never simply sent again: a device that is only slow would queue every copy, and Zephyr 4.4.0 crashes when its packet
// buffers run out. Instead a second request asks for a sign of life. Answers come in the order of requests, so an answer to
// it proves that the chunk was lost, and that nothing is queued.
const (
	probeAfter = time.Second // of silence
	maxSigns   = 2           // requests for a sign of life that may be open
)

// Sizes of packets that fill one and two lines of 127 bytes exactly. Zephyr's stock receiver has two line buffers, and
// when lines come faster than it decodes them (USB, fast UARTs) it drops the third without a word.
const (
	oneLinePacket  = 89
	twoLinesPacket = 182
)

// chunkAlign is the largest flash write alignment of MCUboot. Older servers accept only aligned pieces, and then every
// answer to an unaligned chunk disagrees.
const chunkAlign = 32

// minFirstChunk is the size of an image header, which the first chunk must hold.
const minFirstChunk = 32

const (
	maxBusy   = 20 // waits for a device that says it is busy
	busyPause = time.Second
)

// Upload sends a whole image file and returns when the device has it: all of it accepted and, if the hash is given, listed. It resumes
// an earlier upload of the same bytes when the device remembers it. The device's silence, refusals and steps backwards
// all end it after a bounded time. data must not change meanwhile.
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
	u := newUpload(g.c, data, o, params)
	if err := u.run(ctx); err != nil {
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

type uploadReply struct {
	Offset *int64 `cbor:"off"`
	Match  *bool  `cbor:"match"`
}

// upload drives a window over a client: it is the part with packets and time.
type upload struct {
	c       *Client
	w       *window
	o       ImageUpload
	data    []byte
	builder chunkBuilder
	result  UploadResult

	done    chan *call
	flights []*flight // in the order in which they were sent
	idle    []*flight // to use again
	signs   []*sign   // open requests for a sign of life, oldest first
	queue   int       // requests that the device can hold
	timer   *time.Timer
	heard   time.Time // when the last chunk was answered
	highest int       // end of the furthest chunk sent
	busy    int
}

// flight is a chunk and the call that carries it.
type flight struct {
	call
	chunk chunk
	sent  time.Time
	buf   bytes.Buffer
}

// sign is a request for a sign of life. An answer to it says what became of the chunks sent before it.
type sign struct {
	call
	after int // id of the last chunk sent before
}

func newUpload(c *Client, data []byte, o ImageUpload, params Params) *upload {
	limit := max(c.options.Window, 1)
	if limit > 1 {
		limit = min(limit, max(params.BufferCount-1, 1)) // an answer needs a buffer too
	}
	u := &upload{c: c, w: newWindow(len(data), limit), o: o, data: data}
	u.done = make(chan *call, 2*len(c.pending)) // for every call that is open, and as many again that were given up just after they ended
	u.queue = max(params.BufferCount, 2)        // MCUboot has one packet buffer, but more for lines
	u.result.FileSHA256 = sha256.Sum256(data)
	u.builder = chunkBuilder{
		limit: min(c.PacketLimit(), maxPayload), size: len(data), image: uint(o.Image), upgrade: o.UpgradeOnly,
		sha: u.result.FileSHA256[:],
		// MCUboot before 2.0.0 takes the image number from every chunk; MCUboot has one buffer or does not say.
		everyChunk: params.BufferCount == 1,
	}
	return u
}

func (u *upload) run(ctx context.Context) error {
	u.timer = time.NewTimer(time.Hour)
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
		if u.w.doubtful {
			if err := u.settleDoubt(ctx); err != nil {
				return err
			}
		}
		if u.w.failed != nil {
			return u.w.failed
		}
	}
	u.result.PacketLimit = u.builder.limit
	return nil
}

// explain adds how far the upload came, except to a refusal, which names the command itself.
func (u *upload) explain(err error) error {
	var refused *DeviceError
	var nonsense *ProtocolError
	if errors.As(err, &refused) || errors.As(err, &nonsense) {
		return err
	}
	return fmt.Errorf("%s at %d of %d bytes: %w", imageUpload.name, u.w.wanted, len(u.data), err)
}

// fill sends chunks as long as the window gives some.
func (u *upload) fill() error {
	if !u.builder.possible() {
		return fmt.Errorf("%w: a packet of %d bytes has no room for a chunk", ErrTooLarge, u.builder.limit)
	}
	for {
		c, ok := u.w.take(u.builder.end)
		if !ok {
			return nil
		}
		if err := u.send(c); err != nil {
			return err
		}
	}
}

func (u *upload) send(c chunk) error {
	f := u.spare()
	f.chunk = c
	f.buf.Reset()
	f.buf.Write(emptyHeader[:])
	if err := appendCBOR(&f.buf, u.builder.request(u.data, c)); err != nil {
		return err
	}
	f.packet = f.buf.Bytes()
	imageUpload.header(u.c, len(f.packet)-HeaderLen).Append(f.packet[:0])
	f.sent = time.Now()
	if err := u.c.start(&f.call); err != nil {
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

// patience is how long the answer to c may take.
func (u *upload) patience(c chunk) time.Duration {
	t := u.c.options.Timeout * time.Duration(u.c.options.Tries)
	switch {
	case c.off == 0:
		return max(t, firstPatience)
	case c.end == len(u.data):
		return max(t, lastPatience)
	}
	return t
}

// wait takes one piece of news: an answer, a timer, or the end of the context.
func (u *upload) wait(ctx context.Context) error {
	if len(u.flights) == 0 {
		return nil
	}
	ask, deadline := u.timers()
	u.timer.Reset(time.Until(earlier(ask, deadline)))
	cl, err := await(ctx, u.done, u.timer.C)
	switch {
	case err != nil:
		return err
	case cl == nil && time.Now().Before(deadline):
		return u.askForSign()
	case cl == nil:
		return silence(timing{timeout: time.Since(u.since()), tries: 1})
	case cl.err != nil:
		return cl.err
	}
	if i := slices.IndexFunc(u.signs, func(s *sign) bool { return &s.call == cl }); i >= 0 {
		u.alive(u.signs[i])
		return nil
	}
	return u.answered(ctx, cl)
}

// since is the beginning of the silence of the oldest chunk: a device that works through a full window is not silent.
func (u *upload) since() time.Time {
	if sent := u.flights[0].sent; sent.After(u.heard) {
		return sent
	}
	return u.heard
}

// timers says when to ask for the next sign of life, and when the oldest chunk is due.
func (u *upload) timers() (ask, deadline time.Time) {
	f := u.flights[0]
	wire := u.c.wire(len(f.packet))
	patience := u.patience(f.chunk)
	deadline = u.since().Add(patience + wire)
	if len(u.signs) == maxSigns || len(u.flights)+len(u.signs) >= u.queue {
		return deadline, deadline
	}
	silent := min(probeAfter, patience/4)
	if len(u.signs) > 0 {
		silent = min(max(4*probeAfter, u.c.options.Timeout), patience/2)
	}
	return u.since().Add(silent + wire), deadline
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// askForSign sends a request that every server answers, if only by saying that it does not have it.
func (u *upload) askForSign() error {
	h := Header{Version: u.c.Version(), Op: osParams.op, Length: 1, Group: osParams.group, Command: osParams.id}
	s := &sign{call: call{packet: append(h.Append(nil), emptyMap), done: u.done}, after: u.flights[len(u.flights)-1].chunk.id}
	u.signs = append(u.signs, s)
	return u.c.start(&s.call)
}

// alive takes a sign of life: every chunk sent before it was lost.
func (u *upload) alive(s *sign) {
	for len(u.flights) > 0 && u.flights[0].chunk.id <= s.after {
		u.lose(u.flights[0])
	}
	u.dropSigns(s.after + 1)
}

// answered takes the reply to a chunk.
func (u *upload) answered(ctx context.Context, cl *call) error {
	f := u.take(cl)
	if f == nil {
		return nil
	}
	u.heard = time.Now()
	u.dropSigns(f.chunk.id)
	reply, err := imageUpload.decode(cl.body)
	var refused *DeviceError
	if errors.As(err, &refused) && refused.Busy() && u.busy < maxBusy {
		u.busy++
		u.w.pause(f.chunk)
		return sleep(ctx, busyPause)
	}
	if err != nil {
		return err
	}
	if reply.Offset == nil {
		return protocolError(imageUpload.name, "no offset in it", cl.body)
	}
	if *reply.Offset < 0 || *reply.Offset > int64(len(u.data)) {
		return protocolError(imageUpload.name, fmt.Sprintf("it wants offset %d of %d", *reply.Offset, len(u.data)), cl.body)
	}
	return u.accepted(f, int(*reply.Offset), reply.Match)
}

// accepted takes the offset that the device wants next.
func (u *upload) accepted(f *flight, off int, match *bool) error {
	c, finished := f.chunk, off == len(u.data)
	for range u.w.ack(c, off) {
		u.drop(u.flights[0])
	}
	u.idle = append(u.idle, f)
	if finished && match != nil && !*match && u.builder.sentSHA {
		return errors.New("the device's check of the written data failed: what it wrote is not what was sent")
	}
	if c.off == 0 && off > u.highest { // more than this upload can have brought there
		u.result.ResumedFrom = off
		u.result.AlreadyPresent = finished
	}
	u.report()
	return nil
}

func (u *upload) report() {
	if u.o.OnProgress != nil {
		u.o.OnProgress(Progress{Done: u.w.wanted, Total: len(u.data), InFlight: len(u.flights), Resent: u.result.Resent})
	}
}

// settleDoubt asks the device whether it has the image, after its last answer was lost or meant a restart.
func (u *upload) settleDoubt(ctx context.Context) error {
	if len(u.o.Hash) == 0 {
		return errors.New("the device forgot the upload at its last chunk, and without the image's hash nothing tells whether it is complete")
	}
	list, err := u.c.Image.List(ctx)
	if err != nil {
		return err
	}
	u.w.resolve(list.Has(u.o.Hash))
	u.report()
	return nil
}

// lose gives a chunk up. When it is lost for the second time, packets become smaller: perhaps the device has no room
// for so many lines.
func (u *upload) lose(f *flight) {
	before := u.w.losses
	u.w.lose(f.chunk)
	u.drop(f)
	if n := u.w.losses; n > before && (n == 2 || n == 4) {
		u.builder.shrink()
	}
}

// drop forgets a flight whose call is still open. Its buffer is not used again, for the writer may be reading it.
func (u *upload) drop(f *flight) {
	u.c.withdraw(&f.call)
	u.take(&f.call)
}

// take removes the flight of a call; nil if the call was dropped before.
func (u *upload) take(cl *call) *flight {
	for i, f := range u.flights {
		if &f.call == cl {
			u.flights = append(u.flights[:i], u.flights[i+1:]...)
			return f
		}
	}
	return nil
}

// dropSigns gives up the signs that were sent before the chunk with this id: if they are not answered by now, they never will
// be. Later ones may still wait in the device and count.
func (u *upload) dropSigns(id int) {
	for len(u.signs) > 0 && u.signs[0].after < id {
		u.c.withdraw(&u.signs[0].call)
		u.signs = slices.Delete(u.signs, 0, 1)
	}
}

func (u *upload) withdraw() {
	u.dropSigns(math.MaxInt)
	for _, f := range u.flights {
		u.c.withdraw(&f.call)
	}
}

// sleep waits for d or the end of the context.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
