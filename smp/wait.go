package smp

import (
	"context"
	"errors"
	"time"
)

// await returns the next call that ends, or nil when the timer fires before.
func await(ctx context.Context, done <-chan *call, timer <-chan time.Time) (*call, error) {
	select {
	case cl := <-done:
		return cl, nil
	case <-ctx.Done():
		return nil, ended(ctx)
	case <-timer:
	}
	select { // after the computer slept both are ready, and the answer counts
	case cl := <-done:
		return cl, nil
	default:
		return nil, nil
	}
}

// sleep waits for d or the end of the context.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// ended is nil while the context lives. Its error reads as the context's cause and wraps [context.Canceled] or
// [context.DeadlineExceeded] too, whatever the cause is.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil || errors.Is(cause, err) {
		return cause
	}
	return &contextError{cause, err}
}

type contextError struct{ cause, err error }

func (e *contextError) Error() string   { return e.cause.Error() }
func (e *contextError) Unwrap() []error { return []error{e.cause, e.err} }
