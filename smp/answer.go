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
	off, err := u.errand.answer(f.chunk, cl.body)
	if err != nil {
		return u.refused(ctx, f, err)
	}
	return u.accepted(f, off)
}

// inside gives the offset in a reply if it can be one.
func (u *upload) inside(off int64, body []byte) (int, error) {
	switch {
	case off == noOffset:
		return 0, protocolError(u.errand.name(), "no offset in it", body)
	case off < 0 || off > int64(u.size):
		return 0, protocolError(u.errand.name(), fmt.Sprintf("it wants offset %d of %d", off, u.size), body)
	}
	return int(off), nil
}

// refused takes a refusal: that of a busy device means to wait, that of one without memory to send less and later, any other is the
// end. So are these if nothing else comes for too long.
func (u *upload) refused(ctx context.Context, f *flight, err error) error {
	var refused *DeviceError
	if errors.Is(err, errUnsure) {
		u.unsure(f)
		return nil
	}
	if !errors.As(err, &refused) || !refused.Busy() && !refused.exhausted() || u.still.hindered(time.Now()) {
		return err
	}
	if refused.Busy() {
		u.w.pause(f.chunk)
		return sleep(ctx, hindrancePause)
	}
	u.w.lose(f.chunk)
	u.adapt()
	return sleep(ctx, u.still.pause())
}

// errUnsure is an answer to a chunk from which nobody can tell how far the device came.
var errUnsure = errors.New("answer without an offset")

// unsure gives up a chunk with such an answer, and those before it: answers come in the order of requests.
func (u *upload) unsure(f *flight) {
	for len(u.flights) > 0 && u.flights[0].chunk.id < f.chunk.id {
		u.w.pause(u.flights[0].chunk)
		u.drop(u.flights[0])
	}
	u.w.doubt(f.chunk)
}

// accepted takes the offset that the device wants next.
func (u *upload) accepted(f *flight, off int) error {
	c, finished := f.chunk, off == u.size
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
	if err := u.errand.accepted(c, off); err != nil {
		return err
	}
	u.report()
	return nil
}

func (u *upload) report() {
	if u.onProgress != nil {
		u.onProgress(Progress{Done: u.w.wanted, Total: u.size, InFlight: len(u.flights), Resent: u.result.Resent})
	}
}

// settle ends a doubt.
func (u *upload) settle(ctx context.Context) error {
	if err := u.errand.settle(ctx); err != nil {
		return err
	}
	u.adapt()
	u.report()
	return nil
}

// returned tells the errand of every step backwards once.
func (u *upload) returned(ctx context.Context) error {
	if u.w.returns == u.returns {
		return nil
	}
	u.returns = u.w.returns
	return u.errand.returned(ctx)
}

// lose gives a chunk up.
func (u *upload) lose(f *flight) {
	if u.errand.once(f.chunk) {
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
	u.limit = u.full
	if lines := u.pace.lines; lines.now < lines.max {
		u.limit = min(u.full, max(lines.now, 1)*lineBytes-u.c.link.Overhead())
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
