package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// Sender sends the lines of one journal to one target. Its methods may be called from several goroutines; of
// [Sender.Run] and [Sender.Once] one at a time.
type Sender struct {
	dir     string
	path    string // of the cursor
	target  target
	options Options
	lines   int // how many are sent at once, for now

	mu     sync.Mutex // guards cursor
	cursor cursor

	looking sync.Mutex // guards seen
	seen    backlog
}

// Open prepares to send the journal in a folder to a target: https://HOST/PATH, http:// to this machine only, or
// postgres://USER@HOST/DATABASE. It reads the cursor beside the journal and connects to nobody. What is wrong with
// target or options is wrong usage; no error shows a secret.
func Open(dir, to string, o Options) (*Sender, error) {
	t, err := parseTarget(to, o)
	if err != nil {
		return nil, err
	}
	if _, err := o.secret().read(); err != nil {
		return nil, failure.AsUsage(err)
	}
	if o.random == nil {
		o.random = rand.Float64
	}
	if o.sleep == nil {
		o.sleep = sleep
	}
	s := &Sender{dir: dir, path: filepath.Join(dir, t.cursorName()), target: t, options: o, lines: maxLines}
	if s.cursor, err = readCursor(s.path); err != nil {
		return nil, err
	}
	s.seen = backlog{at: s.cursor}
	return s, nil
}

// Target is where the lines go, without what may be secret.
func (s *Sender) Target() string { return s.target.name }

// idle is how long [Sender.Run] waits before it looks for new lines, and restAfter how long it keeps its connection
// when there are none.
const (
	idle      = 2 * time.Second
	restAfter = 30 * time.Second
)

// Run sends what is in the journal and what is added to it, until ctx ends; it returns the cause of that. What the
// target may take later is tried again for as long as that takes. What it refuses, or a journal that is not the one
// that was sent, ends it: a [RefusedError] or another one that says what to look at. Calling it again goes on at the
// same line.
func (s *Sender) Run(ctx context.Context) error {
	defer s.target.carrier.rest()
	var quiet time.Duration
	for failures := 0; ; {
		sent, err := s.step(ctx)
		var later *setback
		pause := idle
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &later):
			failures++
			pause = s.failed(later, failures)
		case err != nil:
			return err
		case sent > 0:
			failures, quiet = 0, 0
			continue
		default:
			failures = 0
			if quiet += idle; quiet >= restAfter {
				s.target.carrier.rest()
			}
		}
		if err := s.options.sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// onceTries is how many tries may fail one after the other before [Sender.Once] gives up, and onceLongest how long a
// target may ask it to wait.
const (
	onceTries   = 4
	onceLongest = 30 * time.Second
)

// Once sends what is in the journal now, and returns how many lines that were. It gives up after four tries of which
// none got a line across, some 4 s plus what each takes, and at once where seconds change nothing.
func (s *Sender) Once(ctx context.Context) (sent int, err error) {
	defer s.target.carrier.rest()
	for failures := 0; ; {
		n, err := s.step(ctx)
		sent += n
		var later *setback
		switch {
		case ctx.Err() != nil:
			return sent, context.Cause(ctx)
		case errors.As(err, &later):
			if failures++; failures == onceTries || later.lasting || later.after > onceLongest {
				return sent, fmt.Errorf("%s: %w", s.target.name, err)
			}
			if err := s.options.sleep(ctx, s.failed(later, failures)); err != nil {
				return sent, err
			}
		case err != nil, n == 0:
			return sent, err
		default:
			failures = 0
		}
	}
}

// failed tells of a try that failed, and returns how long to wait before the next.
func (s *Sender) failed(e *setback, failures int) time.Duration {
	d := wait(failures, e.after, s.options.random())
	if s.options.Failed != nil {
		s.options.Failed(fmt.Errorf("%s: %w", s.target.name, e), d)
	}
	return d
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// step sends one batch, and returns how many lines it had; 0: there are none. After a failure the next batch is
// smaller: on a line that is cut often it comes through, and of lines of which some are refused those before them.
func (s *Sender) step(ctx context.Context) (int, error) {
	for {
		b, err := s.gather(s.at(), s.lines)
		if err != nil || b.count == 0 {
			return 0, err
		}
		err = s.target.carrier.deliver(ctx, b.lines.Bytes())
		var refused *refusal
		switch {
		case err == nil:
			s.lines = min(2*s.lines, maxLines)
			return b.count, s.advance(b.cursor)
		case !errors.As(err, &refused):
			s.lines = max(1, b.count/2)
			return 0, err
		case !refused.ofLines || b.count == 1:
			return 0, failure.WithHint(&RefusedError{s.target.name, b.first.Seq, b.last.Seq, refused}, refused.hint)
		}
		s.lines = b.count / 2
	}
}

func (s *Sender) at() cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor
}

// advance keeps that all lines up to the cursor are taken.
func (s *Sender) advance(c cursor) error {
	if err := c.write(s.path); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cursor = c
	return nil
}
