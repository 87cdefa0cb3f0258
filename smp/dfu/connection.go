package dfu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// ErrNotBack says that the device did not answer again in time: after a reset, or after its connection ended. The last
// attempt's error is in the chain too.
var ErrNotBack = errors.New("the device did not come back")

// Dial connects to the device: first to begin with, and again after each reset in which the connection ended. It
// returns an error at once when the device is not there (yet).
type Dial func(context.Context) (*smp.Client, error)

// connection is a client that can be had again after the device restarted.
type connection struct {
	dial   Dial
	client *smp.Client // nil while there is none
}

func (n *connection) connect(ctx context.Context) error {
	c, err := n.dial(ctx)
	if err != nil {
		return err
	}
	n.client = c
	return nil
}

// again connects if there is no connection that works, and reports whether it did.
func (n *connection) again(ctx context.Context) (fresh bool, err error) {
	if n.client != nil && n.client.Err() != nil {
		n.close()
	}
	if n.client != nil {
		return false, nil
	}
	err = n.connect(ctx)
	return err == nil, err
}

func (n *connection) close() {
	if n.client != nil {
		n.client.Close()
		n.client = nil
	}
}

// ended is closed when the link has ended; of a connection without one it blocks for ever.
func (n *connection) ended() <-chan struct{} {
	if n.client == nil {
		return nil
	}
	return n.client.Done()
}

const (
	// redialPause is the time between two looks for a port that went away.
	redialPause = 200 * time.Millisecond
	// lookPause is the time between two looks at a device that answers but has not reset yet.
	lookPause = 500 * time.Millisecond
	// lookPatience is how long a device that may still be starting is waited for at a time.
	lookPatience = 3 * time.Second
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

// notBackOr is err, or why the wait for the device ended with it.
func notBackOr(ctx context.Context, err error, wait time.Duration) error {
	if cause := context.Cause(ctx); cause != nil {
		return notBack(cause, err, wait)
	}
	return err
}
