package smp

import (
	"context"
	"slices"
	"time"
)

// How long the device may take for a chunk that makes it work, before it counts as silent.
const (
	firstPatience = 60 * time.Second // erases the slot
	lastPatience  = 30 * time.Second // checks the image
)

// A chunk is never simply sent again: a device that is only slow would queue every copy, and Zephyr 4.4.0 crashes when its packet
// buffers run out. Instead a second request asks for a sign of life. Answers come in the order of requests, so an answer to
// it proves that the chunk was lost, and that nothing is queued.
const (
	maxSigns   = 2                      // requests for a sign of life that may be open
	lateSigns  = 3                      // more of them once patience ends: after such a silence nothing waits in the device
	secondSign = 500 * time.Millisecond // of silence at least before the second one
)

// sign is a request for a sign of life. An answer to it says what became of the chunks sent before it.
type sign struct {
	call
	after int  // id of the last chunk sent before
	late  bool // sent when patience had ended
}

// patience is how long the answer to c may take.
func (u *upload) patience(c chunk) time.Duration {
	t := u.c.options.Timeout * time.Duration(u.c.options.Tries)
	switch {
	case c.off == 0:
		return max(t, firstPatience)
	case c.end == u.size:
		return max(t, lastPatience)
	}
	return t
}

// wait takes one piece of news: an answer, a timer, or the end of the context.
func (u *upload) wait(ctx context.Context) error {
	if len(u.flights) == 0 {
		return nil
	}
	ask, deadline := u.timers()
	u.timer.Reset(time.Until(earlier(ask, deadline)))
	cl, err := await(ctx, u.done, u.timer.C)
	switch {
	case err != nil:
		return err
	case cl == nil && time.Now().Before(deadline):
		return u.askForSign()
	case cl == nil:
		return silence(timing{timeout: time.Since(u.since()), tries: 1})
	case cl.err != nil:
		return cl.err
	}
	u.heard = time.Now()
	if i := slices.IndexFunc(u.signs, func(s *sign) bool { return &s.call == cl }); i >= 0 {
		u.alive(i)
		return nil
	}
	return u.answered(ctx, cl)
}

// since is the beginning of the silence of the oldest chunk: a device that works through a full window is not silent.
func (u *upload) since() time.Time {
	if sent := u.flights[0].sent; sent.After(u.heard) {
		return sent
	}
	return u.heard
}

// timers says when to ask for the next sign of life, and when the device counts as silent for good.
func (u *upload) timers() (ask, deadline time.Time) {
	f := u.flights[0]
	patience := u.patience(f.chunk)
	since := u.since().Add(u.c.wire(len(f.packet)))
	late := 0
	for _, s := range u.signs {
		if s.late {
			late++
		}
	}
	ask, deadline = since.Add(patience+time.Duration(late)*u.c.options.Timeout), since.Add(patience+lateSigns*u.c.options.Timeout)
	if late > 0 || len(u.signs) == maxSigns || len(u.flights)+len(u.signs) >= u.queue {
		return ask, deadline
	}
	silent := min(u.rtt.silence(), patience/4)
	if len(u.signs) > 0 || u.buffers > 1 && len(u.flights)+1 >= u.buffers { // the sign would take the last buffer, which the answer needs
		silent = min(max(4*silent, secondSign), patience/2)
	}
	return since.Add(silent), deadline
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (u *upload) askForSign() error {
	s := &sign{call: call{packet: u.c.signRequest(), done: u.done}, after: u.flights[len(u.flights)-1].chunk.id}
	s.late = time.Since(u.since()) >= u.patience(u.flights[0].chunk)
	u.signs = append(u.signs, s)
	return u.c.start(&s.call, noLimit)
}

// alive takes the ith sign of life: every chunk sent before it was lost.
func (u *upload) alive(i int) {
	for after := u.signs[i].after; len(u.flights) > 0 && u.flights[0].chunk.id <= after; {
		u.lose(u.flights[0])
	}
	u.dropSigns(i + 1)
}

// dropSigns gives up the n oldest signs: something sent later was answered, so they never will be. The others may still wait in
// the device, and count.
func (u *upload) dropSigns(n int) {
	for _, s := range u.signs[:n] {
		u.c.withdraw(&s.call)
	}
	u.signs = slices.Delete(u.signs, 0, n)
}
