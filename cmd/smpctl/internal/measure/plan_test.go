package measure

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

// TestPlan lets devices with line pools of several sizes answer, and wants to see the settings in their order.
func TestPlan(t *testing.T) {
	known := func(size, count int) Link {
		p := smp.Params{BufferSize: size, BufferCount: count, Known: true}
		return Link{Params: p, Limit: size - frameRoom, Depth: Depth(p, 0)}
	}
	raw := known(384, 4)
	raw.Raw, raw.Depth, raw.Limit = true, 1, 384
	tests := []struct {
		name   string
		link   Link
		pool   int // lines that may arrive together; 0: any number
		noEcho bool
		late   bool // after the first measurement
		upload int  // lines that may arrive together in the shape of an upload; 0: as others
		want   []string
	}{
		{"stock", known(384, 4), 0, false, false, 0, []string{
			"echo 16x1", "echo 89x1", "echo 182x1", "echo 190x1", "echo 380x1",
			"echo 89x2", "echo 182x2", "echo 190x2", "echo 380x2", "echo 89x3", "echo 182x3", "echo 190x3",
			"echo 380x3",
			"params 16x1", "params 380x1", "params 380x2", "params 380x3"}},
		{"two lines", known(384, 4), 2, false, false, 0, []string{
			"echo 16x1", "echo 89x1", "echo 182x1", "echo 190x1", "echo 89x2", "echo 182x2", "echo 89x3", "params 16x1",
			"params 182x1", "params 89x2"}},
		{"four lines of five", known(384, 2), 4, false, false, 0, []string{
			"echo 16x1", "echo 89x1", "echo 182x1", "echo 190x1", "echo 380x1", "echo 368x1", "params 16x1",
			"params 368x1"}},
		{"nine lines of twelve", known(1024, 2), 9, false, false, 0, []string{
			"echo 16x1", "echo 89x1", "echo 182x1", "echo 510x1", "echo 1020x1", "echo 833x1", "echo 926x1",
			"params 16x1", "params 833x1"}},
		{"small buffer", known(96, 4), 0, false, false, 0, []string{
			"echo 16x1", "echo 46x1", "echo 89x1", "echo 92x1", "echo 46x2", "echo 89x2", "echo 92x2", "echo 46x3",
			"echo 89x3", "echo 92x3",
			"params 16x1", "params 92x1", "params 92x2", "params 92x3"}},
		{"uploads fail where echoes pass", known(384, 2), 0, false, false, 2, []string{
			"echo 16x1", "echo 89x1", "echo 182x1", "echo 190x1", "echo 380x1", "params 16x1", "params 380x1",
			"params 190x1", "params 182x1"}},
		{"no echo", known(384, 2), 0, true, false, 0,
			[]string{"params 16x1", "params 89x1", "params 182x1", "params 190x1", "params 380x1"}},
		{"raw", raw, 0, false, false, 0,
			[]string{"echo 16x1", "echo 96x1", "echo 192x1", "echo 384x1", "params 16x1", "params 384x1"}},
		{"no time", known(384, 4), 0, false, true, 0, []string{"echo 16x1", "params 16x1"}},
		{"nothing passes", known(384, 4), -1, false, false, 0, []string{"echo 16x1", "params 16x1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlan(tt.link)
			if tt.noEcho {
				p.shape = shapeParams
			}
			var rows []Row
			var got []string
			for {
				s, ok := p.next(rows, tt.late && len(rows) > 0)
				if !ok || len(rows) > p.most() {
					break
				}
				got = append(got, fmt.Sprintf("%s %dx%d", s.Request, s.Packet, s.Depth))
				r := Row{setting: s, asked: s.Packet, Sent: 3, period: 1}
				pool := tt.pool
				if s.Request == shapeParams && tt.upload > 0 {
					pool = tt.upload
				}
				if pool != 0 && s.Lines*s.Depth > pool {
					r.Lost, r.period = 3, 0
				}
				rows = append(rows, r)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDepth(t *testing.T) {
	tests := []struct {
		name   string
		params smp.Params
		window int
		want   int
	}{
		{"stock", smp.Params{BufferCount: 4, Known: true}, 0, 3},
		{"limited", smp.Params{BufferCount: 4, Known: true}, 2, 2},
		{"a window cannot widen it", smp.Params{BufferCount: 4, Known: true}, 60, 3},
		{"two buffers", smp.Params{BufferCount: 2, Known: true}, 0, 1},
		{"MCUboot", smp.Params{BufferCount: 1, Known: true}, 0, 1},
		{"not told", smp.Params{BufferCount: 9}, 0, 1},
	}
	for _, tt := range tests {
		if got := Depth(tt.params, tt.window); got != tt.want {
			t.Errorf("%s: %d in flight, want %d", tt.name, got, tt.want)
		}
	}
}

// TestLines compares the arithmetic with frames as they are sent.
func TestLines(t *testing.T) {
	for _, length := range []int{0, 8, 64, 127, 512} {
		l := Link{LineLength: length}
		for packet := smp.HeaderLen; packet < 1200; packet++ {
			frame := transport.AppendFrame(nil, make([]byte, packet), length)
			if got, want := l.lines(packet), bytes.Count(frame, []byte("\n")); got != want {
				t.Fatalf("lines of %d bytes, packet of %d: got %d, want %d", length, packet, got, want)
			}
			if got := l.frame(packet); got != len(frame) {
				t.Fatalf("frame of %d bytes: got %d, want %d", packet, got, len(frame))
			}
		}
		for n := 1; n < 9; n++ {
			if l.fill(n) >= smp.HeaderLen && (l.lines(l.fill(n)) != n || l.lines(l.fill(n)+1) != n+1) {
				t.Errorf("lines of %d bytes: a packet of %d bytes does not fill %d lines", length, l.fill(n), n)
			}
		}
	}
}

// TestEchoText: the payload has the size that was asked for, but for the two sizes that no text has.
func TestEchoText(t *testing.T) {
	for n := 4; n < 5000; n++ {
		want := n
		if n == 28 || n == 261 { // between texts of 23 and 24, and of 255 and 256 bytes, the head grows
			want--
		}
		if got := len(textPayload(n)); got != want {
			t.Errorf("payload of %d bytes, want %d", got, want)
		}
	}
}
