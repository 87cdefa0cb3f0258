package congestion_test

import (
	"math/rand/v2"
	"time"

	"github.com/smpctl/smpctl/smp/internal/congestion"
)

// law is what decides: a [congestion.Control], or fixed limits.
type law interface {
	Limits() congestion.Limits
	OnSent(inFlight, lines int, now time.Duration) congestion.Sent
	OnAck(s congestion.Sent, bytes int, now time.Duration)
	OnLoss(s congestion.Sent, now time.Duration)
}

// fixed is the law that never changes.
type fixed congestion.Limits

func (f fixed) Limits() congestion.Limits                              { return congestion.Limits(f) }
func (f fixed) OnSent(n, lines int, now time.Duration) congestion.Sent { return congestion.Sent{} }
func (f fixed) OnAck(congestion.Sent, int, time.Duration)              {}
func (f fixed) OnLoss(congestion.Sent, time.Duration)                  {}

var lineGaps = [...]time.Duration{0, 2 * time.Millisecond, 10 * time.Millisecond}

// sender is go-back-N with probe time-outs, as the transfer does it.
type sender struct {
	device
	law     law
	rng     rand.Rand
	pcg     rand.PCG
	packets [256]packet // used in turn; many more than are ever on their way
	used    int

	wireFree          time.Duration
	wanted, next, ids int
	draining          bool
	flight            []sentChunk
	probes            []int // id of the last chunk before each
	backoff           int   // probe time-outs since the last answer or chunk
	heard             time.Duration
	mean, deviation   time.Duration
	losses, silences  int
}

type sentChunk struct {
	p     *packet
	stamp congestion.Sent
	sent  time.Duration
}

// deaf is how long a silence lasts before a probe is sent without room for it: by then nothing can be waiting in the
// device.
const deaf = 3 * time.Second

// run plays an upload, and returns how long it took; limit if it takes longer.
func (s *sender) run(m model, l law, seed uint64, limit time.Duration) time.Duration {
	s.pcg.Seed(seed, 11)
	s.rng = *rand.New(&s.pcg)
	s.device.reset(m, func(p float64) bool { return p > 0 && s.rng.Float64() < p })
	s.law, s.used = l, 0
	s.wireFree, s.wanted, s.next, s.ids, s.draining = 0, 0, 0, 0, false
	s.flight, s.probes = s.flight[:0], s.probes[:0]
	s.backoff, s.heard, s.losses, s.silences = 0, 0, 0, 0
	s.mean = 2*m.latency + 2*m.bytes(shortLine)
	s.deviation = s.mean / 2
	for now := time.Duration(0); s.wanted < m.upload; {
		if now >= limit {
			return limit
		}
		s.fill(now)
		timer := s.timer()
		answer := never
		if s.answers.len() > 0 {
			answer = (*s.answers.front()).at
		}
		now = max(now, min(s.device.next(), answer, timer))
		switch {
		case answer <= now:
			s.receive(s.answers.pop(), now)
		case s.device.next() <= now:
			s.device.step(now)
		default:
			s.probe(now)
		}
	}
	return s.heard
}

// fill sends what may be sent. First and last chunk travel alone.
func (s *sender) fill(now time.Duration) {
	for {
		limits := s.law.Limits()
		if len(s.flight) >= limits.InFlight {
			return
		}
		if s.draining && len(s.flight) == 0 {
			s.draining, s.next = false, s.wanted
		}
		if s.draining || s.next >= s.upload || len(s.flight) > 0 && s.flight[0].p.off == 0 {
			return
		}
		end := min(s.next+s.room(limits.Lines), s.upload)
		if end == s.upload && len(s.flight) > 0 {
			return
		}
		lines := (end - s.next + overhead + lineBytes - 1) / lineBytes
		s.ids++
		s.backoff = 0
		p := s.post(packet{id: s.ids, off: s.next, end: end, lines: lines}, lineGaps[limits.Gap], now)
		s.flight = append(s.flight, sentChunk{p, s.law.OnSent(len(s.flight)+1, lines, now), now})
		s.next = end
	}
}

// post puts a packet on the wire.
func (s *sender) post(v packet, gap, now time.Duration) *packet {
	p := &s.packets[s.used%len(s.packets)]
	s.used++
	*p = v
	p.step = max(s.bytes(fullLine), gap) // from the beginning of a line to that of the next
	start := max(now, s.wireFree)
	s.wireFree = start + time.Duration(p.lines-1)*p.step + max(s.bytes(p.wire(p.lines-1)), gap)
	p.first = start + s.latency
	p.lost = s.roll(s.request)
	s.arrive(p)
	return p
}

// receive takes an answer.
func (s *sender) receive(p *packet, now time.Duration) {
	s.heard, s.backoff = now, 0
	if p.end == 0 {
		s.alive(p, now)
		return
	}
	i := 0
	for i < len(s.flight) && s.flight[i].p != p {
		i++
	}
	if i == len(s.flight) {
		return
	}
	c, oldest := s.flight[i], s.flight[0]
	s.flight = append(s.flight[:0], s.flight[i+1:]...)
	for len(s.probes) > 0 && s.probes[0] < p.id {
		s.probes = s.probes[1:]
	}
	if p.off > 0 && p.end < s.upload {
		s.measure(now - c.sent)
	}
	switch {
	case p.refused:
		s.draining = true
	case p.wanted == p.end && !s.draining:
		s.law.OnAck(c.stamp, p.wanted-s.wanted, now)
		s.wanted = p.wanted
	default:
		s.disagree(oldest, p.wanted, now)
	}
}

func (s *sender) disagree(oldest sentChunk, wanted int, now time.Duration) {
	switch {
	case wanted > s.wanted:
		s.wanted = wanted
	case !s.draining:
		s.losses++
		s.law.OnLoss(oldest.stamp, now)
	}
	s.draining = true
}

// alive takes the answer to a probe: what was sent before it is lost.
func (s *sender) alive(p *packet, now time.Duration) {
	for len(s.flight) > 0 && s.flight[0].p.id <= p.id {
		s.disagree(s.flight[0], s.wanted, now)
		s.flight = append(s.flight[:0], s.flight[1:]...)
	}
	for len(s.probes) > 0 && s.probes[0] <= p.id {
		s.probes = s.probes[1:]
	}
}

func (s *sender) measure(took time.Duration) {
	s.deviation += ((took - s.mean).Abs() - s.deviation) / 4
	s.mean += (took - s.mean) / 8
}

// timer is when to probe: after the probe time-out, doubled with every one that had no effect (RFC 9002, section
// 6.2.1).
func (s *sender) timer() time.Duration {
	if len(s.flight) == 0 {
		return never
	}
	last := s.flight[len(s.flight)-1]
	timeout := min(max(s.mean+4*s.deviation, s.mean*5/4, 40*time.Millisecond), time.Second)
	switch {
	case len(s.flight) > spare(s.model): // the probe would take the last buffer, which the answer needs
		timeout = deaf << min(s.backoff, 12) // beyond any limit: counted from news, it must grow for time to pass
	case s.backoff > 0:
		timeout = max(timeout<<min(s.backoff, 20), 500*time.Millisecond)
	}
	return max(last.sent, s.heard) + time.Duration(last.p.lines)*last.p.step + timeout
}

func (s *sender) probe(now time.Duration) {
	s.backoff++
	s.silences++
	id := s.flight[len(s.flight)-1].p.id
	s.probes = append(s.probes, id)
	s.post(packet{id: id, lines: 1}, 0, now)
}
