package measure

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// measured is a report, and the link that it is about.
type measured struct {
	Report
	link Link
}

// measureLink measures what is behind a link, in the fake time of the bubble.
func measureLink(t *testing.T, link smp.Link, baud int, limit time.Duration) (measured, error) {
	t.Helper()
	c := smp.NewClient(link, smp.Options{Timeout: 9 * time.Second, Tries: 1, Rate: baud / transport.BitsPerByte})
	defer c.Close()
	params, err := c.Negotiate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := Link{Params: params, Limit: c.PacketLimit(), Depth: Depth(params, 0), Baud: baud}
	r, err := Run(t.Context(), c, l, limit)
	return measured{r, l}, err
}

// measureBoard measures a virtual device, and gives what the device saw.
func measureBoard(t *testing.T, o sim.Options, baud int, limit time.Duration) (measured, sim.Stats, error) {
	t.Helper()
	d, err := sim.NewDevice(o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r, err := measureLink(t, transport.NewConn(d.Stream(), transport.Options{Baud: baud}), baud, limit)
	return r, d.Stats(), err
}

func TestRun(t *testing.T) {
	tests := []struct {
		name   string
		device sim.Options
		baud   int // what the host believes
		limit  bottleneck
		lines  int      // that pass
		advice string   // the best
		rate   [2]int   // of an upload, bytes per second
		lost   bool     // packets are lost
		shapes []string // of the rows
	}{
		{"stock UART", sim.Options{Baud: 115200}, 115200, limitWire, 0, "baud", [2]int{7600, 7695}, false,
			[]string{"echo", "params"}},
		{"megabaud", sim.Options{Baud: 1_000_000}, 1_000_000, limitWire, 0, "CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE",
			[2]int{66_000, 66_793}, false, []string{"echo", "params"}},
		{"two lines at once", sim.Options{RXLines: 2}, 0, limitLines, 2, "CONFIG_UART_MCUMGR_RX_BUF_COUNT",
			[2]int{1e5, 1e9}, true, []string{"echo", "params"}},
		{"two lines on a wire", sim.Options{RXLines: 2, Baud: 115200}, 115200, limitWire, 0, "baud", [2]int{7600, 7695},
			false, []string{"echo", "params"}},
		{"two buffers", sim.Options{BufCount: 2, Baud: 115200, Latency: 20 * time.Millisecond}, 115200, limitOneAtATime,
			0, "baud", [2]int{4500, 5200}, false, []string{"echo", "params"}},
		{"latency", sim.Options{Latency: 50 * time.Millisecond}, 0, limitRoundTrip, 0,
			"CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE", [2]int{20_000, 21_200}, false, []string{"echo", "params"}},
		{"noise on the console", sim.Options{Baud: 115200, Noise: true}, 115200, limitWire, 0, "baud",
			[2]int{7300, 7695}, false, []string{"echo", "params"}},
		{"no echo", sim.Options{Baud: 115200, NoEcho: true}, 115200, limitWire, 0, "baud", [2]int{7600, 7695}, false,
			[]string{"params"}},
		{"no echo and no parameters", sim.Options{Baud: 115200, NoEcho: true, NoParams: true}, 115200, limitOneAtATime,
			0, "baud", [2]int{6000, 6800}, false, []string{"params"}},
		{"not the baud rate that counts", sim.Options{Latency: 5 * time.Millisecond}, 115200, limitRoundTrip, 0,
			"CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE", [2]int{2e5, 211_200}, false, []string{"echo", "params"}},
		{"lost requests", sim.Options{Baud: 115200, Faults: sim.Faults{Seed: 3, DropRequest: 0.1}}, 115200, limitLoss,
			0, "", [2]int{1000, 7695}, true, []string{"echo", "params"}},
		{"lost answers", sim.Options{Baud: 115200, Faults: sim.Faults{Seed: 4, DropReply: 0.1}}, 115200, limitLoss, 0,
			"", [2]int{1000, 7695}, true, []string{"echo", "params"}},
		{"late answers",
			sim.Options{Baud: 115200, Faults: sim.Faults{Seed: 5, DelayReply: 0.05, Delay: 400 * time.Millisecond}},
			115200, "", 0, "", [2]int{1000, 7695}, false, []string{"echo", "params"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, stats, err := measureBoard(t, tt.device, tt.baud, 10*time.Second)
				if err != nil {
					t.Fatal(err)
				}
				checkReport(t, r)
				if stats.LostPackets > 0 || stats.NoMemory > 0 || stats.Resets > 0 {
					t.Errorf("more in flight than the device has buffers: %+v", stats)
				}
				if tt.limit != "" && r.Limit != tt.limit || r.LinesPass != tt.lines {
					t.Errorf("limit %s (%s), %d lines pass; want %s, %d",
						r.Limit, r.Reason, r.LinesPass, tt.limit, tt.lines)
				}
				if len(r.Advice) == 0 && tt.advice != "" ||
					len(r.Advice) > 0 && tt.advice != "" && r.Advice[0].Option != tt.advice {
					t.Errorf("advice %+v, want %s first", r.Advice, tt.advice)
				}
				if r.Upload == nil || r.Upload.Rate < tt.rate[0] || r.Upload.Rate > tt.rate[1] {
					t.Errorf("upload %+v, want a rate of %v", r.Upload, tt.rate)
				}
				if lost := slices.ContainsFunc(r.Rows, func(m Row) bool { return m.Lost > 0 }); lost != tt.lost {
					t.Errorf("losses: got %v, want %v in %+v", lost, tt.lost, r.Rows)
				}
				var shapes []string
				for _, m := range r.Rows {
					shapes = append(shapes, string(m.Request))
				}
				slices.Sort(shapes)
				if shapes = slices.Compact(shapes); !slices.Equal(shapes, tt.shapes) {
					t.Errorf("requests %v, want %v", shapes, tt.shapes)
				}
				if r.Elapsed > 16*time.Second {
					t.Errorf("took %v", r.Elapsed)
				}
			})
		})
	}
}

// checkReport wants what holds for every result.
func checkReport(t *testing.T, r measured) {
	t.Helper()
	for _, m := range r.Rows {
		switch {
		case m.Sent < 1 || m.Lost < 0 || m.Lost > m.Sent || m.Packet > r.link.Limit:
			t.Errorf("impossible: %+v", m)
		case m.WireShare != nil && (*m.WireShare <= 0 || *m.WireShare > 1 || r.link.Baud == 0 || r.NoWire):
			t.Errorf("share of the wire %v: %+v", *m.WireShare, m)
		case m.Depth > max(r.link.Params.BufferCount-1, 1):
			t.Errorf("more in flight than allowed: %+v", m)
		}
	}
}

// TestRunPredictsUploads compares the rate that the bench expects with that of an upload.
func TestRunPredictsUploads(t *testing.T) {
	img, err := files.ReadImage("../../../../testdata/app-2.0.0.bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []sim.Options{{Baud: 115200}, {Baud: 115200, BufCount: 2, Latency: 10 * time.Millisecond},
		{Baud: 1_000_000, BufSize: 2048}} {
		synctest.Test(t, func(t *testing.T) {
			r, _, err := measureBoard(t, o, o.Baud, 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			d, err := sim.NewDevice(o)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			c := smp.NewClient(transport.NewConn(d.Stream(), transport.Options{Baud: o.Baud}), smp.Options{})
			defer c.Close()
			start := time.Now()
			if _, err := c.Image.Upload(t.Context(), img.Bytes(), smp.ImageUpload{Hash: img.Hash()}); err != nil {
				t.Fatal(err)
			}
			got := float64(len(img.Bytes())) / time.Since(start).Seconds()
			// The first chunk, the last one and the list at the end are a small part even of this small image.
			if share := got / float64(r.Upload.Rate); share < 0.8 || share > 1.05 {
				t.Errorf("%d baud: the upload reached %.0f bytes/s, %.2f of the %d expected",
					o.Baud, got, share, r.Upload.Rate)
			}
		})
	}
}

// TestRunEnds: whatever happens, the measuring ends within its time, one wait and one round of probes.
func TestRunEnds(t *testing.T) {
	const limit = 4 * time.Second
	tests := []struct {
		name   string
		device sim.Options
		silent bool
		beyond time.Duration
	}{
		{"slow wire", sim.Options{Baud: 1200}, false, 0},
		{"nearly everything is lost", sim.Options{Baud: 115200, Faults: sim.Faults{Seed: 1, DropReply: 0.4}}, false,
			7 * time.Second},
		{"power fails", sim.Options{Baud: 115200, Faults: sim.Faults{VanishAfter: 4000}}, true, 7 * time.Second},
		{"reset in the middle", sim.Options{Baud: 115200, Faults: sim.Faults{RebootAfter: 100}}, true, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _, err := measureBoard(t, tt.device, tt.device.Baud, limit)
				if tt.silent && !errors.Is(err, smp.ErrNoReply) && !errors.Is(err, smp.ErrClosed) {
					t.Errorf("error %v, want silence or the end of the link", err)
				}
				if !tt.silent && err != nil && !errors.Is(err, smp.ErrNoReply) {
					t.Error(err)
				}
				if len(r.Rows) == 0 {
					t.Error("nothing measured")
				}
				checkReport(t, r)
				if r.Elapsed > limit+tt.beyond {
					t.Errorf("took %v of %v", r.Elapsed, limit)
				}
			})
		})
	}
}

func TestRunStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := sim.NewDevice(sim.Options{Baud: 115200})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		c := smp.NewClient(transport.NewConn(d.Stream(), transport.Options{}),
			smp.Options{Timeout: 9 * time.Second, Tries: 1})
		defer c.Close()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(failure.ErrInterrupted) })
		start := time.Now()
		_, err = Run(ctx, c, Link{Limit: 252, Depth: 1}, 10*time.Second)
		if took := time.Since(start); !errors.Is(err, failure.ErrInterrupted) || took > 1100*time.Millisecond {
			t.Errorf("ended after %v with %v, want %v at once", took, err, failure.ErrInterrupted)
		}
	})
}

// mirror is a device whose answers have a limit of their own.
type mirror struct {
	largest int           // bytes of its largest answer
	echoes  bool          // sends back what it hears, as a terminal does, before the answer
	deaf    int           // packets from this size on are lost; 0: none
	slow    time.Duration // for packets of more than a line
	answers chan []byte
	closed  chan struct{}
}

func newMirror(m mirror) *mirror {
	m.answers, m.closed = make(chan []byte, 16), make(chan struct{})
	return &m
}

func (m *mirror) ReadPacket() ([]byte, error) {
	select {
	case p := <-m.answers:
		return p, nil
	case <-m.closed:
		return nil, io.ErrClosedPipe
	}
}

func (m *mirror) WritePacket(p []byte) error {
	h, body, err := smp.ParseHeader(p)
	if err != nil {
		return err
	}
	answer := []byte("\xa1\x62rc\x08")
	switch {
	case h.Group == smp.GroupOS && h.Command == paramsID:
		answer = []byte("\xa2\x68buf_size\x19\x01\x80\x69buf_count\x02")
	case h.Group == smp.GroupOS && h.Command == 0 && len(body)+1 > m.largest-smp.HeaderLen:
		answer = []byte("\xa1\x62rc\x07")
	case h.Group == smp.GroupOS && h.Command == 0: // the same text under another key, in a map that ends by itself
		answer = append(bytes.Replace(append([]byte{0xbf}, body[1:]...), []byte("ad"), []byte("ar"), 1), 0xff)
	}
	if m.echoes {
		m.answers <- bytes.Clone(p)
	}
	if m.deaf > 0 && len(p) >= m.deaf {
		return nil
	}
	h.Op, h.Length = h.Op+1, uint16(len(answer))
	packet, delay := append(h.Append(nil), answer...), time.Millisecond
	if len(p) > oneLinePacket {
		delay += m.slow
	}
	time.AfterFunc(delay, func() { m.answers <- packet })
	return nil
}

func (m *mirror) Overhead() int { return 0 }

func (m *mirror) Close() error { close(m.closed); return nil }

// TestRunStepsDown: an echo of the largest request does not fit where an answer is a byte longer.
func TestRunStepsDown(t *testing.T) {
	tests := []struct {
		largest int // answer
		packet  int // largest echo
		echoes  bool
	}{{1000, 384, true}, {384, 383, true}, {380, 379, true}, {100, 89, false}}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			r, err := measureLink(t, newMirror(mirror{largest: tt.largest}), 0, 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			packet := 0
			for _, m := range r.Rows {
				if m.Request == shapeEcho {
					packet = max(packet, m.Packet)
				}
			}
			if packet != tt.packet || (r.NoEcho == "") != tt.echoes || r.Upload == nil || r.Upload.Packet != 384 {
				t.Errorf("answers of %d bytes: largest echo %d, no echo %q, upload %+v; want %d, %v, packets of 384",
					tt.largest, packet, r.NoEcho, r.Upload, tt.packet, tt.echoes)
			}
		})
	}
}

// TestRunTellsLateFromLost: an answer after its time is no loss, but a console that sends back what it hears must not
// hide one.
func TestRunTellsLateFromLost(t *testing.T) {
	tests := []struct {
		name   string
		device mirror
		lines  int // that pass, if more are lost
		packet int // of the upload
	}{
		{"large packets take long", mirror{largest: 1000, slow: 150 * time.Millisecond}, 0, 384},
		{"large packets are lost", mirror{largest: 1000, deaf: 183}, 2, 182},
		{"large packets are lost, and everything comes back", mirror{largest: 1000, deaf: 183, echoes: true}, 2, 182},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, err := measureLink(t, newMirror(tt.device), 0, 10*time.Second)
				if err != nil {
					t.Fatal(err)
				}
				if r.LinesPass != tt.lines ||
					!slices.ContainsFunc(r.Rows, func(m Row) bool { return m.Packet == tt.packet && m.usable() }) {
					t.Errorf("%d lines pass, want %d, and packets of %d bytes to be answered: %+v",
						r.LinesPass, tt.lines, tt.packet, r.Rows)
				}
			})
		})
	}
}
