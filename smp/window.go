package smp

import (
	"fmt"
	"slices"
)

// chunk is a piece of a transfer on its way, data[off:end]. It is known by its id, never by its offsets: late news of a
// lost chunk must not end its second copy.
type chunk struct{ id, off, end int }

// window decides what a transfer sends next, and what an answer acknowledges. It knows offsets only: neither packets,
// nor time, nor how many chunks may be in flight.
//
// The device's rule (Zephyr zephyr_img_mgmt.c: img_mgmt_upload_inspect) is that data at any offset but the wanted one
// is dropped, and the answer is success with the wanted offset. So acknowledgement is cumulative, as in TCP, and
// recovery is go-back-N: on any disagreement nothing is sent until nothing is in flight, and then everything from where
// the device wants.
type window struct {
	size   int // bytes of the whole transfer
	wanted int // offset that the device asked for last
	next   int // offset of the next chunk

	flight   []chunk // in the order in which they were sent
	ids      int
	draining bool // a disagreement: next no longer counts
	doubtful bool // what became of a chunk is not known, and must be before anything is sent
	finished bool
}

// verdict is what news of a chunk means.
type verdict int

const (
	verdictStale     verdict = iota // the chunk was not in flight any more
	verdictWhole                    // the device took all of it
	verdictElsewhere                // the device goes on further ahead, and not at the chunk's end
	verdictLost                     // a loss; what was sent behind it is lost with it and no further loss
	verdictBack                     // the device goes back to an earlier offset
	verdictDrained                  // it was sent behind a loss or another disagreement, and says nothing new
	verdictDoubtful                 // see window.doubtful
)

// take returns the next chunk to send, or false when it is time to wait: most may be in flight. fit says where a chunk
// that begins at off must end. The first and the last chunk travel alone: the first may be answered with another
// offset, the last ends the upload on the device.
func (w *window) take(most int, fit func(off int) (end int)) (chunk, bool) {
	if w.finished || w.doubtful || len(w.flight) >= most {
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
	c := chunk{w.ids, w.next, end}
	w.flight = append(w.flight, c)
	w.next = end
	return c, true
}

// ack takes the answer to chunk c: the device now wants off, from 0 to size. Answers come in the order of requests, so
// chunks sent before c are in flight no more.
func (w *window) ack(c chunk, off int) verdict {
	i := slices.Index(w.flight, c)
	if i < 0 {
		return verdictStale
	}
	w.flight = slices.Delete(w.flight, 0, i+1)
	switch {
	case off == w.size:
		w.wanted, w.finished = off, true
		return verdictWhole
	case off == 0 && c.end == w.size && c.off > 0:
		// The device forgets an upload once it is complete: starting again would erase a good one.
		w.doubtful = true
		return verdictDoubtful
	case off == c.end && !w.draining: // of older chunks only the answers were lost
		w.wanted = off
		return verdictWhole
	}
	return w.disagree(off)
}

// disagree takes an offset that is not the one to go on at by itself.
func (w *window) disagree(off int) verdict {
	before, known := w.wanted, w.draining
	w.wanted, w.draining = off, true
	switch {
	case off < before:
		return verdictBack
	case off > before:
		return verdictElsewhere
	case known:
		return verdictDrained
	}
	return verdictLost
}

// lose takes the news that chunk c is lost.
func (w *window) lose(c chunk) verdict {
	if !w.withdraw(c) {
		return verdictStale
	}
	return w.disagree(w.wanted)
}

// postpone puts chunk c back without a loss: the device was busy.
func (w *window) postpone(c chunk) {
	if w.withdraw(c) {
		w.draining = true
	}
}

// doubt takes the news that what became of chunk c is not known, and that it must not be sent again before it is.
func (w *window) doubt(c chunk) {
	if w.withdraw(c) {
		w.doubtful = true
	}
}

// resolve ends a doubt: the device has everything before off, and nothing behind it.
func (w *window) resolve(off int) verdict {
	w.doubtful = false
	if off == w.size {
		w.wanted, w.finished = off, true
		return verdictWhole
	}
	w.draining = false // a doubt about a chunk that is still missing is a loss
	return w.disagree(off)
}

// withdraw takes chunk c out of the flight, and reports whether it was there.
func (w *window) withdraw(c chunk) bool {
	i := slices.Index(w.flight, c)
	if i >= 0 {
		w.flight = slices.Delete(w.flight, i, i+1)
	}
	return i >= 0
}
