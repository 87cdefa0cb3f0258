package smp

import (
	"context"
	"errors"
	"fmt"
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

	// Recovery says that MCUboot's serial recovery takes the upload, see [Client.Who]: the image number in every
	// chunk, packets of 512 bytes if the bootloader does not say what it takes, and two requests in flight as long as
	// nothing is lost, with raw framing one.
	Recovery bool
	// Encrypted says that the image is. Serial recovery decrypts such an image in place after its last chunk, and a
	// second copy of that chunk makes it do so again, which destroys the image. So it is never sent twice: if no answer
	// comes, the list decides.
	Encrypted bool
}

// UploadResult says how an upload went.
type UploadResult struct {
	AlreadyPresent bool      // the device had the whole file, and nothing was sent but the first chunk
	ResumedFrom    int       // offset in bytes at which an earlier upload was taken up; 0 if from the start
	Resent         int       // bytes that were sent more than once
	Tuning         Tuning    // what suited the device
	Images         ImageList // the device's list after the upload; empty without a hash to look for
}

// Tuning is what an upload found out about the device and the way to it.
type Tuning struct {
	InFlight    int           // requests at a time
	PacketLimit int           // bytes of the largest request: less than a buffer takes if larger ones were lost
	LineGap     time.Duration // between lines, for a device that loses them when they come at once; 0 if it needs none
	RoundTrip   time.Duration // of a chunk while so many are in flight
	Lost        int           // requests
}

// ErrNotListed says that the device took a whole upload but does not list the image afterwards.
var ErrNotListed = errors.New("the device does not list the image after the upload")

// Upload sends a whole image file and returns when the device has it: all of it accepted and, if the hash is given,
// listed. It resumes an earlier upload of the same bytes when the device remembers it. data must not change meanwhile.
//
// As long as it moves it goes on, whatever hinders it. What ends it is time without progress: 20 s for a device that
// says that it is busy or out of memory, 30 s for one that answers while the chunks get lost, and Options.Timeout times
// Options.Tries+3 of silence, longer at the first and the last chunk. So do three steps backwards that lead no further,
// and 20 in all. After [ErrNoReply] the client is as usable as before: call [Client.Restarted], for the device may have
// restarted, and upload again.
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
	t := newTransfer(g.c, newImagePayload(g.c, data, o, params), transferOptions{
		size: len(data), limit: g.c.uploadLimit(o, params), params: params, recovery: o.Recovery,
		onProgress: o.OnProgress,
	})
	err = t.run(ctx)
	r := UploadResult{
		ResumedFrom: t.resumed, AlreadyPresent: t.resumed == len(data), Resent: t.resent, Tuning: t.tuning(),
	}
	if err != nil || len(o.Hash) == 0 {
		return r, err
	}
	if r.Images, err = g.List(ctx); err != nil {
		return r, err
	}
	if !r.Images.Has(o.Hash) {
		return r, fmt.Errorf("%s: %w", imageUpload.name, ErrNotListed)
	}
	return r, nil
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
