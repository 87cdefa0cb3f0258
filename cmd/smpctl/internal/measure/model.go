package measure

import (
	"math"
	"slices"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

// expectedUpload is what an upload can be expected to reach: the rate of its best setting, without the time that the
// flash takes.
type expectedUpload struct {
	Packet    int      `json:"packet_bytes"`         // SMP header included
	Chunk     int      `json:"chunk_bytes"`          // of the image in each packet
	Depth     int      `json:"in_flight"`            // requests under way at the same time
	Rate      int      `json:"bytes_per_second"`     // of the image
	WireShare *float64 `json:"wire_share,omitempty"` // share of the time in which the wire is busy: 0 to 1

	period float64 // seconds for each chunk
}

// bestUpload finds the setting with which an upload is fastest; nil if none was measured.
func bestUpload(rows []Row) *expectedUpload {
	var best *expectedUpload
	for _, r := range rows {
		if r.Request != shapeParams || !r.usable() {
			continue
		}
		u := &expectedUpload{Packet: r.Packet, Chunk: uploadChunk(r.Packet), Depth: r.Depth, WireShare: r.WireShare,
			period: r.period}
		u.Rate = int(math.Round(float64(u.Chunk) / r.period))
		if u.Chunk > 0 && (best == nil || u.Rate > best.Rate) {
			best = u
		}
	}
	return best
}

// An upload's later chunks (Zephyr smp_group_1.rst, "Image upload request") carry this besides the data: a map, "off"
// with its value, "data" with its head. Chunks end at multiples of the largest flash alignment.
const (
	uploadKeys   = 15
	uploadAlign  = 32
	uploadAnswer = 20 // bytes of the packet
)

// uploadChunk is how much of an image goes into a packet.
func uploadChunk(packet int) int {
	n := packet - smp.HeaderLen - uploadKeys
	for head := 1; head <= 3; head++ {
		if d := n - head; d <= 0 || d < 24 || head == 2 && d < 1<<8 || head == 3 {
			n = max(d, 0)
			break
		}
	}
	if n >= uploadAlign {
		n -= n % uploadAlign
	}
	return n
}

// model predicts how long a packet of an upload takes: a fixed time, and a time for each byte on the way to the
// device. It is fitted to what was measured, so that it only has to carry over to other settings.
type model struct {
	link    Link
	fixed   float64 // seconds for each packet, its answer included
	perByte float64 // seconds for each byte of a frame, its time on the wire included
	scale   float64 // what was measured of the best upload, against what the model says
}

func newModel(l Link, rows []Row, u expectedUpload) model {
	m := model{link: l, scale: 1}
	var n, sx, sy, sxx, sxy float64
	alone := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool {
		return r.Request != shapeParams || r.Depth > 1 || !r.usable()
	})
	for _, r := range alone {
		x, y := float64(l.frame(r.Packet)), l.calmest(rows, r)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if d := n*sxx - sx*sx; d > 0 {
		m.perByte = max((n*sxy-sx*sy)/d, 0)
	}
	if l.Baud > 0 {
		m.perByte = max(m.perByte, 1/l.wire())
	}
	for i, r := range alone {
		if fixed := max(l.calmest(rows, r)-m.perByte*float64(l.frame(r.Packet)), 0); i == 0 || fixed < m.fixed {
			m.fixed = fixed
		}
	}
	if t := m.period(u.Packet, u.Depth, l.Baud); t > 0 {
		m.scale = u.period / t
	}
	return m
}

// calmest is the shortest time that packets of a row's size took alone. If an echo took less than a short answer, host
// or device was busy with something else when the other was measured.
func (l Link) calmest(rows []Row, like Row) float64 {
	calm := like.calm
	for _, r := range rows {
		if r.asked == like.asked && r.Depth == 1 && r.usable() {
			took := r.calm
			if longer := l.frame(like.answer) - l.frame(r.answer); l.Baud > 0 && longer > 0 {
				took += float64(longer) / l.wire()
			}
			calm = min(calm, took)
		}
	}
	return calm
}

// period is the time from one chunk to the next, at another baud rate perhaps. Several in flight share the round trip,
// but what each byte takes they do not share: on a wire its time there, elsewhere all of it, for nobody knows better.
func (m model) period(packet, depth, baud int) float64 {
	up := float64(m.link.frame(packet))
	fixed, perByte := m.fixed, m.perByte
	if m.link.Baud == 0 {
		return m.scale * max(perByte*up, (fixed+perByte*up)/float64(depth))
	}
	wire := transport.BitsPerByte / float64(baud)
	saved := 1/m.link.wire() - wire
	perByte -= saved
	fixed = max(fixed-saved*float64(m.link.frame(uploadAnswer)), 0)
	return max(wire*up, m.scale*(fixed+perByte*up)/float64(depth))
}

// rate is what an upload would reach.
func (m model) rate(packet, depth, baud int) float64 {
	t := m.period(packet, depth, baud)
	if t <= 0 {
		return 0
	}
	return float64(uploadChunk(packet)) / t
}
