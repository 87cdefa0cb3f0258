package smp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
)

// FileDownload adjusts [FSGroup.Download].
type FileDownload struct {
	Limit      int64          // bytes of the largest file to take; 0 means 4 GiB - 1, the largest of a FAT file system
	OnProgress func(Progress) // called on the caller's goroutine after every answer; must not block
}

const largestFile = 1<<32 - 1

// FileDownloadResult says how the download of a file went.
type FileDownloadResult struct {
	Bytes      int64
	SHA256     []byte     // of the bytes
	Resent     int        // bytes that were asked for more than once
	ComparedBy Comparison // by which the bytes were compared with the device's file afterwards
}

// Download reads a file of the device into w, in order, and then compares what was written with the device's own hash;
// a device without hashes is asked for the size. An error after some bytes leaves them in w: they are worth nothing. A
// file that changes meanwhile is [ErrFileDiffers].
func (g FSGroup) Download(ctx context.Context, name string, w io.Writer, o FileDownload) (FileDownloadResult, error) {
	if err := checkName(fsDownload.name, name); err != nil {
		return FileDownloadResult{}, err
	}
	params, err := g.c.Negotiate(ctx)
	if err != nil {
		return FileDownloadResult{}, fmt.Errorf("%s: %w", fsDownload.name, err)
	}
	// Zephyr goes on with a file that it has open, at the length that it had when it was opened.
	if _, err := g.closeAny(ctx); err != nil {
		return FileDownloadResult{}, err
	}
	p := newFileSums()
	e := &downloadPayload{c: g.c, file: name, out: io.MultiWriter(w, p)}
	if err := e.begin(ctx, o); err != nil {
		return FileDownloadResult{}, err
	}
	t := newTransfer(g.c, e, transferOptions{
		size: e.size, start: e.got, limit: g.c.PacketLimit(), download: true, params: params, onProgress: o.OnProgress,
	})
	if err := t.run(ctx); err != nil {
		return FileDownloadResult{}, err
	}
	r := FileDownloadResult{Bytes: p.n, SHA256: p.sum(ComparedSHA256), Resent: t.resent}
	if _, err := g.closeAny(ctx); err != nil { // a chunk that was asked for again may have left the file open
		return r, err
	}
	asks, err := g.newComparer(ctx)
	if err == nil {
		r.ComparedBy, err = asks.check(ctx, fsDownload.name, name, p)
	}
	return r, err
}

type fileReadRequest struct {
	Name   string `cbor:"name"`
	Offset uint64 `cbor:"off"`
}

// fileReadReply is a piece of a file (Zephyr smp_group_8.rst, "File download response"). The device decides how long it
// is.
type fileReadReply struct {
	Offset uint64  `cbor:"off"`
	Data   []byte  `cbor:"data"`
	Length *uint64 `cbor:"len"` // of the file; only in the first piece
}

// downloadPayload is a file on its way from the device. It stands in for the device in what it says to the window: the
// offset that is wanted next is the number of bytes written so far, so that a piece behind a lost one is dropped and
// asked for again.
type downloadPayload struct {
	c     *Client
	file  string
	out   io.Writer
	size  int
	piece int // bytes of an answer
	got   int // bytes written
	last  fileReadRequest
}

// begin asks how long the file is. Where the device has no command for that, the first piece says so.
func (e *downloadPayload) begin(ctx context.Context, o FileDownload) error {
	ask := fsSize
	ask.name = fsDownload.name
	r, err := ask.do(ctx, e.c, fileRequest{e.file})
	if !IsUnsupported(err) {
		if err == nil {
			err = e.announced(r.Length, o)
		}
		e.piece = 1 // as a guess; the first answer says how long they are
		return err
	}
	first, err := fsDownload.do(ctx, e.c, fileReadRequest{Name: e.file})
	if refusedAs(err, fsFileEmpty) { // some servers call it an error
		return nil
	}
	if err != nil {
		return err
	}
	if err := e.announced(first.Length, o); err != nil || e.size == 0 {
		return err
	}
	if _, err = e.take(first, 0); err != nil {
		return fmt.Errorf("%s: %w", fsDownload.name, err)
	}
	return nil
}

// announced takes the length of the file.
func (e *downloadPayload) announced(n *uint64, o FileDownload) error {
	limit := o.Limit
	if limit <= 0 {
		limit = largestFile
	}
	switch {
	case n == nil:
		return protocolError(fsDownload.name, "no length in it")
	case *n > uint64(min(limit, math.MaxInt)):
		return fmt.Errorf("%s: the file has %d bytes, the limit is %d", fsDownload.name, *n, limit)
	}
	e.size = int(*n)
	return nil
}

func (e *downloadPayload) name() string                       { return fsDownload.name }
func (e *downloadPayload) header(length int) Header           { return fsDownload.header(e.c, length) }
func (e *downloadPayload) end(off int) int                    { return off + e.piece }
func (e *downloadPayload) once(chunk) bool                    { return false }
func (e *downloadPayload) restart(context.Context, int) error { return nil }
func (e *downloadPayload) finish() error                      { return nil }

func (e *downloadPayload) recheck(context.Context, position) (int, error) {
	return 0, errors.New("smp: a download is never in doubt")
}

// fit ignores the limit, for requests are short.
func (e *downloadPayload) fit(int) bool {
	const offset = 9 // the largest
	return HeaderLen+mapHeadLen+keyLen("name")+intLen(len(e.file))+len(e.file)+keyLen("off")+offset <= e.c.PacketLimit()
}

func (e *downloadPayload) request(c chunk) any {
	e.last = fileReadRequest{Name: e.file, Offset: uint64(c.off)}
	return &e.last
}

func (e *downloadPayload) answer(c chunk, body []byte, _ position) (int, error) {
	r, err := fsDownload.decode(body)
	if err != nil {
		return 0, err
	}
	return e.take(r, c.off)
}

// take writes a piece if it is the next one.
func (e *downloadPayload) take(r fileReadReply, off int) (int, error) {
	switch {
	case r.Offset != uint64(off):
		return 0, protocolError(fsDownload.name, fmt.Sprintf("it is about offset %d, asked was %d", r.Offset, off))
	case off == 0 && r.Length != nil && *r.Length != uint64(e.size):
		return 0, fmt.Errorf("%w: it has %d bytes, and had %d before", ErrFileDiffers, *r.Length, e.size)
	case off != e.got:
		return e.got, nil
	case len(r.Data) == 0:
		return 0, fmt.Errorf("%w: it ends at %d, and had %d bytes before", ErrFileDiffers, off, e.size)
	case len(r.Data) > e.size-off:
		return 0, fmt.Errorf("%w: it goes on behind the %d bytes that it had before", ErrFileDiffers, e.size)
	}
	if _, err := e.out.Write(r.Data); err != nil {
		return 0, err
	}
	e.got += len(r.Data)
	if off == 0 || e.got < e.size && len(r.Data) < e.piece {
		e.piece = len(r.Data)
	}
	return e.got, nil
}
