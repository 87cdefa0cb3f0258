package smp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// cutting is a link that cuts off some answers, as if a checksum had let them pass: length and header are right, the
// payload ends too early.
type cutting struct {
	smp.Link
	cut     func(n int, header smp.Header) bool // of the nth answer
	answers int
	packet  []byte
}

func (l *cutting) ReadPacket() ([]byte, error) {
	p, err := l.Link.ReadPacket()
	if err != nil {
		return nil, err
	}
	h, _, _ := smp.ParseHeader(p)
	if l.answers++; !l.cut(l.answers, h) {
		return p, nil
	}
	l.packet = append(l.packet[:0], p[:len(p)-2]...)
	binary.BigEndian.PutUint16(l.packet[2:], uint16(len(l.packet)-smp.HeaderLen))
	return l.packet, nil
}

// TestAnswersCutOff: "fs download: unusable answer: unexpected EOF" ended a download over a bad wire. An answer that is
// no CBOR counts as lost, a few times in a row.
func TestAnswersCutOff(t *testing.T) {
	data := file(20_000)
	each := func(n int) func(int, smp.Header) bool {
		return func(i int, h smp.Header) bool { return h.Group != smp.GroupOS && h.Length > 2 && i%n == 0 }
	}
	for _, n := range []int{3, 5, 20} {
		t.Run(fmt.Sprintf("each %d", n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, err := sim.NewDevice(sim.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				c := smp.NewClient(&cutting{Link: d.Link(), cut: each(n)}, smp.Options{})
				defer c.Close()
				if _, err := c.FS.Upload(t.Context(), remote, data, smp.FileUpload{}); err != nil {
					t.Fatal(err)
				}
				var got bytes.Buffer
				if _, err := c.FS.Download(t.Context(), remote, &got, smp.FileDownload{}); err != nil ||
					!bytes.Equal(got.Bytes(), data) {
					t.Errorf("Download: %d bytes, %v", got.Len(), err)
				}
			})
		})
	}
}

// TestAnswersNeverWhole: a device that answers nonsense each time is not asked for ever, and what may happen only once
// is not asked twice.
func TestAnswersNeverWhole(t *testing.T) {
	for _, tt := range []struct {
		name  string
		do    func(*testing.T, *smp.Client) error
		asked int // and once for the parameters
	}{
		{"echo", func(t *testing.T, c *smp.Client) error { _, err := c.OS.Echo(t.Context(), "hello"); return err }, 4},
		{"reset", func(t *testing.T, c *smp.Client) error { return c.OS.Reset(t.Context(), smp.ResetOptions{}) }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, l := connect(t, func(l *link, p []byte) {
					if commandOf(p) == params {
						l.reply(response(p, goodParams))
						return
					}
					l.reply(response(p, []byte{0xbf, 0x61, 'r'}))
				}, smp.Options{})
				took(t, 0, func() {
					var nonsense *smp.ProtocolError
					if err := tt.do(t, c); !errors.As(err, &nonsense) {
						t.Errorf("got %v, want an unusable answer", err)
					}
				})
				if n := len(l.requests()) - 1; n != tt.asked {
					t.Errorf("asked %d times, want %d", n, tt.asked)
				}
			})
		})
	}
}
