package dfu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// ErrNotBack says that the device did not answer again in time after a reset. The last attempt's error is in the chain too.
var ErrNotBack = errors.New("the device did not come back")

const (
	// quiet is how long a device on a link that outlives the reset is left alone. Before it, the old firmware would still answer (Zephyr
	// resets 250 ms after its answer), and MCUboot would take any packet in its wait window as a wish for serial recovery.
	quiet = 1500 * time.Millisecond
	// redialPause is the time between two looks for a port that went away.
	redialPause = 200 * time.Millisecond
	// lookPatience is how long a device that may still be starting is waited for at a time.
	lookPatience = 3 * time.Second
	// lookPause is the time between two looks at a device that answers but has not reset yet.
	lookPause = 500 * time.Millisecond
)

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

// again connects if there is no connection that works.
func (n *connection) again(ctx context.Context) error {
	if n.client != nil && n.client.Err() != nil {
		n.close()
	}
	if n.client != nil {
		return nil
	}
	return n.connect(ctx)
}

func (n *connection) close() {
	if n.client != nil {
		n.client.Close()
		n.client = nil
	}
}

// settle leaves the device alone for a moment and reports whether the link ended meanwhile, as a USB port does. A link that outlives the
// reset stays open, because opening a port may reset the board.
func (n *connection) settle(ctx context.Context) (vanished bool, err error) {
	t := time.NewTimer(quiet)
	defer t.Stop()
	select {
	case <-n.client.Done():
		return true, nil
	case <-t.C:
		n.client.Forget()
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// pause waits before the next look at the device: shorter if the last one failed.
func pause(ctx context.Context, last error) error {
	d := lookPause
	if last != nil {
		d = redialPause
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// WaitBack waits until a device that accepted a reset answers again, at most for the given time. It returns the client to go on with: c
// itself, or a new one after c's link ended, in which case c is closed.
func WaitBack(ctx context.Context, c *smp.Client, dial Dial, wait time.Duration) (*smp.Client, error) {
	n := connection{dial, c}
	ctx, cancel := context.WithTimeoutCause(ctx, wait, ErrNotBack)
	defer cancel()
	if _, err := n.settle(ctx); err != nil {
		return c, err
	}
	for {
		err := n.again(ctx)
		if err == nil {
			_, err = n.client.Negotiate(ctx)
		}
		if err == nil {
			return n.client, nil
		}
		if cause := pause(ctx, err); cause != nil {
			n.close()
			return c, notBack(cause, err, wait)
		}
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
