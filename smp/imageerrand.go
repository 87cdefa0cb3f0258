package smp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
)

// imageErrand is the upload of an image.
type imageErrand struct {
	u       *upload
	o       ImageUpload
	data    []byte
	builder chunkBuilder
	reply   uploadReply // the last one
}

func newImageUpload(c *Client, data []byte, o ImageUpload, params Params) *upload {
	e := &imageErrand{o: o, data: data}
	u := newUpload(c, e, len(data), c.uploadLimit(o, params), params, o.Recovery) // which is deaf while it writes
	e.u, u.onProgress = u, o.OnProgress
	u.result.FileSHA256 = sha256.Sum256(data)
	e.builder = chunkBuilder{
		limit: u.full, size: len(data), image: uint(o.Image), upgrade: o.UpgradeOnly,
		sha: u.result.FileSHA256[:],
		// MCUboot before 2.0.0 takes the image number from every chunk; MCUboot has one buffer or does not say.
		everyChunk: params.BufferCount == 1 || o.Recovery,
	}
	if len(o.Hash) > 0 {
		e.builder.hash = max(bytes.LastIndex(data, o.Hash), 0)
	}
	return u
}

func (e *imageErrand) name() string              { return imageUpload.name }
func (e *imageErrand) header(payload int) Header { return imageUpload.header(e.u.c, payload) }
func (e *imageErrand) end(off int) int           { return e.builder.end(off) }
func (e *imageErrand) request(c chunk) any       { return e.builder.request(e.data, c) }

func (e *imageErrand) fit(limit int) bool {
	e.builder.limit = limit
	return e.builder.possible()
}

func (e *imageErrand) answer(_ chunk, body []byte) (int, error) {
	if err := e.read(body); err != nil {
		return 0, err
	}
	return e.u.inside(e.reply.Offset, body)
}

// read decodes the reply to a chunk, in one pass and into memory that is used again: it happens thousands of times.
func (e *imageErrand) read(body []byte) error {
	e.reply = uploadReply{Offset: noOffset, Match: true}
	if err := decode(body, &e.reply); err != nil {
		if err := refusal(imageUpload.name, imageUpload.group, body); err != nil {
			return err // counts, whatever else is in the reply
		}
		return protocolError(imageUpload.name, err.Error(), body)
	}
	return e.reply.refusal(imageUpload.name, imageUpload.group, body)
}

func (e *imageErrand) accepted(c chunk, off int) error {
	finished := off == len(e.data)
	if finished && !e.reply.Match && e.builder.sentSHA {
		return errors.New("the device's check of the written data failed: what it wrote is not what was sent")
	}
	if c.off == 0 && off > e.u.highest { // more than this upload can have brought there
		e.u.result.ResumedFrom = off
		e.u.result.AlreadyPresent = finished
	}
	return nil
}

func (e *imageErrand) once(c chunk) bool {
	return e.o.Recovery && e.o.Encrypted && c.end == len(e.data)
}

// settle asks the device whether it has the image, after its last answer was lost or meant a restart.
func (e *imageErrand) settle(ctx context.Context) error {
	if len(e.o.Hash) == 0 {
		return errors.New("the device forgot the upload at its last chunk, and without the image's hash nothing tells whether it is complete")
	}
	list, err := e.u.c.Image.List(ctx)
	if err != nil {
		return err
	}
	e.u.w.resolve(list.Has(e.o.Hash))
	return nil
}

// returned asks who answers before an upload starts again from the beginning: a device that restarted in the middle may be in its
// bootloader now, which takes any request in its wait window for a wish to stay.
func (e *imageErrand) returned(ctx context.Context) error {
	if e.u.w.wanted > 0 || e.o.Recovery {
		return nil
	}
	c := e.u.c
	c.Restarted()
	firmware, _, err := c.Who(ctx)
	if err == nil && firmware == SerialRecovery {
		return ErrInBootloader
	}
	return err
}
