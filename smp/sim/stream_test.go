package sim_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// Echo requests as frames (the texts "hello" and the alphabet, up to 100 letters).
const (
	echoFrame  = "\x06\x09ABMKAAAJAABCAKFhZGVoZWxsb0YZ\n"
	echoAnswer = "\x06\x09ABQLAAAKAABCAL9hcmVoZWxsb/8s+w==\n"
)

// frame builds the frame of an echo request with a text of n bytes.
func frame(t testing.TB, n int) []byte {
	h := &host{t: t}
	return transport.AppendFrame(nil,
		h.request(smp.Write, smp.GroupOS, 0, args{"d": string(bytes.Repeat([]byte("x"), n))}), 0)
}

func TestStreamBreaksAtReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{})
		s := d.Stream()
		defer s.Close()
		if _, err := io.WriteString(s, echoFrame); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		d.Reset()
		got, err := io.ReadAll(s)
		if err != nil || string(got) != echoAnswer {
			t.Errorf("ReadAll after a reset = %q, %v, want the answer from before and no error", got, err)
		}
		if _, err := io.WriteString(s, echoFrame); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Write after a reset: %v, want %v", err, io.ErrClosedPipe)
		}
		dark := d.Stream()
		defer dark.Close()
		if _, err := dark.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("Read from a stream that was opened in the dark: %v, want EOF", err)
		}
		if err := d.WaitAlive(t.Context()); err != nil {
			t.Fatal(err)
		}
		again := d.Stream()
		defer again.Close()
		if _, err := io.WriteString(again, echoFrame); err != nil {
			t.Fatal(err)
		}
		if got := readSome(t, again, len(echoAnswer)); got != echoAnswer {
			t.Errorf("answer after the reset = %q, want %q", got, echoAnswer)
		}
	})
}

func readSome(t testing.TB, r io.Reader, n int) string {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCloseUnblocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{})
		s, k := d.Stream(), d.Link()
		var streamErr, linkErr error
		go func() { _, streamErr = s.Read(make([]byte, 1)) }()
		go func() { _, linkErr = k.ReadPacket() }()
		synctest.Wait()
		s.Close()
		k.Close()
		synctest.Wait()
		if streamErr != io.ErrClosedPipe || linkErr != io.ErrClosedPipe {
			t.Errorf("after Close: Read %v, ReadPacket %v, want %v", streamErr, linkErr, io.ErrClosedPipe)
		}
		s, k = d.Stream(), d.Link()
		go func() { _, streamErr = s.Read(make([]byte, 1)) }()
		go func() { _, linkErr = k.ReadPacket() }()
		synctest.Wait()
		d.Close()
		synctest.Wait()
		if streamErr != io.EOF || linkErr != io.EOF {
			t.Errorf("after Device.Close: Read %v, ReadPacket %v, want EOF", streamErr, linkErr)
		}
		s.Close()
		k.Close()
	})
}

// TestBaud wants ten bit times for each byte, both ways.
func TestBaud(t *testing.T) {
	for _, baud := range []int{9600, 115200, 1000000} {
		t.Run(fmt.Sprint(baud), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, sim.Options{Baud: baud})
				s := d.Stream()
				defer s.Close()
				request := frame(t, 200)
				start := time.Now()
				if _, err := s.Write(request); err != nil {
					t.Fatal(err)
				}
				sent := time.Since(start)
				answer := 0
				for buf := make([]byte, 1000); answer < len(request); {
					n, err := s.Read(buf)
					if err != nil {
						t.Fatal(err)
					}
					answer += n
				}
				for _, way := range []struct {
					name  string
					bytes int
					took  time.Duration
				}{{"request", len(request), sent}, {"answer", answer, time.Since(start) - sent}} {
					want := time.Duration(way.bytes) * 10 * time.Second / time.Duration(baud)
					if way.took < want-time.Microsecond || way.took > want+time.Microsecond {
						t.Errorf("%s of %d bytes took %v, want %v", way.name, way.bytes, way.took, want)
					}
				}
			})
		})
	}
}

// TestLatency sends three requests at once: all answers come after the latency, not one latency after the other.
func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{Latency: 50 * time.Millisecond})
		h := newHost(t, d)
		start := time.Now()
		for range 3 {
			h.send(h.request(smp.Write, smp.GroupOS, 0, args{"d": "x"}))
		}
		time.Sleep(50*time.Millisecond - 1)
		if got := h.all(); got != nil {
			t.Errorf("got %d answers after %v", len(got), time.Since(start))
		}
		time.Sleep(time.Nanosecond)
		if got := h.all(); len(got) != 3 {
			t.Errorf("got %d answers after %v, want 3", len(got), time.Since(start))
		}
	})
}

// TestLinePool sends a packet of five lines to boards that decode at different speeds.
func TestLinePool(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    sim.Options
		want sim.Stats
	}{
		{"enough lines", sim.Options{}, sim.Stats{Requests: 1}},
		{"stock pool, burst", sim.Options{RXLines: 2}, sim.Stats{LostLines: 3}},
		{"stock pool, 115200 baud", sim.Options{RXLines: 2, Baud: 115200}, sim.Stats{Requests: 1}},
		{"stock pool, slow decoding", sim.Options{RXLines: 2, Baud: 115200, LineTime: 40 * time.Millisecond},
			sim.Stats{LostLines: 3}},
		{"more lines", sim.Options{RXLines: 5}, sim.Stats{Requests: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, tt.o)
				s := d.Stream()
				defer s.Close()
				if _, err := s.Write(frame(t, 366)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				if diff := cmp.Diff(tt.want, d.Stats()); diff != "" {
					t.Errorf("counters differ (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestBuffers fills the pool of packet buffers.
func TestBuffers(t *testing.T) {
	for _, tt := range []struct {
		requests int
		want     sim.Stats
	}{
		{3, sim.Stats{Requests: 3}},
		{4, sim.Stats{Requests: 3, NoMemory: 1}},
		{9, sim.Stats{Requests: 3, NoMemory: 1, LostPackets: 5}},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t, sim.Options{})
			s := d.Stream()
			defer s.Close()
			for round := range 3 {
				before := d.Stats()
				// One write: the server does not get a word in.
				if _, err := s.Write(bytes.Repeat([]byte(echoFrame), tt.requests)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				got := d.Stats()
				got.Requests -= before.Requests
				got.NoMemory -= before.NoMemory
				got.LostPackets -= before.LostPackets
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%d requests at once, round %d: counters differ (-want +got):\n%s",
						tt.requests, round, diff)
				}
			}
		})
	}
}

// TestBufferSize sends packets around the limit over both kinds of port.
func TestBufferSize(t *testing.T) {
	for _, size := range []int{64, 384, 1024, 4096} {
		for over := -1; over <= 1; over++ {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, sim.Options{BufSize: size})
				h := newHost(t, d)
				p := h.request(smp.Read, smp.GroupOS, 6, args{})
				p = append(p, make([]byte, size-4+over-len(p))...) // the server ignores what follows
				p[2], p[3] = byte((len(p)-8)>>8), byte(len(p)-8)
				h.send(p)
				viaLink := len(h.all())
				s := d.Stream()
				defer s.Close()
				if _, err := s.Write(transport.AppendFrame(nil, p, 0)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				want := sim.Stats{Requests: 2}
				if over > 0 {
					want = sim.Stats{Broken: 2}
				}
				if over > 0 && size > 93 {
					want.Broken = 2 // the frame breaks with its last line
				}
				if diff := cmp.Diff(want, d.Stats()); diff != "" {
					t.Errorf("buffer of %d, packet of %d (answers over the link: %d): counters, -want +got:\n%s",
						size, len(p), viaLink, diff)
				}
			})
		}
	}
}

// TestNoise wants an intact answer once the chatter is taken out, and chatter between its lines.
func TestNoise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet, loud := newDevice(t, sim.Options{}), newDevice(t, sim.Options{Noise: true})
		var got [2][]byte
		for i, d := range []*sim.Device{quiet, loud} {
			s := d.Stream()
			defer s.Close()
			take := collect(t, s)
			if _, err := s.Write(frame(t, 300)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			got[i] = take()
		}
		var lines []byte
		for _, line := range regexp.MustCompile(`(\x06\x09|\x04\x14)[^\n]*\n`).FindAll(got[1], -1) {
			lines = append(lines, line...)
		}
		if !bytes.Equal(lines, got[0]) {
			t.Errorf("noisy answer without its noise = %q, want %q", lines, got[0])
		}
		if !bytes.Contains(got[1], []byte("\x1b[")) || !bytes.Contains(got[1], []byte("\r\n\x04\x14")) ||
			!bytes.Contains(got[1], []byte("$ \x1b[m\x06\x09")) {
			t.Errorf("noisy answer %q lacks colours, lines inside the frame, or a prompt before it", got[1])
		}
	})
}

// TestHostThatLeaves closes a stream in the middle of a packet; its buffer must come back.
func TestHostThatLeaves(t *testing.T) {
	for _, lines := range []int{0, 2} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t, sim.Options{RXLines: lines})
			half := frame(t, 200)[:130]
			for range 10 {
				s := d.Stream()
				if _, err := s.Write(half); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				s.Close()
			}
			h := newHost(t, d)
			if r := h.ask(smp.Write, smp.GroupOS, 0, args{"d": "x"}); r["r"] != "x" {
				t.Errorf("%d receive lines: echo after hosts left in the middle of packets: answer %v", lines, r)
			}
		})
	}
}
