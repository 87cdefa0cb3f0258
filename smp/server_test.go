package smp_test

import (
	"bytes"
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/smpctl/smpctl/smp"
)

// server is a small, honest image server: the rules of Zephyr's img_mgmt_upload_inspect, one request after the other,
// with faults on its line. It shares no code with the client but the header.
type server struct {
	t testing.TB
	l *link

	bufSize, bufCount int
	noParams          bool          // does not have the parameters command
	cost              time.Duration // of a chunk
	otherCost         time.Duration // of any other request
	erase             time.Duration // of starting an upload
	verify            time.Duration // of the last chunk
	align             int           // of flash writes
	checks            bool          // compares what it has with sha, and says match
	remembers         bool          // a repeated last chunk is known as such, as by MCUboot
	hash              smp.Hash      // of the image in a complete upload
	largest           int           // bytes of the largest packet that gets through; 0 means any
	refuse            func(u uploadBody) []byte
	lose              func(n int, request []byte) (lost, answerLost bool) // of the nth upload request, from 1
	restartAt         int                                                 // upload request before which it restarts
	loseOther         func() (lost, answerLost bool)                      // of any other request

	mu         sync.Mutex // guards what follows
	free       time.Time
	queued     int
	life       int // number of restarts
	uploads    int // upload requests that reached the line
	most       int // of them in flight at once
	firsts     int // first chunks that were executed
	paramsRead int
	active     bool
	sha        []byte
	length     int
	slot       []byte
	complete   bool
	bodies     []uploadBody
}

type uploadBody struct {
	Off     *int   `cbor:"off"`
	Len     *int   `cbor:"len"`
	Image   *int   `cbor:"image"`
	SHA     []byte `cbor:"sha"`
	Upgrade *bool  `cbor:"upgrade"`
	Data    []byte `cbor:"data"`
}

// newServer is a Zephyr application with default buffers, a millisecond a request.
func newServer(t testing.TB) *server {
	return &server{t: t, bufSize: 384, bufCount: 4, cost: time.Millisecond, otherCost: time.Millisecond, align: 1,
		hash: bytes.Repeat([]byte{7}, 32)}
}

// connect starts a client on the server. Framing takes 4 bytes of its buffers.
func (s *server) connect(t testing.TB, o smp.Options) *smp.Client {
	c, l := connect(t, s.receive, o)
	l.overhead = 4
	s.l = l
	return c
}

// receive takes a request off the line.
func (s *server) receive(l *link, p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	isUpload := commandOf(p) == upload
	var loseRequest, loseReply bool
	if isUpload {
		s.uploads++
		if s.uploads == s.restartAt {
			s.restart()
		}
		if s.lose != nil {
			loseRequest, loseReply = s.lose(s.uploads, p)
		}
	} else if s.loseOther != nil {
		loseRequest, loseReply = s.loseOther()
	}
	if loseRequest || s.largest > 0 && len(p) > s.largest {
		return
	}
	if len(p) > s.bufSize-l.overhead {
		s.t.Errorf("request of %d bytes for a buffer of %d", len(p), s.bufSize)
		return
	}
	if s.queued++; s.queued > max(s.bufCount, 2) {
		s.t.Errorf("%d requests wait in a device with %d buffers: it would crash", s.queued, s.bufCount)
	}
	s.most = max(s.most, s.queued)
	s.free = later(s.free, time.Now()).Add(s.costOf(p))
	life := s.life
	time.AfterFunc(time.Until(s.free), func() { s.execute(life, p, loseReply) })
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *server) costOf(p []byte) time.Duration {
	if commandOf(p) != upload {
		return s.otherCost
	}
	u := bodyOf(p)
	switch {
	case u.Off == nil:
	case *u.Off == 0 && !s.active:
		return s.cost + s.erase
	case *u.Off+len(u.Data) == s.length:
		return s.cost + s.verify
	}
	return s.cost
}

func bodyOf(p []byte) (u uploadBody) {
	if err := cbor.Unmarshal(p[smp.HeaderLen:], &u); err != nil {
		panic(err)
	}
	return u
}

// sent is the number of chunks that reached the line so far.
func (s *server) sent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uploads
}

// restart forgets everything that is not in flash. s.mu is held.
func (s *server) restart() {
	s.life++
	s.queued, s.free = 0, time.Time{}
	s.active = false
}

func (s *server) execute(life int, p []byte, loseReply bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if life != s.life {
		return
	}
	s.queued--
	body := rc(8)
	switch commandOf(p) {
	case params:
		s.paramsRead++
		if !s.noParams {
			body = encode(reply{"buf_size": s.bufSize, "buf_count": s.bufCount})
		}
	case list:
		images := []reply{{"slot": 0, "version": "1.0.0", "hash": bytes.Repeat([]byte{1}, 32), "active": true}}
		if s.complete {
			images = append(images, reply{"slot": 1, "version": "2.0.0", "hash": []byte(s.hash)})
		}
		body = encode(reply{"images": images})
	case upload:
		u := bodyOf(p)
		s.bodies = append(s.bodies, u)
		body = s.upload(u)
	}
	if !loseReply {
		s.l.reply(response(p, body))
	}
}

// upload executes a chunk.
func (s *server) upload(u uploadBody) []byte {
	if s.refuse != nil {
		if body := s.refuse(u); body != nil {
			return body
		}
	}
	switch {
	case u.Off == nil:
		return groupError(20)
	case *u.Off == 0 && s.active && len(u.SHA) > 0 && bytes.Equal(u.SHA, s.sha):
		return offset(len(s.slot)) // resume
	case *u.Off == 0:
		if code := s.begin(u); code != 0 {
			return groupError(code)
		}
		if s.complete {
			return encode(reply{"off": s.length, "match": true})
		}
	case !s.active && s.remembers && s.complete:
		return offset(s.length)
	case !s.active:
		return offset(0)
	case *u.Off != len(s.slot):
		return offset(len(s.slot))
	}
	return s.write(u.Data)
}

// begin takes a first chunk and returns the code of a refusal, or 0.
func (s *server) begin(u uploadBody) int {
	s.active = false
	switch {
	case u.Len == nil:
		return 21
	case len(u.Data) < min(32, *u.Len):
		return 22
	case s.checks && s.complete && bytes.Equal(sum(s.slot), u.SHA):
		s.length = len(s.slot)
		return 0
	}
	s.firsts++
	s.active, s.complete = true, false
	s.sha, s.length, s.slot = u.SHA, *u.Len, nil
	return 0
}

func sum(b []byte) []byte { h := sha256.Sum256(b); return h[:] }

func (s *server) write(data []byte) []byte {
	if len(s.slot)+len(data) > s.length {
		s.active = false
		return groupError(31)
	}
	if len(s.slot)+len(data) < s.length {
		data = data[:len(data)-len(data)%s.align]
	}
	s.slot = append(s.slot, data...)
	if len(s.slot) < s.length {
		return offset(len(s.slot))
	}
	s.active, s.complete = false, true
	if s.checks && len(s.sha) > 0 {
		return encode(reply{"off": s.length, "match": bytes.Equal(sum(s.slot), s.sha)})
	}
	return offset(s.length)
}

func offset(n int) []byte { return encode(reply{"off": n}) }

func groupError(code int) []byte { return encode(reply{"err": reply{"group": 1, "rc": code}}) }

// check fails the test unless the device holds exactly this, complete.
func (s *server) check(t *testing.T, data []byte) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.complete || !bytes.Equal(s.slot, data) {
		t.Errorf("the device has %d of %d bytes, complete: %v, equal: %v",
			len(s.slot), len(data), s.complete, bytes.Equal(s.slot, data))
	}
}
