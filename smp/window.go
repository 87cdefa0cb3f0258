package smp

import (
	"fmt"
	"slices"
)

// chunk is a piece of an upload on its way, data[off:end]. It is known by its id, never by its offsets: the late timer of a lost chunk
// must not end its second copy.
type chunk struct {
	id, off, end int
	alone        bool // no other was in flight when it was sent
}

// window decides what an upload sends next. It knows neither packets nor time: the driver asks it for chunks and tells
// it what became of them.
//
// The device's rule (Zephyr zephyr_img_mgmt.c: img_mgmt_upload_inspect) is that data at any offset but the wanted one is dropped, and
// the answer is success with the wanted offset. So an answer acknowledges everything before it, and the device's word is final.
// On any disagreement the window sends nothing until the flight is empty, and then goes on where the device wants.
type window struct {
	size   int // bytes of the whole upload
	pace   *pace
	depth  int // chunks in flight allowed now; grows by one per good answer, up to what pace says
	wanted int // offset that the device asked for last
	next   int // offset of the next chunk

	flight   []chunk // in the order in which they were sent
	ids      int
	draining bool // a disagreement: next no longer counts
	losses   int  // in a row, without progress
	allowed  int  // of them; the driver may allow more, for it knows the time
	lost     int  // in all
	best     int  // furthest offset that the device ever wanted
	setbacks int  // steps backwards since then
	returns  int  // in all
	doubtful bool // the last chunk was answered as if no upload were in progress
	finished bool
	failed   error
}

// Limits that end an upload which gets nowhere.
const (
	maxLosses   = 30 // more than it takes to find the packet size of the smallest device
	maxSetbacks = 2
	maxReturns  = 20
)

func newWindow(size int, p *pace) *window {
	return &window{size: size, pace: p, depth: 1, allowed: maxLosses}
}

// take returns the next chunk to send, or false when it is time to wait. fit says where a chunk that begins at off must
// end. The first and the last chunk travel alone: the first may be answered with another offset, the last ends the upload
// on the device.
func (w *window) take(fit func(off int) (end int)) (chunk, bool) {
	if w.finished || w.failed != nil || w.doubtful || len(w.flight) >= w.depth {
		return chunk{}, false
	}
	if w.draining && len(w.flight) == 0 {
		w.draining, w.next = false, w.wanted
	}
	if w.draining || w.next >= w.size || len(w.flight) > 0 && w.flight[0].off == 0 {
		return chunk{}, false
	}
	end := min(fit(w.next), w.size)
	if end == w.size && len(w.flight) > 0 {
		return chunk{}, false
	}
	if end <= w.next {
		panic(fmt.Sprintf("smp: empty chunk at %d", w.next))
	}
	w.ids++
	c := chunk{w.ids, w.next, end, len(w.flight) == 0}
	w.flight = append(w.flight, c)
	w.next = end
	return c, true
}

// ack takes the answer to chunk c: the device now wants off. Answers come in the order of requests, so it returns the
// older chunks as lost; nobody need wait for their timers.
func (w *window) ack(c chunk, off int) (lost []chunk) {
	i := slices.Index(w.flight, c)
	if i < 0 {
		return nil
	}
	lost = slices.Clone(w.flight[:i])
	w.flight = slices.Delete(w.flight, 0, i+1)
	switch {
	case off < 0 || off > w.size:
		w.failed = fmt.Errorf("device wants offset %d of %d", off, w.size)
	case off == w.size:
		w.wanted, w.finished = off, true
	case off == 0 && c.end == w.size && c.off > 0:
		// The device forgets an upload once it is complete: starting again would erase a good one.
		w.doubtful = true
	case off == c.end && !w.draining: // of older chunks only the answers were lost
		w.progress(off)
		w.pace.good(c.alone)
		w.depth = min(w.depth+1, w.pace.depth.now)
	default:
		w.disagree(c, off, append(lost, c)[0].alone)
	}
	return lost
}

// disagree takes an answer with another offset than the chunk's end. If a chunk was lost, alone says how it was sent.
func (w *window) disagree(c chunk, off int, alone bool) {
	switch {
	case off < w.wanted:
		w.back(off)
	case off > w.wanted:
		w.progress(off)
	case !w.draining: // what follows a lost chunk is no further loss
		w.loss(alone)
	}
	if off > c.off && off < c.end && c.off > 0 { // the first chunk may be answered with where an earlier upload stopped
		w.pace.depth.pin(1) // a device that takes less than a whole chunk spoils everything behind it
		w.depth = 1
	}
	w.draining = true
}

// lose takes the news that chunk c was not answered in time.
func (w *window) lose(c chunk) {
	i := slices.Index(w.flight, c)
	if i < 0 {
		return
	}
	w.flight = slices.Delete(w.flight, i, i+1)
	if !w.draining {
		w.loss(c.alone)
	}
	w.draining = true
}

// pause puts chunk c back without counting a loss: the device was busy.
func (w *window) pause(c chunk) {
	if i := slices.Index(w.flight, c); i >= 0 {
		w.flight = slices.Delete(w.flight, i, i+1)
		w.draining = true
	}
}

// doubt takes the news that what became of chunk c is not known, and that it must not be sent again before it is.
func (w *window) doubt(c chunk) {
	if i := slices.Index(w.flight, c); i >= 0 {
		w.flight = slices.Delete(w.flight, i, i+1)
		w.doubtful = true
	}
}

// resolve ends a doubt: have says that the device lists the complete image.
func (w *window) resolve(have bool) {
	w.doubtful = false
	if have {
		w.wanted, w.finished = w.size, true
		return
	}
	w.back(0)
	w.draining = true
}

// resume ends a doubt: the device has everything before off, and nothing behind it.
func (w *window) resume(off int) {
	w.doubtful, w.draining = false, true
	switch {
	case off == w.size:
		w.wanted, w.finished = off, true
	case off > w.wanted:
		w.progress(off)
	case off < w.wanted:
		w.back(off)
	default:
		w.loss(true)
	}
}

func (w *window) progress(off int) {
	w.wanted, w.losses = off, 0
	if off > w.best {
		w.best, w.setbacks = off, 0
	}
}

func (w *window) back(off int) {
	w.wanted = off
	w.returns++
	if w.setbacks++; w.setbacks > maxSetbacks || w.returns > maxReturns {
		w.failed = fmt.Errorf("%w: the device went back %d times, now to offset %d", ErrStalled, w.returns, off)
	}
}

func (w *window) loss(alone bool) {
	w.depth = 1
	w.lost++
	w.pace.bad(alone)
	if w.losses++; w.losses > w.allowed {
		w.failed = fmt.Errorf("%w: offset %d lost %d times in a row", ErrStalled, w.wanted, w.losses)
	}
}
