package smp_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// versionKinds are servers by what they make of a request's version: the answer, nil for silence.
var versionKinds = []struct {
	name    string
	answer  func(request []byte, v smp.Version) []byte
	version smp.Version // that is to be settled on
	thought bool        // after an answer in version 1 it has a moment for one in version 2
}{
	{"version 2", func(p []byte, _ smp.Version) []byte { return response(p, goodParams) }, smp.V2, false},
	{"refuses version 2", func(p []byte, v smp.Version) []byte {
		if v == smp.V2 {
			return response(p, rc(13))
		}
		return response(p, goodParams)
	}, smp.V1, false},
	{"from before version 2", func(p []byte, _ smp.Version) []byte {
		p = response(p, goodParams)
		p[0] &= 7
		return p
	}, smp.V1, false},
	{"MCUboot 1.10", func(p []byte, v smp.Version) []byte {
		if v == smp.V2 {
			return nil
		}
		return response(p, rc(8))
	}, smp.V1, true},
}

// hindered is a device that is kept from answering until a moment, and what it was asked.
type hindered struct {
	answer func(request []byte, v smp.Version) []byte
	until  time.Time
	busy   bool // it answers all at that moment; else what comes before is lost

	mu    sync.Mutex  // guards what follows
	held  [][]byte    // answers, until then
	open  []time.Time // when requests came that have no answer yet
	three int         // most of them that were at most 8 s old
	four  int         // and 12 s
}

func (h *hindered) receive(l *link, p []byte) {
	header, _, _ := smp.ParseHeader(p)
	answer, wait := h.answer(p, header.Version), time.Until(h.until)
	if answer != nil && wait <= 0 {
		l.reply(answer)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = append(h.open, time.Now())
	h.three, h.four = max(h.three, h.waiting(8*time.Second)), max(h.four, h.waiting(12*time.Second))
	if answer != nil && h.busy {
		if h.held = append(h.held, answer); len(h.held) == 1 {
			time.AfterFunc(wait, func() { h.answerAll(l) })
		}
	}
}

// answerAll is for when it is busy no more.
func (h *hindered) answerAll(l *link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = nil
	for _, answer := range h.held {
		l.reply(answer)
	}
}

// waiting is how many requests younger than that have no answer.
func (h *hindered) waiting(younger time.Duration) (n int) {
	for _, at := range h.open {
		if time.Since(at) < younger {
			n++
		}
	}
	return n
}

// TestNegotiateHindered has another program take the answers for a while, or the device be busy: the negotiation lives
// on as long as there is time, comes to its end soon after the hindrance, and never sends more than a Zephyr with its
// default of packet buffers can queue.
func TestNegotiateHindered(t *testing.T) {
	limits := map[string]smp.Options{"default": {}, "long": {Timeout: 10 * time.Second}}
	for _, kind := range versionKinds {
		for name, o := range limits {
			for _, busy := range []bool{false, true} {
				for _, until := range []time.Duration{0, 500, 1500, 2500, 3100, 5000, 7500, 9100, 12_000, 25_000} {
					until *= time.Millisecond
					t.Run(fmt.Sprintf("%s, limit %s, busy %v, for %v", kind.name, name, busy, until), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							h := &hindered{answer: kind.answer, until: time.Now().Add(until), busy: busy}
							thought := time.Duration(0)
							if kind.thought {
								thought = 300 * time.Millisecond
							}
							testHindered(t, h, o, kind.version, thought)
						})
					})
				}
			}
		}
	}
}

func testHindered(t *testing.T, h *hindered, o smp.Options, version smp.Version, thought time.Duration) {
	c, l := connect(t, h.receive, o)
	start, hindered := time.Now(), time.Until(h.until)
	limit := 9 * time.Second
	if o.Timeout > 0 {
		limit = 3 * o.Timeout
	}
	_, err := c.Negotiate(t.Context())
	took := time.Since(start)
	switch {
	case err != nil:
		if hindered < limit-time.Second {
			t.Errorf("%v, and had %v more", err, limit-hindered)
		}
	case c.Version() != version:
		t.Errorf("version %v, want %v", c.Version(), version)
	case h.busy && took > max(hindered, time.Second)+thought, took > hindered+4*time.Second+thought:
		t.Errorf("took %v, with the device hindered for %v", took, hindered)
	case hindered == 0 && !h.busy && thought == 0 && took > 0:
		t.Errorf("took %v with nothing in the way", took)
	}
	asked := len(l.requests())
	time.Sleep(time.Minute)
	if more := len(l.requests()) - asked; more > 0 {
		t.Errorf("%d more requests after the negotiation", more)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.three > 3 || h.four > 4 {
		t.Errorf("up to %d requests without an answer in 8 s, %d in 12 s", h.three, h.four)
	}
}
