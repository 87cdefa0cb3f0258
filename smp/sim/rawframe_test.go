package sim_test

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// rawDevice has raw framing in application and bootloader.
func rawDevice(o sim.Options) sim.Options {
	o.Raw, o.SerialRecovery.Raw = true, true
	return o
}

// rawHost writes bytes to a device, and says which requests were answered.
type rawHost struct {
	host
	s   io.ReadWriteCloser
	got func() []byte
}

func newRawHost(t testing.TB, d *sim.Device) *rawHost {
	s := d.Stream()
	t.Cleanup(func() { s.Close() })
	return &rawHost{host: host{t: t}, s: s, got: collect(t, s)}
}

func (h *rawHost) write(p ...[]byte) {
	h.t.Helper()
	if _, err := h.s.Write(bytes.Join(p, nil)); err != nil {
		h.t.Fatal(err)
	}
}

// answers lists what came, as sequence numbers; a refusal has its code behind.
func (h *rawHost) answers() []int {
	h.t.Helper()
	synctest.Wait()
	var list []int
	for rest := h.got(); len(rest) > 0; {
		head, _, err := smp.ParseHeader(rest)
		if err != nil {
			h.t.Fatalf("answers end in %x", rest)
		}
		list = append(list, int(head.Sequence))
		rest = rest[smp.HeaderLen+int(head.Length):]
	}
	return list
}

// params is a request for the parameters, of n bytes or as short as it can be.
func (h *rawHost) params(n int) []byte {
	body := make([]byte, max(n-smp.HeaderLen, 1))
	body[0] = 0xa0
	h.seq++
	head := smp.Header{
		Version: smp.V2, Op: smp.Read, Group: smp.GroupOS, Command: 6, Sequence: h.seq, Length: uint16(len(body)),
	}
	return append(head.Append(nil), body...)
}

// TestRawFraming writes what a raw receiver takes, and what it does not.
func TestRawFraming(t *testing.T) {
	half := func(p []byte) []byte { return p[:len(p)/2] }
	for _, tt := range []struct {
		name          string
		do            func(h *rawHost)
		app, recovery []int // sequence numbers that are answered
	}{
		{"one after the other", func(h *rawHost) {
			h.write(h.params(0))
			synctest.Wait()
			h.write(h.params(0))
		}, []int{1, 2}, []int{1, 2}},
		{"two in one write", func(h *rawHost) { h.write(h.params(0), h.params(0)) }, nil, []int{1, 2}},
		{"byte by byte", func(h *rawHost) {
			for _, b := range h.params(0) {
				h.write([]byte{b})
			}
		}, []int{1}, []int{1}},
		{"as large as a packet buffer", func(h *rawHost) { h.write(h.params(384)) }, []int{1}, []int{1}},
		{"larger than that", func(h *rawHost) { h.write(h.params(385)) }, nil, []int{1}},
		{"a header of an operation that is none", func(h *rawHost) {
			h.write([]byte{4, 0, 0, 0, 0, 0, 9, 6})
			h.write(h.params(0))
		}, []int{1}, []int{1}},
		{"a newline before it makes another command of it", func(h *rawHost) {
			h.write([]byte("\n"), h.params(0))
		}, nil, []int{0}},
		{"half a request becomes one with the next", func(h *rawHost) {
			h.write(half(h.params(0)))
			time.Sleep(2900 * time.Millisecond)
			h.write(h.params(0))
		}, nil, []int{0}},
		{"half a request, and silence", func(h *rawHost) {
			h.write(half(h.params(0)))
			time.Sleep(3 * time.Second)
			h.write(h.params(0))
		}, []int{2}, []int{2}},
		{"half a request, silence, the other half", func(h *rawHost) {
			p := h.params(0)
			h.write(half(p))
			time.Sleep(3 * time.Second)
			h.write(p[len(half(p)):])
			time.Sleep(3 * time.Second)
			h.write(h.params(0))
		}, []int{2}, []int{2}},
	} {
		for name, want := range map[string][]int{"application": tt.app, "recovery": tt.recovery} {
			t.Run(name+", "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newRawHost(t, newDevice(t, rawDevice(sim.Options{Recovery: name == "recovery"})))
					tt.do(h)
					if diff := cmp.Diff(want, h.answers()); diff != "" {
						t.Errorf("answered (-want +got):\n%s", diff)
					}
				})
			})
		}
	}
}

// TestRawRecoveryLimits fills the bootloader's buffers: that of a packet, and while it erases those of the driver.
func TestRawRecoveryLimits(t *testing.T) {
	first := func(h *rawHost) []byte {
		return h.request(smp.Write, smp.GroupImage, 1, args{"off": 0, "len": 5000, "data": make([]byte, 100)})
	}
	for _, tt := range []struct {
		name string
		do   func(h *rawHost)
		want []int
		lost sim.Stats
	}{
		{"the buffer has a byte more than it says", func(h *rawHost) { h.write(h.params(1025)) }, []int{1}, sim.Stats{}},
		{"a small request waits while it erases", func(h *rawHost) {
			h.write(first(h))
			h.write(h.params(0))
		}, []int{1, 2}, sim.Stats{}},
		{"of a large one the line buffers hold the beginning", func(h *rawHost) {
			h.write(first(h))
			h.write(h.params(200))
			time.Sleep(time.Second)
			h.write(h.params(0)) // is taken for the rest
			time.Sleep(time.Second)
		}, []int{1}, sim.Stats{LostLines: 5}},
		{"that is forgotten after a silence", func(h *rawHost) {
			h.write(first(h))
			h.write(h.params(200))
			time.Sleep(4 * time.Second)
			h.write(h.params(0))
		}, []int{1, 3}, sim.Stats{LostLines: 5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, rawDevice(sim.Options{Recovery: true, EraseTime: time.Millisecond}))
				h := newRawHost(t, d)
				tt.do(h)
				time.Sleep(time.Second)
				got := h.answers()
				stats := sim.Stats{LostLines: d.Stats().LostLines, Broken: d.Stats().Broken}
				if diff := cmp.Diff(tt.want, got) + cmp.Diff(tt.lost, stats); diff != "" {
					t.Errorf("answered and lost (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestRawTooLarge sends more than the buffer takes: what follows the header is read as requests, whatever it says.
func TestRawTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, rawDevice(sim.Options{Recovery: true}))
		h := newRawHost(t, d)
		h.write([]byte{8, 0, 0x04, 0x00, 0, 0, 1, 6}, make([]byte, 24)) // 1032 bytes: one too many from 1026 on
		if got := h.answers(); len(got) != 2 || d.Stats().Broken != 1 {
			t.Errorf("%d answers to 16 zeros behind the first fragment, %d broken, want 2 and 1", len(got), d.Stats().Broken)
		}
	})
}

// TestRawUpdate updates a device with raw framing through the bootloader and through the application.
func TestRawUpdate(t *testing.T) {
	for _, recovery := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t, rawDevice(sim.Options{Recovery: recovery, Console: true, EraseTime: time.Millisecond}))
			c := smp.NewClient(transport.NewConn(d.Stream(), transport.Options{Raw: true}), smp.Options{})
			defer c.Close()
			file := buildImage("2.0.0")
			if _, err := c.Image.Upload(t.Context(), file, smp.ImageUpload{}); err != nil {
				t.Fatal(err)
			}
			if got := d.Stats(); got.LostLines+got.LostPackets+got.Broken > 0 {
				t.Errorf("recovery %v: lost %+v", recovery, got)
			}
			if !slices.ContainsFunc(d.Slots(), func(s sim.SlotState) bool { return bytes.Equal(s.Hash, sha256Of(file)) }) {
				t.Errorf("recovery %v: slots %+v", recovery, d.Slots())
			}
		})
	}
}
