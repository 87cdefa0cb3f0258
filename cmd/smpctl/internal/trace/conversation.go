package trace

import (
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/smpctl/smpctl/smp"
)

// conversation follows the packets of a connection: which answer belongs to which request, and what is asked again.
type conversation struct {
	sentLast [256]sending         // by sequence number
	waiting  map[question]attempt // what no answer has ended
	high     map[target]uint64    // the end of what was sent of an upload, in bytes
}

// sending is a request under its sequence number.
type sending struct {
	header   smp.Header
	question question
	at       time.Duration
	sent     bool // false in the zero value
	answered bool
}

// question is what makes two requests the same, whatever their sequence numbers and versions. Two chunks of an upload
// are the same from their offset on: how long they are may change.
type question struct {
	target
	op      smp.Op
	payload string // empty for chunks
	chunk   bool
	offset  uint64 // of chunks
}

type target struct {
	group   smp.Group
	command uint8
}

type attempt struct {
	number int
	at     time.Duration
}

// mostWaiting bounds what is kept of requests that nobody answers.
const mostWaiting = 1 << 10

// request says what there is to say of a packet that was sent: that it is not the first of its kind.
func (c *conversation) request(h smp.Header, payload []byte, at time.Duration) string {
	q := question{target: target{h.Group, h.Command}, op: h.Op, payload: string(payload)}
	piece, isChunk := chunkOf(h, payload)
	if isChunk {
		q.payload, q.chunk, q.offset = "", true, *piece.Offset
	}
	before := c.waiting[q]
	remark := ""
	switch {
	case before.number > 0:
		remark = fmt.Sprintf(", again: try %d after %s", before.number+1, milliseconds(at-before.at))
	case isChunk && q.offset > 0 && q.offset < c.high[q.target]:
		remark = ", again: cut anew"
	}
	if isChunk {
		c.reach(q, len(piece.Data))
	}
	if c.waiting == nil || len(c.waiting) == mostWaiting {
		c.waiting = map[question]attempt{}
	}
	c.waiting[q] = attempt{before.number + 1, at}
	c.sentLast[h.Sequence] = sending{h, q, at, true, false}
	return remark
}

// reach notes how far an upload got. Another one begins at 0.
func (c *conversation) reach(q question, length int) {
	if c.high == nil {
		c.high = map[target]uint64{}
	}
	if q.offset == 0 {
		c.high[q.target] = 0
		c.forget(func(w question) bool { return w.target == q.target && w.chunk && w.offset > 0 })
	}
	c.high[q.target] = max(c.high[q.target], q.offset+uint64(length))
}

// answer says what there is to say of a packet that was received: the time since its request, and a refusal.
func (c *conversation) answer(h smp.Header, payload []byte, at time.Duration) string {
	s := &c.sentLast[h.Sequence]
	same := s.sent && s.question.target == target{h.Group, h.Command}
	switch {
	case same && h.Op == s.header.Op:
		return ", a request: our own, echoed?"
	case !same || h.Op != responseTo(s.header.Op):
		return ", answers nothing that was sent here"
	case s.answered:
		return fmt.Sprintf(", a second answer, %s", milliseconds(at-s.at))
	}
	s.answered = true
	remark := ", " + milliseconds(at-s.at)
	refusal := refusalIn(h, payload)
	switch {
	case refusal == nil:
		c.end(s.question, payload)
	case s.header.Op == probeOp:
		c.end(s.question, payload)
		remark += ", an application"
	default:
		if !refusal.Busy() { // who is told to try again does so
			c.end(s.question, payload)
		}
		remark += ", " + refused(*refusal)
	}
	return remark
}

// refusalIn is the refusal that an answer carries, or nil.
func refusalIn(h smp.Header, payload []byte) (refusal *smp.DeviceError) {
	errors.As(smp.Refusal("", h.Group, payload), &refusal)
	return refusal
}

// end notes that a question is answered: of an upload, all chunks below the offset that the device wants next.
func (c *conversation) end(q question, answer []byte) {
	if !q.chunk {
		delete(c.waiting, q)
		return
	}
	var wants chunk
	if cbor.Unmarshal(answer, &wants) == nil && wants.Offset != nil {
		c.forget(func(w question) bool { return w.target == q.target && w.chunk && w.offset < *wants.Offset })
	}
}

func (c *conversation) forget(ended func(question) bool) {
	for q := range c.waiting {
		if ended(q) {
			delete(c.waiting, q)
		}
	}
}

// chunk is what requests and answers of uploads have in common.
type chunk struct {
	Offset *uint64 `cbor:"off"`
	Data   []byte  `cbor:"data"`
}

// chunkOf reads a chunk of an image or file, if the request is one.
func chunkOf(h smp.Header, payload []byte) (c chunk, is bool) {
	image, file := target{smp.GroupImage, 1}, target{smp.GroupFS, 0}
	if at := (target{h.Group, h.Command}); h.Op != smp.Write || at != image && at != file {
		return c, false
	}
	err := cbor.Unmarshal(payload, &c)
	return c, err == nil && c.Offset != nil && c.Data != nil
}

// responseTo is the operation of the answer to a request. A server refuses what is no request like a write.
func responseTo(op smp.Op) smp.Op {
	if op.IsRequest() {
		return op.Response()
	}
	return smp.WriteResponse
}
