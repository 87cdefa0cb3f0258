package smp

import (
	"context"
	"time"
)

// Moment is the state of an upload once it has sent what it may, and at its end.
type Moment struct {
	Acknowledged int // bytes
	InFlight     int // requests
	Allowed      int // requests in flight, by congestion control
	PacketLimit  int // bytes
	LineGap      time.Duration
	Lost         int // requests so far
}

// UploadWatched uploads an image and calls look at every [Moment].
func (g ImageGroup) UploadWatched(ctx context.Context, data []byte, o ImageUpload, look func(Moment)) error {
	params, err := g.c.Negotiate(ctx)
	if err != nil {
		return err
	}
	t := newTransfer(g.c, newImagePayload(g.c, data, o, params), transferOptions{
		size: len(data), limit: g.c.uploadLimit(o, params), params: params,
	})
	defer t.loss.stop()
	t.progress.since = time.Now()
	for !t.window.finished {
		if err := t.fill(); err != nil { // step does so, too, and finds nothing left to send
			return err
		}
		look(t.moment())
		if err := t.step(ctx); err != nil {
			return t.explain(err)
		}
	}
	look(t.moment())
	return t.payload.finish()
}

func (t *transfer) moment() Moment {
	limits := t.congestion.Limits()
	return Moment{
		Acknowledged: t.window.wanted, InFlight: t.loss.requests(), Allowed: limits.InFlight,
		PacketLimit: t.packetLimit(limits), LineGap: lineGaps[limits.Gap], Lost: t.progress.lost,
	}
}
