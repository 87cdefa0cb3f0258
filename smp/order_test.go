package smp_test

import (
	"bytes"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// An answer may overtake the return of WritePacket. The packet must stay as it is until then.
func TestUploadAnsweredBeforeTheWriteReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.l = newLink(s.receive)
		c := smp.NewClient(&lateWrites{s.l, t}, smp.Options{Window: 3})
		defer time.Sleep(time.Second) // the last write returns
		defer c.Close()
		data := file(5000)
		if _, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash}); err != nil {
			t.Error(err)
		}
		s.check(t, data)
	})
}

// lateWrites is a link whose writes return long after the device has got the packet.
type lateWrites struct {
	*link
	t *testing.T
}

func (l *lateWrites) WritePacket(p []byte) error {
	before := bytes.Clone(p)
	err := l.link.WritePacket(p)
	time.Sleep(20 * time.Millisecond)
	if !bytes.Equal(before, p) {
		l.t.Errorf("packet changed while it was written: %x, was %x", p, before)
	}
	return err
}

// The youngest answer of a full window comes first, over and over: it counts, the others do not, and nothing blocks.
func TestUploadAnsweredBackwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var waiting [][]byte
		reversed := 0
		answer := func(l *link) {
			mu.Lock()
			defer mu.Unlock()
			if len(waiting) > 60 {
				slices.Reverse(waiting)
				reversed++
			}
			for _, p := range waiting {
				u := bodyOf(p)
				l.reply(response(p, offset(*u.Off+len(u.Data))))
			}
			waiting = nil
		}
		c, _ := connect(t, func(l *link, p []byte) {
			if commandOf(p) == params {
				l.reply(response(p, encode(reply{"buf_size": 384, "buf_count": 255})))
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if waiting = append(waiting, p); len(waiting) == 1 {
				time.AfterFunc(time.Millisecond, func() { answer(l) })
			}
		}, smp.Options{Window: 64})
		within(t, time.Second, func() {
			if _, err := c.Image.Upload(t.Context(), file(500_000), smp.ImageUpload{}); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if reversed < 3 {
			t.Errorf("%d full windows, want some", reversed)
		}
	})
}
