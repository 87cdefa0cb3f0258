package smp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

type uploadReply struct {
	status
	Offset int64 `cbor:"off"`   // noOffset if it is absent
	Match  bool  `cbor:"match"` // true if it is absent
}

const noOffset = math.MinInt64

const (
	maxBusy   = 20 // waits for a device that says it is busy
	busyPause = time.Second
)

// answered takes the reply to a chunk.
func (u *upload) answered(ctx context.Context, cl *call) error {
	f := u.take(cl)
	if f == nil {
		return nil
	}
	older := 0
	for older < len(u.signs) && u.signs[older].after < f.chunk.id {
		older++
	}
	u.dropSigns(older)
	if err := u.read(cl.body); err != nil {
		return u.refused(ctx, f, err)
	}
	switch off := u.reply.Offset; {
	case off == noOffset:
		return protocolError(imageUpload.name, "no offset in it", cl.body)
	case off < 0 || off > int64(len(u.data)):
		return protocolError(imageUpload.name, fmt.Sprintf("it wants offset %d of %d", off, len(u.data)), cl.body)
	}
	return u.accepted(f, int(u.reply.Offset), u.reply.Match)
}

// read decodes the reply to a chunk, in one pass and into memory that is used again: it happens thousands of times.
func (u *upload) read(body []byte) error {
	u.reply = uploadReply{Offset: noOffset, Match: true}
	if err := decode(body, &u.reply); err != nil {
		if err := refusal(imageUpload.name, imageUpload.group, body); err != nil {
			return err // counts, whatever else is in the reply
		}
		return protocolError(imageUpload.name, err.Error(), body)
	}
	return u.reply.refusal(imageUpload.name, imageUpload.group, body)
}

// refused takes a refusal: that of a busy device means to wait, that of one without a buffer for its answer to send less at
// a time, any other is the end.
func (u *upload) refused(ctx context.Context, f *flight, err error) error {
	var refused *DeviceError
	if !errors.As(err, &refused) || u.busy == maxBusy {
		return err
	}
	u.busy++
	switch {
	case refused.Busy():
		u.w.pause(f.chunk)
		return sleep(ctx, busyPause)
	case refused.Global && refused.Code == rcNoMemory:
		u.w.lose(f.chunk)
		u.adapt()
		return nil
	}
	return err
}

// accepted takes the offset that the device wants next.
func (u *upload) accepted(f *flight, off int, match bool) error {
	c, finished := f.chunk, off == len(u.data)
	if c.off > 0 && !finished { // the first chunk erases, the last one checks
		u.rtt.measure(u.heard.Sub(f.sent))
	}
	for range u.w.ack(c, off) {
		u.drop(u.flights[0])
	}
	if off == c.end && !finished {
		u.pace.depth.shift(u.stretch.good(c.end-c.off, u.heard))
	}
	u.adapt()
	u.idle = append(u.idle, f)
	if finished && !match && u.builder.sentSHA {
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

// recognize asks who answers before an upload starts again from the beginning: a device that restarted in the middle may be in its
// bootloader now, which takes any request in its wait window for a wish to stay.
func (u *upload) recognize(ctx context.Context) error {
	back := u.w.returns > u.returns
	u.returns = u.w.returns
	if !back || u.w.wanted > 0 || u.o.Recovery {
		return nil
	}
	u.c.Forget()
	list, err := u.c.Image.List(ctx)
	if IsUnsupported(err) {
		return nil
	}
	if err != nil {
		return err
	}
	firmware, err := u.c.Identify(ctx, list)
	if err == nil && firmware == SerialRecovery {
		return ErrInBootloader
	}
	return err
}

// lose gives a chunk up.
func (u *upload) lose(f *flight) {
	if u.o.Recovery && u.o.Encrypted && f.chunk.end == len(u.data) {
		u.w.doubt(f.chunk)
		u.drop(f)
		return
	}
	u.w.lose(f.chunk)
	u.drop(f)
	u.adapt()
}

// adapt makes packets as large, and lines as far apart, as the pace says.
func (u *upload) adapt() {
	u.c.setLineGap(u.pace.gap)
	u.builder.limit = u.full
	if lines := u.pace.lines; lines.now < lines.max {
		u.builder.limit = min(u.full, max(lines.now, 1)*lineBytes-u.c.link.Overhead())
	}
}

// drop forgets a flight. It is not used again: its call may have ended just now, and wait in done.
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
