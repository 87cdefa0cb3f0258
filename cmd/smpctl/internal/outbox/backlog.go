package outbox

import (
	"encoding/json"
	"time"
)

// backlog is how far the journal was read to count what is unsent: each line is looked at once.
type backlog struct {
	at    cursor    // the last line that was seen
	first int64     // the line that since is of
	since time.Time // when that was written
}

// Unsent is how many lines the target has not taken, and when the oldest of them was written; zero if there are none.
// It reads what was added to the journal since the last call, and is cheap after the first. Of a journal that cannot be
// read it is what it was.
func (s *Sender) Unsent() (n int, since time.Time) {
	s.looking.Lock()
	defer s.looking.Unlock()
	c := s.at()
	s.look(c)
	if s.seen.at.Seq <= c.Seq {
		return 0, time.Time{}
	}
	if s.seen.first != c.Seq+1 {
		s.oldest(c)
	}
	return int(s.seen.at.Seq - c.Seq), s.seen.since
}

// look goes on to the journal's end.
func (s *Sender) look(c cursor) {
	if s.seen.at.Seq < c.Seq {
		s.seen.at = c
	}
	var last *entry
	for e, err := range unsent(s.dir, s.seen.at, s.path) {
		if err != nil {
			break
		}
		last = &e
	}
	if last != nil {
		s.seen.at = last.cursor(s.target.name)
	}
}

// oldest reads when the first line behind the cursor was written.
func (s *Sender) oldest(c cursor) {
	for e, err := range unsent(s.dir, c, s.path) {
		var record struct{ Began time.Time }
		if err == nil && json.Unmarshal(e.Raw, &record) == nil {
			s.seen.first, s.seen.since = e.Seq, record.Began
		}
		return
	}
}
