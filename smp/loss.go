package smp

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/smpctl/smpctl/smp/internal/congestion"
)

// lossDetection finds out what became of requests: those of a transfer and single ones alike. It follows RFC 9002,
// section 6, as far as that fits a server which answers in the order of requests.
//
//   - An answer acknowledges its request, and proves that what was sent before it and not answered is lost.
//   - A request is never simply sent again because time went by: a device that is only slow would queue every copy,
//     and Zephyr 4.4.0 crashes when its packet buffers run out. After a probe time-out a probe is sent instead, a
//     small request that every server answers, and its answer proves the loss.
//   - A probe is only sent while the device has room for it and for an answer. The owner may send a late one, when
//     after a long silence nothing can be waiting in the device any more.
type lossDetection struct {
	c        *Client
	rtt      rtt
	done     chan *call
	timer    *time.Timer
	inFlight []*sent // requests and probes, in the order in which they were sent
	lost     []*sent // by the last news; kept to use its memory again

	quiet   time.Time     // when the last request was sent or the last answer came
	backoff int           // probe time-outs since then
	probed  bool          // a probe was sent since then
	least   time.Duration // of a probe time-out
	most    time.Duration
	carry   time.Duration // that the link needs for the last request and its answer
	probes  bool          // may be sent at all
	reserve int           // requests that will still be sent without a look at the device's room
	damaged int           // answers in a row that no device would send
}

// sent is a request or a probe on its way.
type sent struct {
	call
	probe bool
	at    time.Time
	chunk chunk           // of a transfer
	how   congestion.Sent // the same
	buf   bytes.Buffer    // holds packet; used again with the chunk's memory
}

// news is what became of requests.
type news struct {
	answered *sent   // this one has its answer
	lost     []*sent // these are lost for certain; valid until the next news
	silence  bool    // nothing came before the deadline
}

const (
	maxProbes   = 8                      // in one silence
	secondProbe = 500 * time.Millisecond // of silence at least before the second one
)

// maxDamaged is how many answers in a row may be taken for damaged ones. The next is what the device means.
const maxDamaged = 3

func newLossDetection(c *Client, room int) *lossDetection {
	d := &lossDetection{c: c, done: make(chan *call, room), probes: true, most: maxProbeTimeout}
	d.rtt.measure(c.roundTrip())
	d.timer = time.NewTimer(time.Hour)
	return d
}

// sending records a request that is about to be sent.
func (d *lossDetection) sending(s *sent) {
	s.at = time.Now()
	d.inFlight = append(d.inFlight, s)
	if !s.probe {
		d.quiet, d.backoff, d.probed, d.carry = s.at, 0, false, d.c.wire(len(s.packet))
	}
}

// wait blocks until there is news: an answer, losses, or neither until the deadline. It sends probes meanwhile.
func (d *lossDetection) wait(ctx context.Context, deadline time.Time) (news, error) {
	for {
		due := d.probeDue()
		d.timer.Reset(time.Until(earlier(due, deadline)))
		cl, err := await(ctx, d.done, d.timer.C)
		switch {
		case err != nil:
			return news{}, err
		case cl != nil && cl.err != nil:
			return news{}, cl.err
		case cl != nil:
			if n := d.answered(cl); n.answered != nil || len(n.lost) > 0 {
				return n, nil
			}
		case !time.Now().Before(deadline):
			return news{silence: true}, nil
		case len(d.inFlight) > 0 && d.c.overtaken(&d.inFlight[0].call):
			if n := d.giveUp(d.c.overtaken); len(n.lost) > 0 {
				return n, nil
			}
		default:
			d.backoff++
			if err := d.sendProbe(d.room()); err != nil {
				return news{}, err
			}
		}
	}
}

// answered takes an answer. What is not in flight any more was given up, and its answer means nothing.
func (d *lossDetection) answered(cl *call) (n news) {
	i := slices.IndexFunc(d.inFlight, func(s *sent) bool { return &s.call == cl })
	if i < 0 {
		return news{}
	}
	d.quiet, d.backoff, d.probed = time.Now(), 0, false
	s := d.inFlight[i]
	if d.isDamaged(s) {
		return d.giveUp(func(cl *call) bool { return cl.order <= s.order })
	}
	d.inFlight = slices.Delete(d.inFlight, i, i+1)
	if !s.probe {
		n.answered = s
	}
	n.lost = d.giveUp(func(cl *call) bool { return cl.order < s.order }).lost
	return n
}

// isDamaged reports whether an answer counts as lost because its payload is cut off, or no CBOR at all. A checksum of
// 16 bits lets one damaged packet in 65536 pass, such as the beginning of one with the end of the next when a line between
// them was lost; raw framing has none. What may not be asked twice is taken as it is.
func (d *lossDetection) isDamaged(s *sent) bool {
	if !d.probes || len(s.body) == 0 || wellFormed(s.body) {
		d.damaged = 0
		return false
	}
	d.damaged++
	return d.damaged <= maxDamaged
}

// giveUp gives up what is lost for certain.
func (d *lossDetection) giveUp(isLost func(*call) bool) news {
	d.lost = d.lost[:0]
	for len(d.inFlight) > 0 && isLost(&d.inFlight[0].call) {
		s := d.inFlight[0]
		d.inFlight = slices.Delete(d.inFlight, 0, 1)
		if d.c.withdraw(&s.call); !s.probe {
			d.lost = append(d.lost, s)
		}
	}
	return news{lost: d.lost}
}

// measure takes the round trip of a request like those that follow; before the first one the probe time-out is a guess.
func (d *lossDetection) measure(took time.Duration) {
	d.least = 0
	d.rtt.measure(took)
}

// probeDue is when the next probe is to be sent: after the probe time-out, doubled with every one that had no effect
// (RFC 9002, section 6.2.1).
func (d *lossDetection) probeDue() time.Time {
	if !d.probes || d.backoff >= maxProbes {
		return d.quiet.Add(time.Hour)
	}
	timeout := min(max(d.rtt.probeTimeout(), d.least), d.most) << d.backoff
	if d.backoff > 0 {
		timeout = max(timeout, secondProbe)
	}
	return d.quiet.Add(d.carry + timeout)
}

// room is how many requests the device may hold for another probe to be sent.
func (d *lossDetection) room() int {
	room := d.c.room()
	if d.reserve > 0 && slices.ContainsFunc(d.inFlight, func(s *sent) bool { return s.probe }) {
		params, _, _ := d.c.negotiatedParams()
		room = min(room, params.BufferCount-d.reserve)
	}
	return room
}

// deaf reports whether no probe was sent in this silence because requests take all the room that the device has.
func (d *lossDetection) deaf() bool { return !d.probed && d.requests() >= d.c.room() }

// sendProbe sends a probe, unless the device holds as many requests as the limit already, or the link has not taken the
// last request yet: both would come at once when it does.
func (d *lossDetection) sendProbe(limit int) error {
	if n := len(d.inFlight); n > 0 && d.c.unsent(&d.inFlight[n-1].call) {
		return nil
	}
	s := &sent{call: call{packet: d.c.probe(), done: d.done, fresh: d.backoff%2 == 0}, probe: true}
	err := d.c.start(&s.call, limit)
	if errors.Is(err, errNoRoom) {
		return nil
	}
	if err != nil {
		return err
	}
	d.probed = true
	d.sending(s)
	return nil
}

// sendLateProbe sends a probe although the device may have no room for it, once nothing can be waiting there any more.
func (d *lossDetection) sendLateProbe() error {
	d.probed = true
	return d.sendProbe(noLimit)
}

// oldest is the request that has waited longest for its answer. There must be one.
func (d *lossDetection) oldest() *sent {
	return d.inFlight[slices.IndexFunc(d.inFlight, func(s *sent) bool { return !s.probe })]
}

// requests is the number of those that wait for their answers.
func (d *lossDetection) requests() int {
	n := 0
	for _, s := range d.inFlight {
		if !s.probe {
			n++
		}
	}
	return n
}

// stop gives up everything.
func (d *lossDetection) stop() {
	d.timer.Stop()
	for _, s := range d.inFlight {
		d.c.withdraw(&s.call)
	}
}

// probe is a request that every server answers, if only by saying that it does not have it. Of an application that
// answers a request which no bootloader hears it is one: a bootloader into which the device fell meanwhile must not
// take it for a wish to stay, and its answer would prove nothing.
func (c *Client) probe() []byte {
	if c.answersProbes() {
		return c.applicationProbe()
	}
	h := Header{Version: c.Version(), Op: osParams.op, Length: 1, Group: osParams.group, Command: osParams.id}
	return append(h.Append(nil), emptyMap)
}

// earlier of two times.
func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// rtt estimates how long an answer takes, from those that came (RFC 6298, section 2).
type rtt struct {
	smoothed, variation time.Duration // smoothed 0: nothing measured yet
}

// Bounds of the probe time-out.
const (
	minProbeTimeout = 40 * time.Millisecond // a host's scheduler and a USB stack take that now and then
	maxProbeTimeout = time.Second
)

// measure takes the time that one answer took.
func (r *rtt) measure(took time.Duration) {
	if r.smoothed == 0 {
		r.smoothed, r.variation = took, took/2
		return
	}
	r.variation += ((took - r.smoothed).Abs() - r.variation) / 4
	r.smoothed += (took - r.smoothed) / 8
}

// probeTimeout is how long an answer may take before it is worth asking what became of the request (RFC 9002, section
// 6.2.1).
func (r *rtt) probeTimeout() time.Duration {
	if r.smoothed == 0 {
		return maxProbeTimeout
	}
	return min(max(r.smoothed+4*r.variation, r.smoothed*5/4, minProbeTimeout), maxProbeTimeout)
}
