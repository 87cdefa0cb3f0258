package dfu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// session is one update, recovery or reboot: the connection, what the device has shown, and the report so far.
type session struct {
	dial    Dial
	client  *smp.Client   // nil while there is none
	wait    time.Duration // the longest time without progress
	onEvent func(Event)
	targets []Target
	device  device // as last read

	report    Report
	announced bool // the plan was shown

	began      time.Time
	progressed time.Time // when it got further last
	accepted   int       // bytes of the present upload that the device has accepted at most
	repeatsEnd time.Time // when all repetitions of a lost test must be over; zero before the first
}

func newSession(dial Dial, targets []Target, wait time.Duration, onEvent func(Event)) session {
	if wait <= 0 {
		wait = DefaultWait
	}
	now := time.Now()
	return session{dial: dial, wait: wait, onEvent: onEvent, targets: targets, began: now, progressed: now}
}

// summary is the report, with how the device was last read.
func (s *session) summary() Report {
	s.report.After = s.device.Images
	s.report.Took = time.Since(s.began)
	for i, r := range s.report.Images {
		s.report.Images[i].Now = s.device.running(r.Image)
	}
	return s.report
}

// take carries out one step, between the events of its beginning and its end.
func (s *session) take(ctx context.Context, step Step, do func(context.Context, Step) error) error {
	begin := Event{Step: step, Phase: Begin}
	if len(s.report.Plan) > 0 && s.report.Plan[0] == step && !s.announced {
		begin.Report, s.announced = &s.report, true
	}
	s.emit(begin)
	start := time.Now()
	err := do(ctx, step)
	step.Took = time.Since(start)
	var skip skipped
	switch {
	case errors.As(err, &skip):
		s.emit(Event{Step: step, Phase: Skipped, Text: string(skip)})
		return nil
	case err != nil:
		s.emit(Event{Step: step, Phase: Failed, Err: err})
		return err
	}
	s.report.Steps = append(s.report.Steps, step)
	s.emit(Event{Step: step, Phase: Done})
	return nil
}

// skipped is why a step turned out to have nothing to do: no error, but an end of its own.
type skipped string

func (s skipped) Error() string { return string(s) }

// note tells the user what is going on.
func (s *session) note(step Step, text string) { s.emit(Event{Step: step, Phase: Note, Text: text}) }

// uploaded tells the user how far an upload has come, and notes progress: only what the device never accepted before
// is.
func (s *session) uploaded(step Step, p smp.Progress) {
	if p.Done > s.accepted {
		s.accepted = p.Done
		s.advance()
	}
	s.emit(Event{Step: step, Phase: Progress, Upload: p})
}

func (s *session) emit(e Event) {
	if s.onEvent != nil {
		s.onEvent(e)
	}
}

// advance notes progress. The time since the last one was not spent waiting, so repetitions do not have less for it.
func (s *session) advance() {
	now := time.Now()
	if !s.repeatsEnd.IsZero() {
		s.repeatsEnd = s.repeatsEnd.Add(now.Sub(s.progressed))
	}
	s.progressed = now
}

// bounded is ctx until the session has gone on for too long without getting any further. All repetitions of a lost test
// share two such times.
func (s *session) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := s.progressed.Add(s.wait)
	if !s.repeatsEnd.IsZero() && s.repeatsEnd.Before(limit) {
		limit = s.repeatsEnd
	}
	return context.WithDeadlineCause(ctx, limit, ErrNotBack)
}

// again connects if there is no connection that works, and reports whether it did.
func (s *session) again(ctx context.Context) (fresh bool, err error) {
	if s.client != nil && s.client.Err() != nil {
		s.close()
	}
	if s.client != nil {
		return false, nil
	}
	err = s.connect(ctx)
	return err == nil, err
}

func (s *session) connect(ctx context.Context) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	s.client = c
	return nil
}

func (s *session) close() {
	if s.client != nil {
		s.client.Close()
		s.client = nil
	}
}

// watch waits for d. If there is a link and it ends meanwhile, the error is an [smp.ErrClosed].
func (s *session) watch(ctx context.Context, d time.Duration) error {
	if s.client == nil {
		return sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-s.client.Done():
		return s.client.Err()
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

const (
	// redialPause is the time between two looks for a port that went away.
	redialPause = 200 * time.Millisecond
	// lookPause is the time between two looks at a device that answers but has not reset yet.
	lookPause = 500 * time.Millisecond
	// lookTime is how long a device that may still be starting is waited for at a time.
	lookTime = 3 * time.Second
)

// pause waits before the next look at the device: shorter if the last one failed.
func pause(ctx context.Context, last error) error {
	if last != nil {
		return sleep(ctx, redialPause)
	}
	return sleep(ctx, lookPause)
}

// sleep waits for d or the end of the context.
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

// causeOr is the cause of a context that has ended, else the error.
func causeOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// notBackOr is err, or why the wait for the device ended with it.
func notBackOr(ctx context.Context, err error, wait time.Duration) error {
	if cause := context.Cause(ctx); cause != nil {
		return notBack(cause, err, wait)
	}
	return err
}

// notBack names the reason why the wait for a device ended: the user's wish, or its end with the last attempt's error.
func notBack(cause, last error, wait time.Duration) error {
	if !errors.Is(cause, ErrNotBack) {
		return cause
	}
	if last == nil || errors.Is(last, ErrNotBack) {
		last = smp.ErrNoReply
	}
	return fmt.Errorf("%w within %v: %w", ErrNotBack, wait, last)
}
