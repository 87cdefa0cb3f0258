package measure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/smp"
)

// bottleneck is what limits an upload.
type bottleneck string

const (
	limitUnknown    bottleneck = "unknown"      // nothing passed, or the time was too short
	limitLoss       bottleneck = "loss"         // packets of any size are lost
	limitWire       bottleneck = "wire"         // the baud rate
	limitLines      bottleneck = "line-buffers" // what arrives together is lost
	limitOneAtATime bottleneck = "one-at-a-time"
	limitRoundTrip  bottleneck = "round-trip"
	limitThroughput bottleneck = "throughput" // link and device carry so many bytes, however they come
)

const (
	wireIsLimit      = 0.95 // share of the wire from which on nothing but the wire matters
	worthIt          = 1.05 // times faster, from which on advice is given
	noWire           = 0.95 // share of the time that two frames take on a wire, below which there is none
	noise            = 5    // percent of single lines lost, from which on nothing else matters
	roundTripMatters = 0.5  // share of the time of a packet that does not depend on its size
)

// advice is one change of the firmware or of the link that would make uploads faster.
type advice struct {
	Option string  `json:"option"`           // of the firmware's configuration, or of smpctl
	Value  string  `json:"value"`            // that it should have
	Text   string  `json:"text"`             // why, for people
	Rate   int     `json:"bytes_per_second"` // expected of an upload then
	Factor float64 `json:"factor"`           // how many times as fast as now
}

// Verdict is what the measurements mean.
type Verdict struct {
	Limit     bottleneck      `json:"limit"`                // what limits an upload
	Reason    string          `json:"reason"`               // the same in a sentence for people
	LinesPass int             `json:"lines_pass,omitempty"` // lines of the longest packet that is not lost
	Upload    *expectedUpload `json:"upload,omitempty"`     // what to expect of one, if the flash keeps up
	Advice    []advice        `json:"advice"`               // what would make uploads faster
}

// judge says what limits the link and what would help. It is pure.
func judge(l Link, rows []Row) Verdict {
	v := Verdict{Limit: limitUnknown, Reason: "too little was answered", Advice: []advice{}}
	v.Upload = bestUpload(rows)
	if sent, lost := smallLosses(rows); lost >= judgedLosses && lost*100 > noise*sent {
		v.Limit = limitLoss
		v.Reason = fmt.Sprintf("%d of %d packets of a single line were lost: noise, a wrong baud rate, or another "+
			"program that reads the port", lost, sent)
		return v
	}
	if v.Upload == nil {
		return v
	}
	v.LinesPass = linesPass(rows)
	m := newModel(l, rows, *v.Upload)
	v.Limit, v.Reason = l.limits(rows, v, m)
	v.Advice = l.advise(rows, v, m)
	return v
}

// limits names the bottleneck, the gravest first.
func (l Link) limits(rows []Row, v Verdict, m model) (bottleneck, string) {
	u := *v.Upload
	switch {
	case u.WireShare != nil && *u.WireShare >= wireIsLimit:
		return limitWire, fmt.Sprintf("the wire is busy %.0f%% of the time at %d baud",
			100*min(*u.WireShare, 1), l.Baud)
	case v.LinesPass > 0:
		return limitLines, fmt.Sprintf("packets of more than %s are lost: the device has too few buffers for lines "+
			"that arrive together", human.Count(v.LinesPass, "line"))
	case depthFails(rows):
		return limitLines, "several packets in flight are lost: the device has too few buffers for lines that arrive " +
			"together"
	case l.Depth == 1:
		return limitOneAtATime, "one request at a time, " + l.whyAlone()
	case l.Baud > 0:
		return limitRoundTrip, fmt.Sprintf("the round trip: the wire is idle %.0f%% of the time", 100*(1-*u.WireShare))
	case m.scale*m.fixed/float64(u.Depth) > roundTripMatters*u.period:
		return limitRoundTrip, fmt.Sprintf("the round trip: each packet costs %s whatever its size",
			human.Span(seconds(m.fixed)))
	}
	return limitThroughput, "link and device carry this many bytes, whatever the size of the packets"
}

// whyAlone says why only one request is in flight.
func (l Link) whyAlone() string {
	switch {
	case l.Bootloader:
		return "as MCUboot works"
	case !l.Params.Known:
		return "because the device does not tell its packet buffers"
	case l.Params.BufferCount <= 2:
		return fmt.Sprintf("because the device has %s and an answer needs one",
			human.Count(l.Params.BufferCount, "packet buffer"))
	}
	return "as --window demands"
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// smallLosses counts the packets of at most one line that went alone.
func smallLosses(rows []Row) (sent, lost int) {
	for _, r := range rows {
		if r.Depth == 1 && r.Lines <= 1 && r.asked <= oneLinePacket {
			sent, lost = sent+r.Sent, lost+r.Lost
		}
	}
	return sent, lost
}

// oneLinePacket fills one line of the default length.
const oneLinePacket = 89

// linesPass is the number of lines of the longest packet that passes, if longer ones are lost; 0 if all pass, or none.
func linesPass(rows []Row) int {
	good, bad := 0, false
	for _, r := range rows {
		switch {
		case r.Depth > 1:
		case r.unusable():
			bad = true
		case r.usable():
			good = max(good, r.Lines)
		}
	}
	if !bad {
		return 0
	}
	return good
}

// What advice may propose.
const (
	fastBaud   = 1_000_000
	largeBuf   = 2048 // bytes
	hugeBuf    = 4096
	stockBuf   = 384 // CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE
	stockCount = 4   // CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT
)

// advise lists what would help, the most effective first.
func (l Link) advise(rows []Row, v Verdict, m model) []advice {
	u, list := *v.Upload, []advice{}
	add := func(option string, value int, packet, depth, baud int, text string) {
		rate := m.rate(packet, depth, baud)
		if factor := rate / float64(max(u.Rate, 1)); factor >= worthIt {
			list = append(list,
				advice{option, strconv.Itoa(value), text, int(math.Round(rate)), math.Round(factor*100) / 100})
		}
	}
	if l.Baud > 0 && l.Baud < fastBaud {
		add("baud", fastBaud, u.Packet, u.Depth, fastBaud, "a faster wire, on both sides"+l.lineHint(u.Packet, u.Depth))
	}
	hint := l.lineHint
	if l.Baud > 0 && v.LinesPass == 0 && !depthFails(rows) {
		hint = func(int, int) string { return "" } // the wire is slow enough for the device to keep up
	}
	if v.LinesPass > 0 || depthFails(rows) {
		n := l.lines(l.Limit) * l.Depth
		add(l.option("CONFIG_UART_MCUMGR_RX_BUF_COUNT", "CONFIG_BOOT_LINE_BUFS"), n, l.Limit, l.Depth, l.Baud,
			fmt.Sprintf("room for all lines of %s of %d bytes", human.Count(l.Depth, "packet"), l.Limit))
	}
	if !l.Params.Known && !l.Bootloader {
		packet := stockBuf - (l.Params.BufferSize - l.Limit)
		add("CONFIG_MCUMGR_GRP_OS_MCUMGR_PARAMS",
			1, packet, stockCount-1, l.Baud,
			"the device then says how much it takes; the numbers are for Zephyr's defaults")
	} else if l.Params.Known && l.Params.BufferCount < stockCount && !l.Bootloader && !l.Raw {
		add("CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT",
			stockCount, u.Packet, stockCount-1, l.Baud, "several requests in flight"+hint(u.Packet, stockCount-1))
	}
	if size := largerBuffer(l.Params); size > 0 && v.LinesPass == 0 { // else the present size is not used yet
		packet := size - (l.Params.BufferSize - l.Limit)
		add(l.option("CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE", "CONFIG_BOOT_SERIAL_MAX_RECEIVE_SIZE"), size, packet,
			u.Depth, l.Baud, "more of the image for each round trip"+hint(packet, u.Depth))
	}
	slices.SortStableFunc(list, func(a, b advice) int { return cmp.Compare(b.Rate, a.Rate) })
	return list
}

// option is the name of an option in Zephyr's application or in MCUboot.
func (l Link) option(application, bootloader string) string {
	if l.Bootloader {
		return bootloader
	}
	return application
}

// lineHint reminds of the line buffers, which must hold what arrives together.
func (l Link) lineHint(packet, depth int) string {
	if l.Raw {
		return ""
	}
	return fmt.Sprintf("; %s=%d holds all its lines",
		l.option("CONFIG_UART_MCUMGR_RX_BUF_COUNT", "CONFIG_BOOT_LINE_BUFS"), l.lines(packet)*depth)
}

// largerBuffer is the next size of a packet buffer worth a try; 0 if it is large enough.
func largerBuffer(p smp.Params) int {
	switch {
	case !p.Known:
		return 0
	case p.BufferSize < largeBuf:
		return largeBuf
	case p.BufferSize < hugeBuf:
		return hugeBuf
	}
	return 0
}

// depthFails reports whether several packets in flight are lost that pass alone.
func depthFails(rows []Row) bool {
	return slices.ContainsFunc(rows, func(r Row) bool { return r.Depth > 1 && r.unusable() })
}

// onWire completes the rows with their shares of the wire. It reports false, and leaves the rows alone, when answers
// came sooner than a wire at this baud rate can carry them and their requests: a pseudo-terminal takes any baud rate
// and keeps none.
func onWire(l Link, rows []Row) bool {
	for _, r := range rows {
		if r.Depth == 1 && r.usable() && r.RoundTrip*l.wire() < noWire*float64(l.frame(r.Packet)+l.frame(r.answer)) {
			return false
		}
	}
	for i := range rows {
		if r := &rows[i]; r.period > 0 {
			least := float64(l.frame(r.Packet)) / l.wire()
			r.period = max(r.period, least) // answers that a busy host sees in a bunch came one by one
			share := least / r.period
			r.Rate, r.WireShare = int(math.Round(float64(r.Packet)/r.period)), &share
		}
	}
	return true
}
