package smp

import (
	"context"
	"errors"
	"slices"
)

// filePayload is a file on its way to the device. Zephyr's server (grp/fs_mgmt/src/fs_mgmt.c) differs from that of
// images in three ways. A chunk at another offset than the wanted one is refused, with the size of the file, and the
// file is closed. The wanted offset is the size of the file, so it outlives a restart, but may be that of an older
// file. And a first chunk that comes twice is counted twice and written once, unless the file was closed in between.
type filePayload struct {
	c       *Client
	file    string
	data    []byte
	most    int // bytes of the largest request that the device takes
	builder chunkBuilder
	ends    []int // of the chunks sent, as far as the device may have got to
	reply   fileWriteReply
	refusal error // that recheck looks into; nil without one
	refused int   // offset of its chunk
}

type fileWriteReply struct {
	status
	Offset int64 `cbor:"off"` // noOffset if it is absent
	Length int64 `cbor:"len"` // the same; only beside a refusal
}

func newFilePayload(c *Client, name string, data []byte) *filePayload {
	return &filePayload{
		c: c, file: name, data: data, most: c.PacketLimit(), builder: chunkBuilder{file: name, size: len(data)},
	}
}

func (p *filePayload) name() string             { return fsUpload.name }
func (p *filePayload) header(length int) Header { return fsUpload.header(p.c, length) }
func (p *filePayload) end(off int) int          { return p.builder.end(off) }
func (p *filePayload) once(c chunk) bool        { return c.off == 0 }
func (p *filePayload) finish() error            { return nil }

// fit takes more than the limit where a long name leaves no room otherwise.
func (p *filePayload) fit(limit int) bool {
	for p.builder.limit = limit; !p.builder.possible() && p.builder.limit < p.most; {
		p.builder.limit = min(p.builder.limit+lineBytes, p.most)
	}
	return p.builder.possible()
}

func (p *filePayload) request(c chunk) any {
	if !slices.Contains(p.ends, c.end) {
		p.ends = append(p.ends, c.end)
	}
	return p.builder.request(p.data, c)
}

func (p *filePayload) answer(c chunk, body []byte, at position) (int, error) {
	p.ends = slices.DeleteFunc(p.ends, func(end int) bool { return end <= at.wanted })
	err := p.read(body)
	switch {
	case err == nil:
		return p.next(p.reply.Offset, at)
	case refusedAs(err, fsOffsetNotValid) && p.reply.Length != noOffset:
		return p.next(p.reply.Length, at)
	case at.disturbed && ambiguous(err):
		if p.refusal == nil {
			p.refusal, p.refused = err, c.off
		}
		return 0, errUnsure
	}
	return 0, err
}

func (p *filePayload) read(body []byte) error {
	p.reply = fileWriteReply{Offset: noOffset, Length: noOffset}
	if err := decode(body, &p.reply); err != nil {
		if err := refusal(fsUpload.name, fsUpload.group, body); err != nil {
			return err
		}
		return protocolError(fsUpload.name, err.Error())
	}
	return p.reply.refusal(fsUpload.name, fsUpload.group)
}

// ambiguous reports whether a refusal after a loss may mean no more than a wrong offset, which version 1 cannot say.
func ambiguous(err error) bool {
	var d *DeviceError
	if !errors.As(err, &d) {
		return false
	}
	return refusedAs(err, fsOffsetNotValid) || d.Global && (d.Code == rcUnknown || d.Code == rcInvalid)
}

// next is the offset to go on at: the device's, if its file can be what was sent so far. A size where no chunk ended is
// that of an older file, and a step backwards loses what the device had not written yet: both mean to begin again.
func (p *filePayload) next(off int64, at position) (int, error) {
	if off < 0 {
		return offsetIn(off, len(p.data), fsUpload.name)
	}
	ours := off > int64(at.wanted) && off <= int64(len(p.data)) && slices.Contains(p.ends, int(off))
	if off == int64(at.wanted) || ours {
		return int(off), nil
	}
	return 0, nil
}

// recheck closes the file, without which its size would be an old one, and goes on at its size. If the device wants
// what it refused, it meant the refusal.
func (p *filePayload) recheck(ctx context.Context, at position) (int, error) {
	if _, err := p.c.FS.closeAny(ctx); err != nil {
		return 0, err
	}
	size, err := p.c.FS.Size(ctx, p.file)
	if err != nil && !isMissing(err) && !IsUnsupported(err) {
		return 0, err
	}
	off, err := p.next(size, at)
	if err == nil && off == p.refused && p.refusal != nil {
		err = p.refusal
	}
	p.refusal = nil
	return off, err
}

// restart closes the file, for the first chunk comes again.
func (p *filePayload) restart(ctx context.Context, _ int) error {
	p.ends = p.ends[:0]
	_, err := p.c.FS.closeAny(ctx)
	return err
}
