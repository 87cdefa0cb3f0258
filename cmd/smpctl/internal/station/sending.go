package station

import (
	"context"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/outbox"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// Times of sending.
const (
	countEvery = 2 * time.Second // what is not sent yet
	againAfter = time.Minute     // a target has refused what it was sent, or the journal could not be read
)

// sending is the way of the records to where all stations' records are. Nothing waits for it.
type sending struct {
	sender *outbox.Sender

	mu      sync.Mutex // guards what follows
	unsent  int
	since   time.Time
	trouble string // why nothing is sent; empty: it is
}

// openSending prepares to send; nil if the file of the station names no target.
func openSending(c Config) (*sending, error) {
	if c.Records.Send == "" {
		return nil, nil
	}
	s := new(sending)
	var err error
	s.sender, err = outbox.Open(c.path(c.Records.Dir), c.Records.Send, outbox.Options{
		TokenFile: c.path(c.Records.TokenFile), CAFile: c.path(c.Records.CAFile), Agent: "smpctl/" + app.Version(),
		Failed: func(err error, _ time.Duration) { s.note(func() { s.trouble = failure.Text(err) }) }})
	return s, err
}

// run sends, and counts what is not sent, until ctx ends. It returns at once.
func (s *sending) run(ctx context.Context, a *app.App) {
	a.Spawn(func() {
		for ctx.Err() == nil {
			err := s.sender.Run(ctx)
			s.note(func() { s.trouble = failure.Text(err) })
			rest(ctx, againAfter)
			s.note(func() { s.trouble = "" })
		}
	})
	a.Spawn(func() {
		for ctx.Err() == nil {
			n, since := s.sender.Unsent()
			s.counted(n, since)
			rest(ctx, countEvery)
		}
	})
}

// counted notes what is not sent yet. Less than before means that there is no trouble any more.
func (s *sending) counted(n int, since time.Time) {
	s.note(func() {
		if n < s.unsent || n == 0 {
			s.trouble = ""
		}
		s.unsent, s.since = n, since
	})
}

func (s *sending) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// dress shows what is not sent. A nil sending shows nothing.
func (s *sending) dress(v *page.View) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v.Counters.Sends, v.Counters.Unsent, v.Counters.UnsentSince = true, s.unsent, s.since
	if s.trouble != "" {
		v.Messages = append(v.Messages, page.Message{ID: "sending", Level: page.Warning,
			Text: "records are not sent, and kept: " + s.trouble})
	}
}
