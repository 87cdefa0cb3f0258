package smp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// A lost image list cost ten seconds, although the device answered everything else.
func TestLostRequestIsRepeatedAfterProbe(t *testing.T) {
	for _, tc := range []struct {
		name                string
		request, answerLost bool
	}{
		{name: "request", request: true},
		{name: "answer", answerLost: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				lost := 0
				c := s.connect(t, smp.Options{})
				if _, err := c.Negotiate(t.Context()); err != nil {
					t.Fatal(err)
				}
				s.loseOther = func() (bool, bool) {
					lost++
					return tc.request && lost == 1, tc.answerLost && lost == 1
				}
				start := time.Now()
				if _, err := c.Image.List(t.Context()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took > 1100*time.Millisecond {
					t.Errorf("the list took %v after one loss", took)
				}
			})
		})
	}
}

// A lost probe does not cost the whole time where the device has room for another.
func TestLostProbeIsRepeated(t *testing.T) {
	for _, tt := range []struct {
		buffers int
		within  time.Duration
	}{
		{4, 10*time.Second + 10*time.Millisecond}, // three tries and a sign fill them
		{6, 2*time.Second + 10*time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%d buffers", tt.buffers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.bufCount = tt.buffers
				c := s.connect(t, smp.Options{})
				if _, err := c.Negotiate(t.Context()); err != nil {
					t.Fatal(err)
				}
				n := 0
				s.loseOther = func() (bool, bool) { n++; return n <= 2, false }
				within(t, tt.within, func() {
					if _, err := c.Image.List(t.Context()); err != nil {
						t.Error(err)
					}
				})
			})
		})
	}
}

// TestBadLuckInARow: a request that the line loses eight times in a row is answered in the end, for the device shows
// all the time that it lives. It used to end after six.
func TestBadLuckInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c, _ := connect(t, func(l *link, p []byte) {
			if commandOf(p) == params {
				l.reply(response(p, encode(reply{"buf_size": 1024, "buf_count": 4})))
				return
			}
			if asked++; asked > 8 {
				l.reply(response(p, encode(reply{"images": []reply{}})))
			}
		}, smp.Options{})
		within(t, 10*time.Second, func() {
			if _, err := c.Image.List(t.Context()); err != nil {
				t.Errorf("after %d requests: %v", asked, err)
			}
		})
	})
}

// TestQuestionsNeverOverrun: whatever is lost, a device that is busy all the time never holds more requests than it has
// buffers.
func TestQuestionsNeverOverrun(t *testing.T) {
	for _, tries := range []int{2, 3} {
		for buffers := 4; buffers <= 6; buffers++ {
			t.Run(fmt.Sprintf("%d tries, %d buffers", tries, buffers), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					s.bufCount = buffers
					c := s.connect(t, smp.Options{Tries: tries})
					if _, err := c.Negotiate(t.Context()); err != nil {
						t.Fatal(err)
					}
					s.otherCost = time.Minute
					_, _ = c.Image.List(t.Context())
					time.Sleep(time.Hour)
				})
			})
		}
	}
}

// A device that never answers one command is not asked for ever, and the
// error says that it lives.
func TestIgnoredCommandEndsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := connect(t, func(l *link, p []byte) {
			if commandOf(p) == params {
				time.AfterFunc(time.Millisecond,
					func() { l.reply(response(p, encode(reply{"buf_size": 1024, "buf_count": 4}))) })
			}
		}, smp.Options{})
		start := time.Now()
		_, err := c.OS.Echo(t.Context(), "anyone?")
		if !errors.Is(err, smp.ErrNoReply) || !strings.Contains(err.Error(), "answers other requests") {
			t.Errorf("Echo: %v", err)
		}
		if took, n := time.Since(start), len(l.requests()); took > 3100*time.Millisecond || n > 26 {
			t.Errorf("took %v and %d requests", took, n)
		}
	})
}

// What may do harm is never repeated, whatever the device shows.
func TestProbeRepeatsNoReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := connect(t, func(l *link, p []byte) {
			if commandOf(p) == params {
				l.reply(response(p, encode(reply{"buf_size": 1024, "buf_count": 4})))
			}
		}, smp.Options{})
		if _, err := c.Raw(t.Context(), smp.Write, smp.GroupOS, 5, []byte{0xa0}); !errors.Is(err, smp.ErrNoReply) {
			t.Errorf("Raw: %v", err)
		}
		resets := 0
		for _, p := range l.requests() {
			if commandOf(p) != params {
				resets++
			}
		}
		if resets != 1 {
			t.Errorf("%d requests, want 1", resets)
		}
	})
}

// Zephyr 4.4.0 crashes when its packet buffers run out, so many callers take turns.
func TestCallersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held, most := 0, 0
		var mu sync.Mutex
		c, _ := settled(t, func(l *link, p []byte) {
			mu.Lock()
			held++
			most = max(most, held)
			mu.Unlock()
			time.AfterFunc(10*time.Millisecond, func() {
				mu.Lock()
				held--
				mu.Unlock()
				l.reply(echoed(p))
			})
		}, smp.Options{})
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if _, err := c.OS.Echo(t.Context(), "turn"); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if most != 3 {
			t.Errorf("the device held %d requests at once, want 3 with four buffers", most)
		}
	})
}

func TestWaitForRoomEnds(t *testing.T) {
	for _, how := range []string{"context", "close"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := settled(t, nil, smp.Options{Timeout: time.Hour})
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if how == "close" {
					time.AfterFunc(time.Minute, func() { c.Close() })
					ctx = t.Context()
				}
				var group sync.WaitGroup
				for range 9 {
					group.Go(func() {
						_, err := c.OS.Echo(ctx, "waits")
						if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, smp.ErrClosed) {
							t.Errorf("Echo: %v", err)
						}
					})
				}
				took(t, time.Minute, group.Wait)
			})
		})
	}
}

// TestTriesBesideAnErase: a list that is asked for while an upload has the device erase for longer than the tries of
// the list last. Each of them took a buffer, and the device ran out of them.
func TestTriesBesideAnErase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t) // fails the test if it has to hold more than it can
		s.erase, s.bufCount = 25*time.Second, 3
		c := s.connect(t, smp.Options{})
		var upload sync.WaitGroup
		upload.Go(func() {
			if _, err := c.Image.Upload(t.Context(), file(1000), smp.ImageUpload{Hash: s.hash}); err != nil {
				t.Errorf("Upload: %v", err)
			}
		})
		time.Sleep(100 * time.Millisecond)
		if _, err := c.Image.List(t.Context()); err != nil {
			t.Errorf("List: %v", err)
		}
		upload.Wait()
	})
}

// TestLostTryBesideAnUpload: a list that gets lost while an upload takes all the room that is left is asked for again
// when a chunk makes room.
func TestLostTryBesideAnUpload(t *testing.T) {
	for cost := 20 * time.Millisecond; cost < 100*time.Millisecond; cost += 7 * time.Millisecond {
		for _, lost := range []int{1, 2} {
			t.Run(fmt.Sprintf("%v, %d lost", cost, lost), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testLostTryBesideAnUpload(t, cost, lost) })
			})
		}
	}
}

func testLostTryBesideAnUpload(t *testing.T, cost time.Duration, lost int) {
	s := newServer(t)
	s.cost = cost
	lists := 0
	c, l := connect(t, func(l *link, p []byte) {
		if commandOf(p) == list {
			if lists++; lists <= lost {
				return
			}
		}
		s.receive(l, p)
	}, smp.Options{})
	s.l, l.overhead = l, 4
	var upload sync.WaitGroup
	upload.Go(func() {
		if _, err := c.Image.Upload(t.Context(), file(800_000), smp.ImageUpload{}); err != nil {
			t.Errorf("Upload: %v", err)
		}
	})
	time.Sleep(time.Second)
	within(t, time.Duration(lost)*1300*time.Millisecond, func() {
		if _, err := c.Image.List(t.Context()); err != nil {
			t.Errorf("List: %v", err)
		}
	})
	upload.Wait()
}
