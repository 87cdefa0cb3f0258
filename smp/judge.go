package smp

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// take takes news of chunks.
func (t *transfer) take(ctx context.Context, n news) error {
	if n.silence {
		return t.silent()
	}
	t.late = 0
	if n.answered != nil {
		return t.answered(ctx, n)
	}
	for _, s := range n.lost {
		if t.payload.once(s.chunk) {
			t.doubt(s)
		} else if err := t.judge(ctx, t.window.lose(s.chunk), s); err != nil {
			return err
		}
	}
	return nil
}

// silent sends a late probe, or gives up.
func (t *transfer) silent() error {
	silence := time.Since(t.loss.quiet)
	switch {
	case silence < t.chunkTimeout():
	case t.late == lateProbes:
		return fmt.Errorf("%w within %v", ErrNoReply, silence.Round(time.Millisecond))
	default:
		t.late++
	}
	return t.loss.sendLateProbe()
}

// answered takes the answer to a chunk. What was sent before it has lost at least its answer.
func (t *transfer) answered(ctx context.Context, n news) error {
	s := n.answered
	at := position{t.window.wanted, t.window.draining || len(n.lost) > 0 || t.resent > 0}
	off, err := t.payload.answer(s.chunk, s.body, at)
	if err != nil {
		return t.refused(ctx, n, err)
	}
	if s.chunk.off > 0 && off < t.window.size { // the first chunk erases, the last one checks
		t.loss.measure(t.loss.quiet.Sub(s.at))
	}
	if s.chunk.off == 0 && off > t.highest { // more than this transfer can have brought there
		t.resumed = off
	}
	// A device that takes less than a whole chunk spoils what is behind it. The first one may be answered with where an
	// earlier upload stopped.
	if off > s.chunk.off && off < s.chunk.end && s.chunk.off > 0 {
		t.congestion.Single()
	}
	v, about := t.window.ack(s.chunk, off), s
	if v == verdictLost && len(n.lost) > 0 {
		about = n.lost[0]
	}
	err = t.judge(ctx, v, about)
	t.idle = append(t.idle, s)
	t.report()
	return err
}

// judge draws the conclusions from what the window made of news. s is the request that was acknowledged, or lost.
func (t *transfer) judge(ctx context.Context, v verdict, s *sent) error {
	now := time.Now()
	switch v {
	case verdictWhole:
		t.progress.moved(t.window.wanted, now)
		t.congestion.OnAck(s.how, s.chunk.end-s.chunk.off, now.Sub(t.began))
	case verdictElsewhere:
		t.progress.moved(t.window.wanted, now)
	case verdictDoubtful:
		t.doubted = s
	case verdictLost:
		if t.congestion.OnLoss(s.how, now.Sub(t.began)); t.fragile {
			t.congestion.Single()
		}
		pause, err := t.progress.loss(t.window.wanted, now)
		if err != nil || pause == 0 {
			return err
		}
		return sleep(ctx, pause)
	case verdictBack:
		if err := t.progress.setback(t.window.wanted); err != nil {
			return err
		}
		return t.payload.restart(ctx, t.window.wanted)
	}
	return nil
}

// refused takes a refusal: that of a busy device means to wait, that of one without memory to send less and later, any
// other is the end.
func (t *transfer) refused(ctx context.Context, n news, err error) error {
	defer func() {
		for _, s := range n.lost {
			t.window.postpone(s.chunk)
		}
	}()
	if errors.Is(err, errUnsure) {
		t.doubt(n.answered)
		return nil
	}
	var refused *DeviceError
	if !errors.As(err, &refused) || !refused.Busy() && !refused.exhausted() {
		return err
	}
	pause, ok := t.progress.refusal(refused, time.Now())
	if !ok {
		return err
	}
	if refused.Busy() {
		t.window.postpone(n.answered.chunk)
	} else if err := t.judge(ctx, t.window.lose(n.answered.chunk), n.answered); err != nil {
		return err
	}
	return sleep(ctx, pause)
}

// doubt holds the transfer up until it is known what became of a chunk.
func (t *transfer) doubt(s *sent) {
	t.window.doubt(s.chunk)
	t.doubted = s
}

// recheck ends a doubt.
func (t *transfer) recheck(ctx context.Context) error {
	off, err := t.payload.recheck(ctx, position{wanted: t.window.wanted})
	if err != nil {
		return err
	}
	err = t.judge(ctx, t.window.resolve(off), t.doubted)
	t.report()
	return err
}

// chunkTimeout is how long the answer to the oldest chunk in flight may take.
func (t *transfer) chunkTimeout() time.Duration {
	timeout := t.timeout()
	switch c := t.loss.oldest().chunk; {
	case c.off == 0:
		return max(timeout, firstChunkTimeout)
	case c.end == t.window.size:
		return max(timeout, lastChunkTimeout)
	}
	return timeout
}

// timeout is how long the answer to a chunk may take that makes the device do no more than write.
func (t *transfer) timeout() time.Duration {
	return t.c.options.Timeout * time.Duration(t.c.options.Tries)
}

func (t *transfer) report() {
	if t.onProgress != nil {
		t.onProgress(Progress{t.window.wanted, t.window.size, t.loss.requests(), t.resent})
	}
}
