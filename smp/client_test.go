package smp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
)

// echoed is the answer to an echo request.
func echoed(request []byte) []byte {
	var q struct {
		Text string `cbor:"d"`
	}
	if err := cbor.Unmarshal(request[smp.HeaderLen:], &q); err != nil {
		panic(err)
	}
	return response(request, encode(reply{"r": q.Text}))
}

func TestManyCallsAnsweredInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100
		var waiting [][]byte
		c, l := settledWith(t, n+1, func(l *link, p []byte) {
			if waiting = append(waiting, p); len(waiting) == n {
				for i := range waiting {
					l.reply(echoed(waiting[n-1-i]))
				}
			}
		}, smp.Options{})
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				text := fmt.Sprint("call ", i)
				if got, err := c.OS.Echo(t.Context(), text); got != text || err != nil {
					t.Errorf("Echo(%q) = %q, %v", text, got, err)
				}
			})
		}
		group.Wait()
		if c.Unmatched() != 0 || len(l.requests()) != n {
			t.Errorf("%d unmatched, %d requests, want 0 and %d", c.Unmatched(), len(l.requests()), n)
		}
	})
}

func TestLateAnswerToEarlierTryCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := settled(t, func(l *link, p []byte) {
			time.AfterFunc(2500*time.Millisecond, func() { l.reply(echoed(p)) })
		}, smp.Options{Timeout: time.Second})
		took(t, 2500*time.Millisecond, func() {
			if got, err := c.OS.Echo(t.Context(), "late"); got != "late" || err != nil {
				t.Errorf("Echo = %q, %v", got, err)
			}
		})
		if n := len(l.requests()); n != 3 {
			t.Errorf("%d requests sent, want 3", n)
		}
		time.Sleep(5 * time.Second)
		if c.Unmatched() != 2 {
			t.Errorf("%d unmatched, want the answers to the second and third try", c.Unmatched())
		}
	})
}

func TestRetriesHaveTheirOwnSequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := settled(t, nil, smp.Options{Timeout: 2 * time.Second, Tries: 4})
		took(t, 8*time.Second, func() {
			_, err := c.OS.Echo(t.Context(), "hello")
			if !errors.Is(err, smp.ErrNoReply) || err.Error() != "echo: no reply within 2s (4 tries)" {
				t.Errorf("Echo: %v", err)
			}
		})
		seen := map[byte]bool{}
		for _, p := range l.requests() {
			seen[p[6]] = true
			p[6] = 0
			if want := unhex(t, "0a00000900000000a1616465"+"68656c6c6f"); !bytes.Equal(p, want) {
				t.Errorf("sent %x, want %x", p, want)
			}
		}
		if len(seen) != 4 {
			t.Errorf("%d sequence numbers for 4 tries", len(seen))
		}
	})
}

func TestUnmatchedPacketsAreDropped(t *testing.T) {
	change := func(index int, value byte) func([]byte) []byte {
		return func(good []byte) []byte { good[index] = value; return good }
	}
	tests := []struct {
		name      string
		unmatched func(good []byte) []byte
	}{
		{"our own request, echoed by a terminal", func(good []byte) []byte { good[0]--; return good }},
		{"answer to a read", change(0, 0x09)},
		{"undefined operation", change(0, 0x0c)},
		{"other group", change(5, 9)},
		{"group beyond a byte", change(4, 1)},
		{"other command", change(7, 6)},
		{"other sequence", func(good []byte) []byte { good[6] += 7; return good }},
		{"length beyond the packet", change(2, 0xff)},
		{"seven bytes", func(good []byte) []byte { return good[:7] }},
		{"nothing", func([]byte) []byte { return nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := settled(t, func(l *link, p []byte) {
					l.reply(tt.unmatched(response(p, encode(reply{"r": "unmatched"}))))
					l.reply(echoed(p))
				}, smp.Options{})
				if got, err := c.OS.Echo(t.Context(), "x"); got != "x" || err != nil {
					t.Errorf("Echo = %q, %v", got, err)
				}
				if c.Unmatched() != 1 {
					t.Errorf("%d unmatched, want 1", c.Unmatched())
				}
			})
		})
	}
}

func TestSecondAnswerIsUnmatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := settled(t, func(l *link, p []byte) { l.reply(echoed(p)); l.reply(echoed(p)) }, smp.Options{})
		for range 3 {
			if got, err := c.OS.Echo(t.Context(), "x"); got != "x" || err != nil {
				t.Errorf("Echo = %q, %v", got, err)
			}
		}
		synctest.Wait()
		if c.Unmatched() != 3 {
			t.Errorf("%d unmatched, want 3", c.Unmatched())
		}
	})
}

func TestVersionAndFlagsOfAnAnswerDoNotMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := settled(t, func(l *link, p []byte) {
			a := echoed(p)
			a[0], a[1] = 0xe3, 1 // version 1, reserved bits, the flag that old Mynewt servers set
			l.reply(append(a, "surplus"...))
		}, smp.Options{})
		if got, err := c.OS.Echo(t.Context(), "x"); got != "x" || err != nil {
			t.Errorf("Echo = %q, %v", got, err)
		}
	})
}

func TestSilenceLastsAsLongAsTheCommandMayTake(t *testing.T) {
	type call = func(context.Context, *smp.Client) error
	info := func(ctx context.Context, c *smp.Client) error { return second(c.OS.Info(ctx, "")) }
	images := func(ctx context.Context, c *smp.Client) error { return second(c.Image.List(ctx)) }
	mark := func(ctx context.Context, c *smp.Client) error { return second(c.Image.Test(ctx, make(smp.Hash, 32))) }
	erase := func(ctx context.Context, c *smp.Client) error { return c.Image.Erase(ctx, smp.SlotDefault) }
	restart := func(ctx context.Context, c *smp.Client) error { return c.OS.Reset(ctx, smp.ResetOptions{}) }
	raw := func(ctx context.Context, c *smp.Client) error {
		return second(c.Raw(ctx, smp.Write, 64, 0, []byte{0xa0}))
	}
	tests := []struct {
		name     string
		options  smp.Options
		call     call
		want     time.Duration
		requests int
	}{
		{"ordinary", smp.Options{}, info, 9 * time.Second, 3},
		{"two tries of a second", smp.Options{Timeout: time.Second, Tries: 2}, info, 2 * time.Second, 2},
		{"image list", smp.Options{}, images, 30 * time.Second, 3},
		{"image list, hurried user", smp.Options{Timeout: time.Second}, images, 3 * time.Second, 3},
		{"image state", smp.Options{}, mark, 15 * time.Second, 3},
		{"erase, hurried user", smp.Options{Timeout: time.Second}, erase, 2 * time.Minute, 2},
		{"erase", smp.Options{}, erase, 2 * time.Minute, 2},
		{"patient user", smp.Options{Timeout: 90 * time.Second, Tries: 1}, erase, 90 * time.Second, 1},
		{"reset, never again", smp.Options{}, restart, 3 * time.Second, 1},
		{"raw, never again", smp.Options{}, raw, 3 * time.Second, 1},
		// 9 bytes there, framed, and as many back
		{"slow wire", smp.Options{Tries: 1, Rate: 9}, info, 6 * time.Second, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, l := settled(t, nil, tt.options)
				took(t, tt.want, func() {
					if err := tt.call(t.Context(), c); !errors.Is(err, smp.ErrNoReply) {
						t.Errorf("error %v, want %v", err, smp.ErrNoReply)
					}
				})
				if n := len(l.requests()); n != tt.requests {
					t.Errorf("%d requests, want %d", n, tt.requests)
				}
			})
		})
	}
}

func TestMoreCallersThanSequenceNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := settledWith(t, 255, nil, smp.Options{Timeout: time.Second, Tries: 1})
		var group sync.WaitGroup
		for range 300 {
			group.Go(func() {
				if _, err := c.OS.Echo(t.Context(), "x"); !errors.Is(err, smp.ErrNoReply) {
					t.Errorf("Echo: %v, want silence", err)
				}
			})
		}
		synctest.Wait()
		if n := len(l.requests()); n != 254 {
			t.Errorf("%d requests at once, want 254 with 255 buffers", n)
		}
		took(t, 2*time.Second, group.Wait)
		if n := len(l.requests()); n != 300 {
			t.Errorf("%d requests, want 300", n)
		}
		took(t, time.Second, func() { c.OS.Echo(t.Context(), "room again") })
	})
}

func TestRaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		payload := []byte{1, 2, 3, 0xff}
		c, l := settled(t, func(l *link, p []byte) { l.reply(response(p, p[smp.HeaderLen:])) }, smp.Options{})
		first, err := c.Raw(t.Context(), smp.Read, 300, 17, payload)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Raw(t.Context(), smp.Write, 300, 17, nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, payload) {
			t.Errorf("payload %x, want %x, which must outlive the next packet", first, payload)
		}
		var got []smp.Header
		for _, p := range l.requests() {
			h, _, _ := smp.ParseHeader(p)
			h.Sequence = 0
			got = append(got, h)
		}
		want := []smp.Header{
			{Version: smp.V2, Op: smp.Read, Length: 4, Group: 300, Command: 17},
			{Version: smp.V2, Op: smp.Write, Group: 300, Command: 17},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
	})
}

func TestRequestsThatAreNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := settled(t, func(l *link, p []byte) { l.reply(echoed(p)) }, smp.Options{})
		most := strings.Repeat("x", 1024-smp.HeaderLen-1-2-3)
		if got, err := c.OS.Echo(t.Context(), most); got != most || err != nil {
			t.Errorf("largest echo: %.20q, %v", got, err)
		}
		for name, err := range map[string]error{
			"echo":      second(c.OS.Echo(t.Context(), most+"x")),
			"raw":       second(c.Raw(t.Context(), smp.Read, 0, 0, make([]byte, 1017))),
			"response":  second(c.Raw(t.Context(), smp.ReadResponse, 0, 0, nil)),
			"undefined": second(c.Raw(t.Context(), 6, 0, 0, nil)),
			"slot -2":   c.Image.Erase(t.Context(), -2),
		} {
			if err == nil || errors.Is(err, smp.ErrTooLarge) != (name == "echo" || name == "raw") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := len(l.requests()); n != 1 {
			t.Errorf("%d requests sent, want 1", n)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// TestNoBufferForTheAnswer: a device that has no buffer for its answer is asked again a moment later, and not for ever.
func TestNoBufferForTheAnswer(t *testing.T) {
	for _, refusals := range []int{1, 3, 4} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			c, l := settled(t, func(l *link, p []byte) {
				if n++; n <= refusals {
					l.reply(response(p, encode(reply{"rc": 2})))
					return
				}
				l.reply(echoed(p))
			}, smp.Options{})
			_, err := c.OS.Echo(t.Context(), "hello")
			if failed := err != nil; failed != (refusals > 3) || len(l.requests()) != min(refusals+1, 4) {
				t.Errorf("%d refusals: %v after %d requests", refusals, err, len(l.requests()))
			}
		})
	}
}
