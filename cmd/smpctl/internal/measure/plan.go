package measure

import (
	"cmp"
	"slices"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

// shape is how a request of the bench and its answer look on the wire.
type shape string

const (
	// shapeEcho sends text that comes back: the answer is as long as the request.
	shapeEcho shape = "echo"
	// shapeParams asks for the parameters with text that no server looks at: a long request and a short answer, as in
	// an upload, and every server answers it, if only by saying that it has no such command.
	shapeParams shape = "params"
)

// setting is one way to load the link.
type setting struct {
	Request shape `json:"request"`      // what was sent
	Packet  int   `json:"packet_bytes"` // SMP header included
	Lines   int   `json:"lines"`        // number of lines of its frame; 0 with raw framing
	Depth   int   `json:"in_flight"`    // requests under way at the same time
}

// Row is what came of a setting.
type Row struct {
	setting
	Sent      int      `json:"sent"`                         // requests that were sent
	Lost      int      `json:"lost"`                         // requests without an answer
	RoundTrip float64  `json:"round_trip_seconds,omitempty"` // median; absent if nothing was answered
	Rate      int      `json:"bytes_per_second"`             // of request packets, one way; pauses after a loss count
	WireShare *float64 `json:"wire_share,omitempty"`         // share of the time in which the wire was busy: 0 to 1

	asked  int     // packet size of the plan, which the device may have refused by a byte or two
	answer int     // bytes of an answer packet
	calm   float64 // round trip in seconds that a quarter stays below: what host and device do beside it counts less
	period float64 // seconds from one answer to the next
}

// A setting is unusable when it loses a good part of its requests; a noisy wire loses some of any size.
const (
	judgedLosses    = 3  // before a setting is judged
	toleratedLosses = 30 // percent
)

// unusable reports whether the setting itself loses requests.
func (r Row) unusable() bool { return r.Lost >= judgedLosses && r.Lost*100 > toleratedLosses*r.Sent }

// usable reports whether the setting works; one that was skipped neither works nor fails.
func (r Row) usable() bool { return r.period > 0 && !r.unusable() }

// Link is what is known of the link before the first measurement.
type Link struct {
	Params     smp.Params
	Limit      int  // bytes of the largest packet that the device takes
	Depth      int  // most requests that may be in flight
	LineLength int  // bytes of the longest line sent
	Raw        bool // no lines
	Baud       int  // of the wire; 0 if there is none, or if nothing can be said of it
	Bootloader bool // MCUboot's serial recovery answers
}

// Depth is how many requests the device can hold for sure: an answer needs a buffer too, and Zephyr 4.4.0 crashes
// when a request arrives and no buffer is left.
func Depth(p smp.Params, window int) int {
	depth := 1
	if p.Known {
		depth = max(p.BufferCount-1, 1)
	}
	if window > 0 {
		depth = min(depth, window)
	}
	return depth
}

// Console framing (Zephyr smp_transport.rst): a marker of two bytes and a newline enclose base64; length and checksum
// take four bytes of the packet's lines.
const (
	lineMarks = 3
	frameRoom = 4
)

// lineRoom is how many bytes one line carries.
func (l Link) lineRoom() int {
	return max((cmp.Or(l.LineLength, transport.DefaultLineLength)-lineMarks)/4*3, 3)
}

// lines is how many lines a packet takes; 0 with raw framing.
func (l Link) lines(packet int) int {
	if l.Raw {
		return 0
	}
	return (packet + frameRoom + l.lineRoom() - 1) / l.lineRoom()
}

// fill is the packet that fills so many lines.
func (l Link) fill(lines int) int { return lines*l.lineRoom() - frameRoom }

// frame is the number of bytes on the wire.
func (l Link) frame(packet int) int {
	if l.Raw {
		return packet
	}
	return transport.FrameLen(packet, l.LineLength)
}

// wire is what the wire carries in bytes per second; 0 if nothing can be said of it.
func (l Link) wire() float64 { return float64(l.Baud) / transport.BitsPerByte }

// plan says what to measure next. It is pure: what it knows are the rows so far.
type plan struct {
	link   Link
	shape  shape // of the first measurements; shapeParams for a device without echo
	sizes  []int // bytes, smallest first
	depths []int // 1 first
}

// tinyPacket stands for the round trip.
const tinyPacket = 16

func newPlan(l Link) plan {
	sizes := []int{tinyPacket, l.Limit / 2, l.Limit}
	if l.Raw {
		sizes = append(sizes, l.Limit/4)
	} else {
		sizes = append(sizes, l.fill(1), l.fill(2))
	}
	sizes = slices.DeleteFunc(sizes, func(n int) bool { return n < tinyPacket || n > l.Limit })
	slices.Sort(sizes)
	depths := []int{1}
	for d := 2; d < l.Depth; d *= 2 {
		depths = append(depths, d)
	}
	if l.Depth > 1 {
		depths = append(depths, l.Depth)
	}
	return plan{link: l, shape: shapeEcho, sizes: slices.Compact(sizes), depths: depths}
}

// most is an upper bound for the number of measurements, to share the time out.
func (p plan) most() int { return len(p.sizes)*len(p.depths) + len(p.depths) + 3 }

// next is the next measurement, or false when all is known: first every size alone; then, if large packets are lost,
// how many lines pass; then several in flight; at last the shape of an upload, with the smallest packet and at each
// depth with the largest one that passes. When time is short only the last is left.
func (p plan) next(rows []Row, short bool) (setting, bool) {
	if !short {
		for _, size := range p.sizes {
			if s := p.at(p.shape, size, 1); p.open(s, rows) {
				return s, true
			}
		}
		if lines := p.between(rows); lines > 0 {
			if s := p.at(p.shape, p.link.fill(lines), 1); p.open(s, rows) {
				return s, true
			}
		}
		for _, depth := range p.depths[1:] {
			for _, size := range p.passing(rows) {
				if s := p.at(p.shape, size, depth); p.open(s, rows) {
					return s, true
				}
			}
		}
	}
	if s := p.at(shapeParams, tinyPacket, 1); len(rows) > 0 && p.open(s, rows) {
		return s, true
	}
	for _, depth := range p.depths {
		if size := p.largest(rows, depth); size > 0 {
			if s := p.at(shapeParams, size, depth); p.open(s, rows) {
				return s, true
			}
		}
	}
	return setting{}, false
}

func (p plan) at(s shape, size, depth int) setting {
	return setting{Request: s, Packet: size, Lines: p.link.lines(size), Depth: depth}
}

// open reports whether a setting is worth measuring.
func (p plan) open(s setting, rows []Row) bool {
	return !p.fails(s, rows) && !slices.ContainsFunc(rows, func(r Row) bool {
		return r.Request == s.Request && r.asked == s.Packet && r.Depth == s.Depth
	})
}

// fails reports whether a setting is lost, because it or a smaller one was.
func (p plan) fails(s setting, rows []Row) bool {
	return slices.ContainsFunc(rows, func(r Row) bool {
		return r.unusable() && r.Request == s.Request && r.asked <= s.Packet && r.Depth <= s.Depth
	})
}

// between is a number of lines between the most that passed and the fewest that were lost; 0 if there is none.
func (p plan) between(rows []Row) int {
	good, bad := 0, 0
	for _, r := range rows {
		switch {
		case r.Request != p.shape || r.Depth > 1:
		case r.usable():
			good = max(good, r.Lines)
		case r.unusable() && (bad == 0 || r.Lines < bad):
			bad = r.Lines
		}
	}
	if good == 0 || bad-good < 2 {
		return 0
	}
	return (good + bad) / 2
}

// passing are the sizes that pass alone, smallest first, without the one that stands for the round trip.
func (p plan) passing(rows []Row) []int {
	var sizes []int
	for _, r := range rows {
		if r.Request == p.shape && r.Depth == 1 && r.usable() && r.asked > tinyPacket {
			sizes = append(sizes, r.asked)
		}
	}
	slices.Sort(sizes)
	return slices.Compact(sizes)
}

// largest is the largest packet that passes at a depth, and did not fail in the shape of an upload; 0 if none does.
func (p plan) largest(rows []Row, depth int) int {
	size := 0
	for _, r := range rows {
		if r.Request == p.shape && r.Depth == depth && r.usable() && !p.fails(p.at(shapeParams, r.asked, depth), rows) {
			size = max(size, r.asked)
		}
	}
	return size
}
