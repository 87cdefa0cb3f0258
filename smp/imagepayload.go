package smp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
)

// imagePayload is an image on its way to the device.
type imagePayload struct {
	c       *Client
	o       ImageUpload
	data    []byte
	builder chunkBuilder
	reply   uploadReply // the last one
}

type uploadReply struct {
	status
	Offset int64 `cbor:"off"`   // noOffset if it is absent
	Match  bool  `cbor:"match"` // true if it is absent
}

func newImagePayload(c *Client, data []byte, o ImageUpload, params Params) *imagePayload {
	sum := sha256.Sum256(data)
	p := &imagePayload{c: c, o: o, data: data}
	p.builder = chunkBuilder{
		size: len(data), image: uint(o.Image), upgrade: o.UpgradeOnly, sha: sum[:],
		// MCUboot before 2.0.0 takes the image number from every chunk; MCUboot has one buffer or does not say.
		everyChunk: params.BufferCount == 1 || o.Recovery,
	}
	if len(o.Hash) > 0 {
		p.builder.hash = max(bytes.LastIndex(data, o.Hash), 0)
	}
	return p
}

func (p *imagePayload) name() string             { return imageUpload.name }
func (p *imagePayload) header(length int) Header { return imageUpload.header(p.c, length) }
func (p *imagePayload) end(off int) int          { return p.builder.end(off) }
func (p *imagePayload) request(c chunk) any      { return p.builder.request(p.data, c) }

func (p *imagePayload) fit(limit int) bool {
	p.builder.limit = limit
	return p.builder.possible()
}

func (p *imagePayload) answer(_ chunk, body []byte, _ position) (int, error) {
	if err := p.read(body); err != nil {
		return 0, err
	}
	return offsetIn(p.reply.Offset, len(p.data), imageUpload.name)
}

// read decodes the reply to a chunk, in one pass and into memory that is used again: it happens thousands of times.
func (p *imagePayload) read(body []byte) error {
	p.reply = uploadReply{Offset: noOffset, Match: true}
	if err := decode(body, &p.reply); err != nil {
		if err := refusal(imageUpload.name, imageUpload.group, body); err != nil {
			return err // counts, whatever else is in the reply
		}
		return protocolError(imageUpload.name, err.Error())
	}
	return p.reply.refusal(imageUpload.name, imageUpload.group)
}

func (p *imagePayload) finish() error {
	if !p.reply.Match && p.builder.sentSHA {
		return errors.New("the device's check of the written data failed: what it wrote is not what was sent")
	}
	return nil
}

func (p *imagePayload) once(c chunk) bool {
	return p.o.Recovery && p.o.Encrypted && c.end == len(p.data)
}

// recheck asks the device whether it has the image, after its last answer was lost or meant a restart.
func (p *imagePayload) recheck(ctx context.Context, _ position) (int, error) {
	if len(p.o.Hash) == 0 {
		return 0, errors.New("the device forgot the upload at its last chunk, " +
			"and without the image's hash nothing tells whether it is complete")
	}
	list, err := p.c.Image.List(ctx)
	if err != nil || !list.Has(p.o.Hash) {
		return 0, err
	}
	p.reply.Match = true // an older answer
	return len(p.data), nil
}

// restart asks who answers before an upload starts again from the beginning: a device that restarted in the middle may
// be in its bootloader now, which takes any request in its wait window for a wish to stay.
func (p *imagePayload) restart(ctx context.Context, off int) error {
	if off > 0 || p.o.Recovery {
		return nil
	}
	p.c.Restarted()
	firmware, _, err := p.c.Who(ctx)
	if err == nil && firmware == SerialRecovery {
		return ErrInBootloader
	}
	return err
}
