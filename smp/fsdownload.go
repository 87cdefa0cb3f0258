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
	Bytes  int64
	SHA256 []byte // of the bytes
	Resent int    // bytes that were asked for more than once
	Proof  Proof  // by which the bytes were compared with the device's file afterwards
}

// Download reads a file of the device into w, in order, and then compares what was written with the device's own hash; a device without
// hashes is asked for the size. An error after some bytes leaves them in w: they are worth nothing. A file that changes
// meanwhile is [ErrFileDiffers].
func (g FSGroup) Download(ctx context.Context, name string, w io.Writer, o FileDownload) (FileDownloadResult, error) {
	if err := checkName(fsDownload.name, name); err != nil {
		return FileDownloadResult{}, err
	}
	params, err := g.c.Negotiate(ctx)
	if err != nil {
		return FileDownloadResult{}, fmt.Errorf("%s: %w", fsDownload.name, err)
	}
	// Zephyr goes on with a file that it has open, at the length that it had when it was opened.
	if _, err := g.settle(ctx); err != nil {
		return FileDownloadResult{}, err
	}
	p := newProofs()
	e := &readErrand{file: name, out: io.MultiWriter(w, p)}
	if err := e.begin(ctx, g.c, o); err != nil {
		return FileDownloadResult{}, err
	}
	u := e.transfer(g.c, o, params)
	if err := u.run(ctx); err != nil {
		return FileDownloadResult{}, u.explain(err)
	}
	r := FileDownloadResult{Bytes: p.n, SHA256: p.sum(ProofSHA256), Resent: u.result.Resent}
	if _, err := g.settle(ctx); err != nil { // a chunk that was asked for again may have left the file open
		return r, err
	}
	asks, err := g.newProver(ctx)
	if err == nil {
		r.Proof, err = asks.check(ctx, fsDownload.name, name, p)
	}
	return r, err
}

type fileReadRequest struct {
	Name   string `cbor:"name"`
	Offset uint64 `cbor:"off"`
}

// fileReadReply is a piece of a file (Zephyr smp_group_8.rst, "File download response"). The device decides how long it is.
type fileReadReply struct {
	Offset uint64  `cbor:"off"`
	Data   []byte  `cbor:"data"`
	Length *uint64 `cbor:"len"` // of the file; only in the first piece
}

// readErrand is the download of a file. It stands in for the device in what it says to the window: the offset that is wanted next is
// the number of bytes written so far, so that a piece behind a lost one is dropped and asked for again.
type readErrand struct {
	u     *upload
	file  string
	out   io.Writer
	size  int
	piece int // bytes of an answer
	got   int // bytes written
	last  fileReadRequest
}

// begin asks how long the file is. Where the device has no command for that, the first piece says so.
func (e *readErrand) begin(ctx context.Context, c *Client, o FileDownload) error {
	ask := fsSize
	ask.name = fsDownload.name
	r, err := ask.do(ctx, c, fileRequest{e.file})
	if !IsUnsupported(err) {
		if err == nil {
			err = e.announced(r.Length, o)
		}
		e.piece = c.PacketLimit() // as a guess; the first answer says how long they are
		return err
	}
	first, err := fsDownload.do(ctx, c, fileReadRequest{Name: e.file})
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
func (e *readErrand) announced(n *uint64, o FileDownload) error {
	limit := o.Limit
	if limit <= 0 {
		limit = largestFile
	}
	switch {
	case n == nil:
		return protocolError(fsDownload.name, "no length in it", nil)
	case *n > uint64(min(limit, math.MaxInt)):
		return fmt.Errorf("%s: the file has %d bytes, the limit is %d", fsDownload.name, *n, limit)
	}
	e.size = int(*n)
	return nil
}

func (e *readErrand) transfer(c *Client, o FileDownload, params Params) *upload {
	u := newUpload(c, e, e.size, c.PacketLimit(), params, false)
	e.u, u.onProgress = u, o.OnProgress
	u.pace.lines.pin(1) // requests are short, and the device decides how long answers are
	u.pace.maxGap = u.pace.gap
	u.rtt = rtt{}
	u.rtt.measure(c.roundTrip() + c.wire(c.PacketLimit())/2) // an answer fills a buffer
	u.w.wanted, u.w.next, u.highest = e.got, e.got, e.got
	u.w.finished = e.got == e.size
	return u
}

func (e *readErrand) name() string              { return fsDownload.name }
func (e *readErrand) header(payload int) Header { return fsDownload.header(e.u.c, payload) }
func (e *readErrand) end(off int) int           { return off + e.piece }

func (e *readErrand) fit(int) bool {
	const offset = 9 // the largest
	return HeaderLen+mapHeadLen+keyLen("name")+intLen(len(e.file))+len(e.file)+keyLen("off")+offset <= e.u.full
}

func (e *readErrand) request(c chunk) any {
	e.last = fileReadRequest{Name: e.file, Offset: uint64(c.off)}
	return &e.last
}

func (e *readErrand) answer(c chunk, body []byte) (int, error) {
	r, err := fsDownload.decode(body)
	if err != nil {
		return 0, err
	}
	return e.take(r, c.off)
}

// take writes a piece if it is the next one.
func (e *readErrand) take(r fileReadReply, off int) (int, error) {
	switch {
	case r.Offset != uint64(off):
		return 0, protocolError(fsDownload.name, fmt.Sprintf("it is about offset %d, asked was %d", r.Offset, off), nil)
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

func (e *readErrand) accepted(c chunk, off int) error {
	if c.off == 0 {
		e.u.highest = off // the guess was wrong
	}
	return nil
}

func (e *readErrand) once(chunk) bool { return false }

func (e *readErrand) settle(context.Context) error {
	return errors.New("smp: a download is never in doubt")
}
func (e *readErrand) returned(context.Context) error { return nil }
