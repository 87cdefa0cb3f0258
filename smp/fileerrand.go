package smp

import (
	"context"
	"errors"
	"slices"
)

// fileErrand is the upload of a file. Zephyr's server (grp/fs_mgmt/src/fs_mgmt.c) differs from that of images in three ways. A chunk
// at another offset than the wanted one is refused, with the size of the file, and the file is closed. The wanted offset is the
// size of the file, so it outlives a restart, but may be that of an older file. And a first chunk that comes twice is counted twice
// and written once, unless the file was closed in between.
type fileErrand struct {
	u       *upload
	file    string
	data    []byte
	builder chunkBuilder
	ends    []int // of the chunks sent, as far as the device may have got to
	reply   fileWriteReply
	refusal error // that settle looks into; nil without one
	refused int   // offset of its chunk
}

type fileWriteReply struct {
	status
	Offset int64 `cbor:"off"` // noOffset if it is absent
	Length int64 `cbor:"len"` // the same; only beside a refusal
}

func newFileUpload(c *Client, name string, data []byte, start int, o FileUpload, params Params) *upload {
	e := &fileErrand{file: name, data: data}
	u := newUpload(c, e, len(data), c.PacketLimit(), params, false)
	e.u, u.onProgress = u, o.OnProgress
	u.w.wanted, u.w.next, u.highest = start, start, start // where an earlier upload stopped
	e.builder = chunkBuilder{file: name, limit: u.full, size: len(data)}
	return u
}

func (e *fileErrand) name() string              { return fsUpload.name }
func (e *fileErrand) header(payload int) Header { return fsUpload.header(e.u.c, payload) }
func (e *fileErrand) end(off int) int           { return e.builder.end(off) }

// fit takes more than the limit where a long name leaves no room otherwise.
func (e *fileErrand) fit(limit int) bool {
	for e.builder.limit = limit; !e.builder.possible() && e.builder.limit < e.u.full; {
		e.builder.limit = min(e.builder.limit+lineBytes, e.u.full)
	}
	return e.builder.possible()
}

func (e *fileErrand) request(c chunk) any {
	if !slices.Contains(e.ends, c.end) {
		e.ends = append(e.ends, c.end)
	}
	return e.builder.request(e.data, c)
}

func (e *fileErrand) answer(c chunk, body []byte) (int, error) {
	err := e.read(body)
	switch {
	case err == nil:
		return e.wanted(e.reply.Offset, body)
	case refusedAs(err, fsOffsetNotValid) && e.reply.Length != noOffset:
		return e.wanted(e.reply.Length, body)
	case e.ambiguous(c, err):
		if e.refusal == nil {
			e.refusal, e.refused = err, c.off
		}
		return 0, errUnsure
	}
	return 0, err
}

func (e *fileErrand) read(body []byte) error {
	e.reply = fileWriteReply{Offset: noOffset, Length: noOffset}
	if err := decode(body, &e.reply); err != nil {
		if err := refusal(fsUpload.name, fsUpload.group, body); err != nil {
			return err
		}
		return protocolError(fsUpload.name, err.Error(), body)
	}
	return e.reply.refusal(fsUpload.name, fsUpload.group, body)
}

// ambiguous reports whether a refusal of c may mean no more than a wrong offset, which version 1 cannot say. That takes a loss.
func (e *fileErrand) ambiguous(c chunk, err error) bool {
	older := len(e.u.flights) > 0 && e.u.flights[0].chunk.id < c.id
	var d *DeviceError
	if !errors.As(err, &d) || !older && !e.u.w.draining && e.u.result.Resent == 0 {
		return false
	}
	return refusedAs(err, fsOffsetNotValid) || d.Global && (d.Code == rcUnknown || d.Code == rcInvalid)
}

// wanted is the offset to go on at: the device's, if its file can be what was sent so far. A size where no chunk ended is that of an
// older file, and a step backwards loses what the device had not written yet: both mean to begin again.
func (e *fileErrand) wanted(off int64, body []byte) (int, error) {
	if off < 0 {
		return e.u.inside(off, body)
	}
	if off == int64(e.u.w.wanted) || off > int64(e.u.w.wanted) && off <= int64(e.u.size) && slices.Contains(e.ends, int(off)) {
		return int(off), nil
	}
	return 0, nil
}

func (e *fileErrand) accepted(chunk, int) error {
	e.ends = slices.DeleteFunc(e.ends, func(end int) bool { return end <= e.u.w.wanted })
	return nil
}

func (e *fileErrand) once(c chunk) bool { return c.off == 0 }

// settle closes the file, without which its size would be an old one, and goes on at its size. If the device wants what it
// refused, it meant the refusal.
func (e *fileErrand) settle(ctx context.Context) error {
	g := e.u.c.FS
	if _, err := g.settle(ctx); err != nil {
		return err
	}
	size, err := g.Size(ctx, e.file)
	if err != nil && !isMissing(err) && !IsUnsupported(err) {
		return err
	}
	off, err := e.wanted(size, nil)
	if err == nil && off == e.refused && e.refusal != nil {
		err = e.refusal
	}
	e.refusal = nil
	if err != nil {
		return err
	}
	e.u.w.resume(off)
	return nil
}

// returned closes the file, for the first chunk comes again.
func (e *fileErrand) returned(ctx context.Context) error {
	e.ends = e.ends[:0]
	_, err := e.u.c.FS.settle(ctx)
	return err
}
