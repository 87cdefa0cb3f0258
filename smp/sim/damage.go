package sim

import (
	"math/rand/v2"
	"slices"
)

// damage is what one direction of a wire does to lines.
type damage struct {
	w   Wire
	rng *rand.Rand
}

// happens rolls for an event, and does not roll for what cannot happen.
func (d damage) happens(p float64) bool { return p > 0 && d.rng.Float64() < p }

// line gives a copy of what is left of a line.
func (d damage) line(line []byte) []byte {
	if d.happens(d.w.LoseLine) {
		return nil
	}
	out := make([]byte, 0, 2*len(line))
	for _, b := range line {
		if d.happens(d.w.LoseByte) {
			continue
		}
		if d.happens(d.w.Flip) {
			b ^= 1 << d.rng.IntN(8)
		}
		out = append(out, b)
	}
	if d.happens(d.w.DoubleLine) {
		out = append(out, out...)
	}
	return out
}

// mixed is a line with other text before or in it.
func (d damage) mixed(line []byte) []byte {
	out := d.line(line)
	if d.happens(d.w.LogInside) && len(out) > 0 {
		out = slices.Insert(out, d.rng.IntN(len(out)), d.chatter()...)
	}
	if d.happens(d.w.LogBetween) {
		out = append(d.chatter(), out...)
	}
	return out
}

func (d damage) chatter() []byte { return []byte(chatterTexts[d.rng.IntN(len(chatterTexts))]) }

// chatterTexts are what a console prints at the wrong moment: colours, bytes that begin a frame or a line of one, long
// and binary text.
var chatterTexts = [...]string{
	"[00:00:01.042,000] \x1b[1;33m<wrn> app: queue is full\x1b[0m\r\n",
	"\x1b[8D\x1b[J[00:00:02.000] <inf> app: tick\r\n\x1b[1;32muart:~$ \x1b[m",
	"\x06", "\x04", "\x06\x09", "\x04\x14", "\x06\x09\x04\x14\r\n", "\x06\x09AAAA\n", "\x04\x14////\n",
	"\r\n", "\x00\xff\xfe\x80", "uart:~$ ",
	"E: " + "a very long line of a very talkative driver, without an end to it, " +
		"a very long line of a very talkative driver, without an end to it\r\n",
}
