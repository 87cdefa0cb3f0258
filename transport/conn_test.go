package transport_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

// countedStream counts the writes made to a stream.
type countedStream struct {
	io.ReadWriteCloser
	writes atomic.Int32
}

func (s *countedStream) Write(p []byte) (int, error) {
	s.writes.Add(1)
	return s.ReadWriteCloser.Write(p)
}

// pipe returns a connection and the device's end of its stream.
func pipe(t *testing.T, o transport.Options) (*transport.Conn, net.Conn) {
	near, far := net.Pipe()
	c := transport.NewConn(near, o)
	t.Cleanup(func() {
		c.Close()
		far.Close()
	})
	return c, far
}

// mustWrite is for the device's end, and blocks until the connection has read p.
func mustWrite(t *testing.T, w io.Writer, p string) {
	t.Helper()
	if _, err := io.WriteString(w, p); err != nil {
		t.Error(err)
	}
}

// later runs f and returns what it returned and the time it took, in the bubble.
func later(f func() error) <-chan outcome {
	done := make(chan outcome, 1)
	start := time.Now()
	go func() {
		err := f()
		done <- outcome{err, time.Since(start)}
	}()
	return done
}

type outcome struct {
	err  error
	took time.Duration
}

func (o outcome) check(t *testing.T, what string, want error, took time.Duration) {
	t.Helper()
	if !errors.Is(o.err, want) || want == nil && o.err != nil {
		t.Errorf("%s: %v, want %v", what, o.err, want)
	}
	if o.took != took {
		t.Errorf("%s took %v, want %v", what, o.took, took)
	}
}

func TestConnOneWriteForEachPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		stream := &countedStream{ReadWriteCloser: near}
		c := transport.NewConn(stream, transport.Options{})
		defer c.Close()
		received := make(chan string, 1)
		go func() {
			all, _ := io.ReadAll(far)
			received <- string(all)
		}()

		sizes := []int{8, 89, 90, 380, 2044, transport.MaxFramed}
		var want string
		for i, size := range sizes {
			if err := c.WritePacket(makePacket(size)); err != nil {
				t.Fatalf("WritePacket of %d bytes: %v", size, err)
			}
			if got := stream.writes.Load(); got != int32(i+1) {
				t.Fatalf("%d writes after %d packets, want one each", got, i+1)
			}
			want += frame(makePacket(size))
		}
		wantStats := transport.Stats{SentPackets: uint64(len(sizes)), SentBytes: uint64(len(want))}
		if diff := cmp.Diff(wantStats, c.Stats()); diff != "" {
			t.Errorf("Stats, -want +got:\n%s", diff)
		}
		c.Close()
		if got := <-received; got != want {
			t.Errorf("%d bytes on the wire, want the %d of the frames", len(got), len(want))
		}
	})
}

func TestConnWriteOptions(t *testing.T) {
	packet := makePacket(113)
	tests := []struct {
		name    string
		options transport.Options
		want    string
	}{
		{"default", transport.Options{}, string(transport.AppendFrame(nil, packet, 127))},
		{"line length", transport.Options{LineLength: 64}, string(transport.AppendFrame(nil, packet, 64))},
		{"raw", transport.Options{Raw: true}, string(packet)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, far := pipe(t, test.options)
				writing := later(func() error { return c.WritePacket(packet) })
				got := make([]byte, len(test.want))
				if _, err := io.ReadFull(far, got); err != nil || string(got) != test.want {
					t.Errorf("on the wire: %q, %v, want %q", got, err, test.want)
				}
				(<-writing).check(t, "WritePacket", nil, 0)
				want := transport.Stats{SentPackets: 1, SentBytes: uint64(len(test.want))}
				if diff := cmp.Diff(want, c.Stats()); diff != "" {
					t.Errorf("Stats, -want +got:\n%s", diff)
				}
			})
		})
	}
}

func TestConnWriteText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := pipe(t, transport.Options{})
		if err := c.WriteText(nil); err != nil { // nobody reads
			t.Errorf("WriteText of nothing: %v", err)
		}
		writing := later(func() error { return c.WriteText([]byte("help\r")) })
		got := make([]byte, 5)
		if _, err := io.ReadFull(far, got); err != nil || string(got) != "help\r" {
			t.Errorf("on the wire: %q, %v, want %q", got, err, "help\r")
		}
		(<-writing).check(t, "WriteText", nil, 0)
		if diff := cmp.Diff(transport.Stats{SentBytes: 5}, c.Stats()); diff != "" {
			t.Errorf("Stats, -want +got:\n%s", diff)
		}
	})
}

func TestConnWriteNoPacket(t *testing.T) {
	tests := []struct {
		name   string
		raw    bool
		packet []byte
		want   string
	}{
		{"empty", false, nil, "write packet: 0 bytes are no packet, its header alone takes 8"},
		{"half a header", true, make([]byte, 7), "write packet: 7 bytes are no packet, its header alone takes 8"},
		{"too long for a frame", false, make([]byte, 65534),
			"write packet: 65534 bytes are over the 65533 a frame can carry"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, _ := pipe(t, transport.Options{Raw: test.raw})
			err := c.WritePacket(test.packet)
			if err == nil || err.Error() != test.want {
				t.Errorf("WritePacket: %v, want %s", err, test.want)
			}
			if got := c.Stats(); got != (transport.Stats{}) {
				t.Errorf("Stats = %+v, want nothing sent", got)
			}
		})
	}
}

// TestConnBusyDevice has a device that takes nothing for a while, as when it erases flash: it costs time and no packet.
func TestConnBusyDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := pipe(t, transport.Options{})
		first := later(func() error { return c.WritePacket(hello) })
		synctest.Wait()
		second := later(func() error { return c.WritePacket(letters) })
		time.Sleep(time.Hour)
		want := helloFrame + frame(letters)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(far, got); err != nil || string(got) != want {
			t.Errorf("on the wire: %q, %v, want %q", got, err, want)
		}
		(<-first).check(t, "first WritePacket", nil, time.Hour)
		(<-second).check(t, "second WritePacket", nil, time.Hour)
		go mustWrite(t, far, refusFrame)
		if p, err := c.ReadPacket(); err != nil || !bytes.Equal(p, refusal) {
			t.Errorf("ReadPacket = %x, %v, want %x", p, err, refusal)
		}
	})
}

func TestConnConcurrentWriters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := pipe(t, transport.Options{})
		const writers, each = 8, 20
		var wait sync.WaitGroup
		for w := range writers {
			wait.Go(func() {
				for range each {
					packet := makePacket(100 + w)
					packet[6] = byte(w)
					if err := c.WritePacket(packet); err != nil {
						t.Error(err)
					}
				}
			})
		}
		go func() {
			wait.Wait()
			c.Close()
		}()

		var d transport.Decoder
		got := map[byte]int{}
		buf := make([]byte, 50) // so that frames arrive in parts
		for {
			n, err := far.Read(buf)
			for packet, rest := d.Next(buf[:n]); packet != nil; packet, rest = d.Next(rest) {
				if len(packet) == 100+int(packet[6]) {
					got[packet[6]]++
				}
			}
			if err != nil {
				break
			}
		}
		want := map[byte]int{}
		for w := range writers {
			want[byte(w)] = each
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("packets of each writer, -want +got:\n%s", diff)
		}
		if n := d.Stats().Damaged(); n != 0 {
			t.Errorf("%d damaged, want frames not to mix: %+v", n, d.Stats())
		}
	})
}

// TestConnWaitingForATurn has a writer behind another one that is stuck.
func TestConnWaitingForATurn(t *testing.T) {
	tests := []struct {
		name string
		end  func(c *transport.Conn, far net.Conn)
		want error
	}{
		{"Close", func(c *transport.Conn, _ net.Conn) { c.Close() }, transport.ErrClosed},
		{"far end closes", func(_ *transport.Conn, far net.Conn) { far.Close() }, transport.ErrDisconnected},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, far := pipe(t, transport.Options{})
				first := later(func() error { return c.WritePacket(hello) })
				synctest.Wait()
				second := later(func() error { return c.WritePacket(refusal) })
				time.Sleep(2 * time.Second)
				test.end(c, far)
				(<-first).check(t, "first WritePacket", test.want, 2*time.Second)
				(<-second).check(t, "second WritePacket", test.want, 2*time.Second)
			})
		})
	}
}

func TestConnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := pipe(t, transport.Options{})
		reading := later(func() error { _, err := c.ReadPacket(); return err })
		writing := later(func() error { return c.WritePacket(hello) })
		time.Sleep(time.Second)
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		(<-reading).check(t, "ReadPacket", transport.ErrClosed, time.Second)
		(<-writing).check(t, "WritePacket", transport.ErrClosed, time.Second)

		for range 2 {
			if _, err := c.ReadPacket(); err != transport.ErrClosed {
				t.Errorf("ReadPacket after Close: %v, want ErrClosed", err)
			}
			if err := c.WritePacket(hello); err != transport.ErrClosed {
				t.Errorf("WritePacket after Close: %v, want ErrClosed", err)
			}
			if err := c.WriteText([]byte("x")); err != transport.ErrClosed {
				t.Errorf("WriteText after Close: %v, want ErrClosed", err)
			}
			if err := c.Close(); err != nil {
				t.Errorf("Close again: %v", err)
			}
		}
	})
}

// stuckStream is a port whose driver ends neither Write nor Close.
type stuckStream struct {
	stuck   chan struct{} // closed at the end of the test
	closing chan struct{}
}

func (s *stuckStream) Read([]byte) (int, error)  { <-s.closing; return 0, io.ErrClosedPipe }
func (s *stuckStream) Write([]byte) (int, error) { <-s.stuck; return 0, io.ErrClosedPipe }
func (s *stuckStream) Close() error              { close(s.closing); <-s.stuck; return nil }

// TestConnCloseOfStuckDriver ends everything but the one call that the driver holds.
func TestConnCloseOfStuckDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stuckStream{make(chan struct{}), make(chan struct{})}
		c := transport.NewConn(s, transport.Options{})
		reading := later(func() error { _, err := c.ReadPacket(); return err })
		writing := later(func() error { return c.WritePacket(hello) })
		synctest.Wait()
		waiting := later(func() error { return c.WritePacket(hello) })
		synctest.Wait()
		closing := later(c.Close)
		(<-reading).check(t, "ReadPacket", transport.ErrClosed, 0)
		(<-waiting).check(t, "WritePacket behind the stuck one", transport.ErrClosed, 0)
		(<-closing).check(t, "Close", os.ErrDeadlineExceeded, time.Second)
		(<-later(c.Close)).check(t, "Close again", os.ErrDeadlineExceeded, 0)
		close(s.stuck)
		(<-writing).check(t, "WritePacket once the driver lets it go", transport.ErrClosed, time.Second)
	})
}

func TestConnFarEndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := pipe(t, transport.Options{})
		reading := later(func() error { _, err := c.ReadPacket(); return err })
		writing := later(func() error { return c.WritePacket(hello) })
		time.Sleep(time.Second)
		far.Close()
		got := <-reading
		got.check(t, "ReadPacket", transport.ErrDisconnected, time.Second)
		(<-writing).check(t, "WritePacket", transport.ErrDisconnected, time.Second)

		writing = later(func() error { return c.WritePacket(hello) })
		(<-writing).check(t, "WritePacket afterwards", transport.ErrDisconnected, 0)
		if _, err := c.ReadPacket(); err != got.err {
			t.Errorf("ReadPacket again: %v, want %v", err, got.err)
		}
		c.Close()
		if _, err := c.ReadPacket(); err != transport.ErrClosed {
			t.Errorf("ReadPacket after Close: %v, want ErrClosed", err)
		}
	})
}

func TestConnFraming(t *testing.T) {
	for _, test := range []struct {
		options transport.Options
		want    int
		bare    bool
	}{
		{transport.Options{}, 4, false}, // length and CRC
		{transport.Options{LineLength: 4096}, 4, false},
		{transport.Options{Raw: true}, 0, true},
	} {
		c, _ := pipe(t, test.options)
		if got := c.Overhead(); got != test.want {
			t.Errorf("Overhead with %+v = %d, want %d", test.options, got, test.want)
		}
		if got := c.Bare(); got != test.bare {
			t.Errorf("Bare with %+v = %v, want %v", test.options, got, test.bare)
		}
		if got := c.Port().Name; got != "" {
			t.Errorf("Port().Name = %q, want none", got)
		}
	}
}

// discard takes every write and gives the same frame again and again.
type discard struct{ frame []byte }

func (d discard) Read(p []byte) (int, error)  { return copy(p, d.frame), nil }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) Close() error                { return nil }

func TestConnDoesNotAllocate(t *testing.T) {
	packet := makePacket(2044)
	c := transport.NewConn(discard{[]byte(frame(packet))}, transport.Options{})
	defer c.Close()
	var err error
	writing := testing.AllocsPerRun(200, func() { err = errors.Join(err, c.WritePacket(packet)) })
	reading := testing.AllocsPerRun(200, func() {
		_, readErr := c.ReadPacket()
		err = errors.Join(err, readErr)
	})
	if err != nil || writing != 0 || reading != 0 {
		t.Errorf("%v allocations in WritePacket, %v in ReadPacket, %v, want none", writing, reading, err)
	}
}
