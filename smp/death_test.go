package smp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

var errUnplugged = errors.New("unplugged")

func TestLinkDeathEndsEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := settled(t, nil, smp.Options{})
		var calls []func() (string, error)
		for range 5 {
			calls = append(calls, async(func() (string, error) { return c.OS.Echo(t.Context(), "x") }))
		}
		up := async(func() (smp.UploadResult, error) {
			return c.Image.Upload(t.Context(), make([]byte, 5000), smp.ImageUpload{})
		})
		time.Sleep(time.Second / 2)
		if c.Err() != nil {
			t.Errorf("Err of a living link: %v", c.Err())
		}
		took(t, 0, func() {
			l.fail(errUnplugged)
			<-c.Done()
			for _, wait := range calls {
				_, err := wait()
				checkClosed(t, err, errUnplugged)
			}
			_, err := up()
			checkClosed(t, err, errUnplugged)
			_, err = c.OS.Echo(t.Context(), "x")
			checkClosed(t, err, errUnplugged)
		})
		if want := "connection closed: unplugged"; c.Err() == nil || c.Err().Error() != want {
			t.Errorf("Err = %v, want %s", c.Err(), want)
		}
		if l.closed() != 1 {
			t.Errorf("link closed %d times, want once", l.closed())
		}
	})
}

func checkClosed(t *testing.T, err, cause error) {
	t.Helper()
	if !errors.Is(err, smp.ErrClosed) || !errors.Is(err, cause) {
		t.Errorf("error %v, want %v and %v in it", err, smp.ErrClosed, cause)
	}
}

func TestWriteErrorEndsTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFailingWrites(errUnplugged)
		c := smp.NewClient(l, smp.Options{})
		took(t, 0, func() {
			_, err := c.OS.Echo(t.Context(), "x")
			checkClosed(t, err, errUnplugged)
		})
		synctest.Wait() // calls end first, the link after them
		if l.closed() != 1 {
			t.Errorf("link closed %d times, want once", l.closed())
		}
	})
}

// failingWrites is a link whose writes fail, from the time when err is set.
type failingWrites struct {
	*link
	err atomic.Value
}

func newFailingWrites(err error) *failingWrites {
	l := &failingWrites{link: newLink(answering(nil))}
	if err != nil {
		l.err.Store(err)
	}
	return l
}

func (l *failingWrites) WritePacket(p []byte) error {
	if err, ok := l.err.Load().(error); ok {
		return err
	}
	return l.link.WritePacket(p)
}

func TestWriteTimeoutEndsOnlyTheTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFailingWrites(fmt.Errorf("write packet: %w", os.ErrDeadlineExceeded))
		c := smp.NewClient(l, smp.Options{})
		defer c.Close()
		took(t, 9*time.Second, func() {
			if _, err := c.OS.Echo(t.Context(), "x"); !errors.Is(err, smp.ErrNoReply) {
				t.Errorf("error %v, want %v", err, smp.ErrNoReply)
			}
		})
		if c.Err() != nil {
			t.Errorf("the client ended: %v", c.Err())
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := settled(t, nil, smp.Options{})
		wait := async(func() (string, error) { return c.OS.Echo(t.Context(), "x") })
		synctest.Wait()
		for range 2 {
			if err := c.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if _, err := wait(); !errors.Is(err, smp.ErrClosed) || err.Error() != "echo: connection closed" {
			t.Errorf("open call: %v", err)
		}
		if c.Err() != smp.ErrClosed || l.closed() != 1 {
			t.Errorf("Err = %v, link closed %d times", c.Err(), l.closed())
		}
	})
}

// TestCloseTellsTheLinksError: what closing the link gives is returned, once, whoever closed it. It used to get lost,
// and with it the news that a trace is not whole.
func TestCloseTellsTheLinksError(t *testing.T) {
	full := errors.New("no space left on device")
	for _, unplugged := range []bool{false, true} {
		t.Run(fmt.Sprintf("unplugged %v", unplugged), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLink(nil)
				c := smp.NewClient(spoiltLink{l, full}, smp.Options{})
				if unplugged {
					l.fail(errors.New("unplugged"))
					<-c.Done()
					synctest.Wait()
				}
				if err := c.Close(); err != full {
					t.Errorf("Close = %v, want %v", err, full)
				}
				if err := c.Close(); err != nil {
					t.Errorf("the second Close = %v, want nothing more", err)
				}
				if n := l.closed(); n != 1 {
					t.Errorf("the link was closed %d times", n)
				}
			})
		})
	}
}

// spoiltLink is a link that closes with an error.
type spoiltLink struct {
	*link
	err error
}

func (l spoiltLink) Close() error {
	l.link.Close()
	return l.err
}

func TestStuckWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(nil)
		l.stuck = make(chan struct{})
		defer close(l.stuck) // the one goroutine that Close must leave behind
		c := smp.NewClient(l, smp.Options{Timeout: time.Second})
		took(t, 3*time.Second, func() {
			if _, err := c.OS.Echo(t.Context(), "x"); !errors.Is(err, smp.ErrNoReply) {
				t.Errorf("Echo: %v, want silence", err)
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		took(t, time.Second/2, func() {
			if _, err := c.OS.Echo(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Echo: %v, want the context's end", err)
			}
		})
		wait := async(func() (string, error) { return c.OS.Echo(t.Context(), "x") })
		synctest.Wait()
		took(t, 0, func() {
			c.Close()
			if _, err := wait(); !errors.Is(err, smp.ErrClosed) {
				t.Errorf("Echo: %v, want %v", err, smp.ErrClosed)
			}
		})
	})
}

// TestStuckPort has a port whose driver takes nothing: that holds up neither callers nor Close.
func TestStuckPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port := &stuckPort{released: make(chan struct{}), closed: make(chan struct{})}
		defer close(port.released) // the one goroutine that Close must leave behind
		c := smp.NewClient(transport.NewConn(port, transport.Options{}), smp.Options{Timeout: 10 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		took(t, time.Second/2, func() {
			if _, err := c.OS.Echo(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Echo: %v, want the context's end", err)
			}
		})
		took(t, 30*time.Second, func() {
			if _, err := c.OS.Echo(t.Context(), "x"); !errors.Is(err, smp.ErrNoReply) {
				t.Errorf("Echo: %v, want silence", err)
			}
		})
		took(t, 0, func() {
			if err := c.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	})
}

// stuckPort is a port whose Write does not end before the test does, not even when it is closed.
type stuckPort struct{ released, closed chan struct{} }

func (p *stuckPort) Read([]byte) (int, error)  { <-p.closed; return 0, io.ErrClosedPipe }
func (p *stuckPort) Write([]byte) (int, error) { <-p.released; return 0, io.ErrClosedPipe }
func (p *stuckPort) Close() error              { close(p.closed); return nil }

func TestStuckWriterTakesNoEndlessQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := settled(t, nil, smp.Options{Timeout: time.Second, Tries: 1})
		l.stuck = make(chan struct{})
		for i := range 257 { // one in the writer's hands, 256 queued
			took(t, time.Second, func() {
				if _, err := c.OS.Echo(t.Context(), "x"); err == nil || err.Error() != "echo: no reply within 1s" {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		var err error
		took(t, 0, func() { _, err = c.OS.Echo(t.Context(), "x") })
		if !errors.Is(err, smp.ErrNoReply) || err.Error() != "echo: no reply: the link takes no more data" {
			t.Errorf("call with a full queue: %v", err)
		}
		close(l.stuck)
		time.Sleep(time.Second)
		if n := len(l.requests()); n != 1 {
			t.Errorf("%d requests sent after their calls had ended, want only the one in the writer's hands", n)
		}
	})
}

func TestContextEndsACall(t *testing.T) {
	errStop := errors.New("operator pressed stop")
	tests := []struct {
		name    string
		context func(context.Context) (context.Context, func())
		text    string
		is      []error
	}{
		{"cancelled", func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}, "context canceled", []error{context.Canceled}},
		{"cancelled for a cause", func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(time.Second, func() { cancel(errStop) })
			return ctx, func() { cancel(nil) }
		}, "operator pressed stop", []error{context.Canceled, errStop}},
		{"deadline with a cause", func(ctx context.Context) (context.Context, func()) {
			return context.WithTimeoutCause(ctx, time.Second, errStop)
		}, "operator pressed stop", []error{context.DeadlineExceeded, errStop}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, l := settled(t, nil, smp.Options{})
				check := func(what string, err error) {
					for _, want := range tt.is {
						if !errors.Is(err, want) {
							t.Errorf("%s: %v, want %v in it", what, err, want)
						}
					}
					if err == nil || len(err.Error()) < len(tt.text) ||
						err.Error()[len(err.Error())-len(tt.text):] != tt.text {
						t.Errorf("%s: %v, want it to end with %q", what, err, tt.text)
					}
				}
				ctx, cancel := tt.context(t.Context())
				defer cancel()
				took(t, time.Second, func() { _, err := c.OS.Echo(ctx, "x"); check("call", err) })
				// A context that has ended already lets nothing be sent: an erase must not happen after all.
				took(t, 0, func() {
					check("erase afterwards", c.Image.Erase(ctx, 1))
					_, err := c.Image.Upload(ctx, make([]byte, 100), smp.ImageUpload{})
					check("upload afterwards", err)
					c.Restarted()
					_, err = c.Negotiate(ctx)
					check("negotiate afterwards", err)
				})
				if n := len(l.requests()); n != 1 {
					t.Errorf("%d requests sent, want 1", n)
				}
			})
		})
	}
}

func TestReset(t *testing.T) {
	tests := []struct {
		name string
		far  device // of the reset request
		want error  // nil: the device took it
	}{
		{"answered", func(l *link, p []byte) { l.reply(response(p, []byte{0xbf, 0xff})) }, nil},
		{"port goes away with the device", func(l *link, _ []byte) {
			time.AfterFunc(time.Second, func() { l.fail(io.EOF) })
		}, nil},
		{"port goes away before the write returns",
			func(l *link, _ []byte) { l.fail(io.EOF); time.Sleep(time.Second / 2) }, nil},
		{"write never returns", func(l *link, _ []byte) { l.fail(io.EOF); <-l.stuck }, smp.ErrClosed},
		{"silence", func(*link, []byte) {}, smp.ErrNoReply},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				c, l := settled(t, func(l *link, p []byte) { l.stuck = release; tt.far(l, p) }, smp.Options{})
				within(t, 3*time.Second, func() {
					if err := c.OS.Reset(t.Context(), smp.ResetOptions{}); !errors.Is(err, tt.want) {
						t.Errorf("Reset: %v, want %v", err, tt.want)
					}
				})
				if n := len(l.requests()); n != 1 {
					t.Errorf("%d requests, want 1", n)
				}
			})
		})
	}
}

// A reset that was not sent must not be reported as done, however the link ended.
func TestResetThatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := settled(t, nil, smp.Options{})
		l.fail(errUnplugged)
		<-c.Done()
		checkClosed(t, c.OS.Reset(t.Context(), smp.ResetOptions{}), errUnplugged)
	})
	synctest.Test(t, func(t *testing.T) {
		c, _ := settled(t, nil, smp.Options{})
		time.AfterFunc(time.Second, func() { c.Close() })
		if err := c.OS.Reset(t.Context(), smp.ResetOptions{}); !errors.Is(err, smp.ErrClosed) {
			t.Errorf("Reset with our own Close before the answer: %v, want %v", err, smp.ErrClosed)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		l := newFailingWrites(nil)
		c := smp.NewClient(l, smp.Options{})
		if _, err := c.Negotiate(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.err.Store(errUnplugged)
		checkClosed(t, c.OS.Reset(t.Context(), smp.ResetOptions{}), errUnplugged)
	})
}
