package smp

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestGapChangesWhileAGentleRequestIsWritten: a request of several lines goes out with a gap of its own, and meanwhile
// an upload finds out that the device needs another. Every packet is written with the gap that was meant for it.
func TestGapChangesWhileAGentleRequestIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &gapRecorder{writing: make(chan time.Duration), proceed: make(chan struct{}), closed: make(chan struct{})}
		c := NewClient(l, Options{})
		defer c.Close()
		c.options.Tries = 3
		long := make([]byte, 500)
		send := func(packet []byte, want time.Duration) {
			cl := &call{packet: append(make([]byte, 0, HeaderLen+1), 0, 0, 0, 1, 0, 0, 0, 0, emptyMap),
				done: make(chan *call, 1)}
			cl.gap = c.gapFor(packet, false)
			if err := c.start(cl, noLimit); err != nil {
				t.Fatal(err)
			}
			if gap := <-l.writing; gap != want {
				t.Errorf("a packet was written with a gap of %v, want %v", gap, want)
			}
		}
		send(long, lineGaps[1])
		c.setLineGap(2)
		l.proceed <- struct{}{}
		for range 2 {
			send(nil, lineGaps[2])
			l.proceed <- struct{}{}
		}
	})
}

// TestGapHasOneOwner is for the race detector: many goroutines change the gap while packets are written.
func TestGapHasOneOwner(t *testing.T) {
	l := &gapRecorder{closed: make(chan struct{})}
	c := NewClient(l, Options{})
	defer c.Close()
	var changing sync.WaitGroup
	for n := range 8 {
		changing.Go(func() {
			for i := range 200 {
				c.setLineGap((n + i) % len(lineGaps))
				packet := append(make([]byte, 0, HeaderLen+1), 0, 0, 0, 1, 0, 0, 0, 0, emptyMap)
				cl := &call{packet: packet, done: make(chan *call, 1), gap: c.lineGap()}
				if err := c.start(cl, noLimit); err == nil && i%8 > 0 {
					c.withdraw(cl)
				}
			}
		})
	}
	changing.Wait()
}

// gapRecorder is a link that tells the gap of every packet, and whose writes can be held up.
type gapRecorder struct {
	writing chan time.Duration // nil: nothing is held up
	proceed chan struct{}
	closed  chan struct{}
	gap     time.Duration
}

func (l *gapRecorder) SetLineGap(d time.Duration) { l.gap = d }

func (l *gapRecorder) WritePacket([]byte) error {
	if gap := l.gap; l.writing != nil {
		l.writing <- gap
		<-l.proceed
	}
	return nil
}

func (l *gapRecorder) ReadPacket() ([]byte, error) {
	<-l.closed
	return nil, ErrClosed
}

func (l *gapRecorder) Overhead() int { return 4 }

func (l *gapRecorder) Close() error {
	close(l.closed)
	return nil
}
