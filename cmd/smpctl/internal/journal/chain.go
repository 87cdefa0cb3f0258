package journal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// place is where a line stands.
type place struct {
	path   string
	number int
}

// chain holds lines against each other as they come: no input or output. What it says of a line, the next ones may
// settle.
type chain struct {
	keys  []ed25519.PublicKey
	found func(place, string)

	place    place                 // of the line before; the zero value: this is the first
	raw      []byte                // that line
	link     link                  // its beginning, of which only seq and event are kept
	sum      [2 * sha256.Size]byte // its SHA-256 in hexadecimal digits
	loose    bool                  // nothing can be said of what it should be followed by
	suspect  *place                // a line that was changed, unless it is the one after it that was
	unsigned int                   // lines since the last good head
	signed   int64                 // number of the last line that a head is about
}

func newChain(keys []ed25519.PublicKey, found func(place, string)) *chain {
	c := &chain{keys: keys, found: found}
	copy(c.sum[:], none)
	return c
}

// add goes over the next line, which stays the caller's.
func (c *chain) add(at place, line []byte) {
	k, err := linkOf(line)
	if err != nil {
		c.damaged(at, line, err)
		return
	}
	wanted := c.link.seq + 1
	switch follows := bytes.Equal(k.prev, c.sum[:]); {
	case c.loose && k.seq == wanted:
		c.clear()
	case follows && k.seq == wanted:
		c.settle()
	case follows:
		c.found(at, fmt.Sprintf("was changed: its number is %d and not %d", k.seq, wanted))
		k.seq = wanted
	case k.seq == wanted:
		c.unlike(at)
	case k.seq < wanted:
		c.outOfPlace(at, k.seq)
		return
	default:
		c.gap(at, wanted, k.seq)
	}
	c.keep(at, line, k)
	c.signature(at, line, k)
}

// linkOf reads the beginning of any line.
func linkOf(line []byte) (link, error) {
	k, ok := parseLink(line)
	if !ok {
		r, err := decode(line)
		if err != nil {
			return link{}, err
		}
		k = link{r.Seq, []byte(r.Prev), []byte(r.ID), r.Event}
	}
	if !k.event.known() {
		return link{}, fmt.Errorf("is about %q, which this smpctl does not know", k.event)
	}
	return k, nil
}

// keep makes a line the one before.
func (c *chain) keep(at place, line []byte, k link) {
	sum := sha256.Sum256(line)
	hex.Encode(c.sum[:], sum[:])
	c.raw = append(c.raw[:0], line...)
	c.place, c.link, c.loose = at, link{seq: k.seq, event: k.event}, false
}

// damaged is about a line that makes no sense. What stands where it did is not known, and the next may be anything.
func (c *chain) damaged(at place, line []byte, err error) {
	c.halved()
	c.clear()
	c.found(at, err.Error())
	c.keep(at, line, link{seq: c.link.seq + 1})
	c.loose = true
}

// halved tells of a line before that looks well only at its beginning.
func (c *chain) halved() bool {
	if c.place == (place{}) || c.loose {
		return false
	}
	_, err := decode(c.raw)
	if err != nil {
		c.found(c.place, err.Error())
		c.suspect = nil
	}
	return err != nil
}

// unlike is about a line that holds another hash than the line before has. One of them was changed: the one before,
// unless the next line says that it is this one.
func (c *chain) unlike(at place) {
	if c.halved() {
		return
	}
	if c.suspect != nil { // its hash is neither as the one before was, nor as the next says
		before := c.place
		c.suspect = nil
		c.found(before, "was changed")
		return
	}
	before := c.place
	if before == (place{}) {
		before = at // its hash is that of nothing
	}
	c.suspect = &before
}

// settle is about a line that fits: a line that it vouches for was not changed, so the one before that was.
func (c *chain) settle() { c.clear() }

func (c *chain) clear() {
	if c.suspect != nil {
		c.found(*c.suspect, "was changed: the line after it holds another SHA-256")
	}
	c.suspect = nil
}

// outOfPlace is about a line that came before. It is passed over.
func (c *chain) outOfPlace(at place, seq int64) {
	c.halved()
	c.clear()
	c.found(at, fmt.Sprintf("is out of place: its number is %d, after %d", seq, c.link.seq))
}

// gap is about a line before which others are missing.
func (c *chain) gap(at place, from, seq int64) {
	c.halved()
	c.clear()
	what := fmt.Sprintf("before it, lines number %d to %d are missing", from, seq-1)
	if from == seq-1 {
		what = fmt.Sprintf("before it, line number %d is missing", from)
	}
	c.found(at, what)
}

// signature checks heads, and that they are as many as a station writes.
func (c *chain) signature(at place, line []byte, k link) {
	c.unsigned++
	if k.event == Head {
		if err := checkHead(line, c.keys); err != nil {
			c.found(at, err.Error())
			return
		}
		c.unsigned, c.signed = 0, k.seq
		return
	}
	if len(c.keys) > 0 && c.unsigned == unsignedMost+1 {
		c.found(at, fmt.Sprintf("and the %d lines before it: no head is about them", unsignedMost))
	}
}

var errNothingSigned = errors.New("no line is signed with this key")

// end is about the last line, which no other vouches for.
func (c *chain) end() {
	if c.place == (place{}) {
		return
	}
	c.halved()
	if c.suspect != nil {
		if c.link.event == Head && checkHead(c.raw, nil) == nil {
			c.clear()
		} else {
			c.found(*c.suspect, "was changed, or the line after it was")
		}
	}
	if len(c.keys) > 0 && c.signed == 0 {
		c.found(c.place, errNothingSigned.Error())
	}
}
