package smp

import (
	"context"
	"errors"
)

// RunGroup holds Mynewt's commands for tests on the device (mynewt-core, test/runtest). Use it as a field of a
// [Client].
type RunGroup struct{ c *Client }

type runListReply struct {
	List []string `cbor:"run_list"`
}

// List gives the names of the tests that the device has.
func (g RunGroup) List(ctx context.Context) ([]string, error) {
	r, err := runList.do(ctx, g.c, none{})
	return r.List, err
}

type runRequest struct {
	Name  string `cbor:"testname"`
	Token string `cbor:"token"`
}

// Test starts a test, or all with the name "all". The device repeats the token in its log, where the outcome is.
func (g RunGroup) Test(ctx context.Context, name, token string) error {
	_, err := runTest.do(ctx, g.c, runRequest{name, token})
	return err
}

// CrashGroup holds Mynewt's command that crashes the device (mynewt-core, test/crash_test). Use it as a field of a
// [Client].
type CrashGroup struct{ c *Client }

type crashRequest struct {
	Kind string `cbor:"t"`
}

// Trigger crashes the device in the way that kind says: div0, jump0, ref0, assert or wdog. It reports whether the
// device still answered: most die before they can, so that neither silence nor the end of the link is an error. The
// request is sent once.
func (g CrashGroup) Trigger(ctx context.Context, kind string) (answered bool, err error) {
	if _, err := g.c.Negotiate(ctx); err != nil { // silence means something only from a device that was alive
		return false, err
	}
	_, err = crashTrigger.do(ctx, g.c, crashRequest{kind})
	if errors.Is(err, ErrNoReply) || errors.Is(err, ErrClosed) && g.c.Err() != ErrClosed {
		return false, nil
	}
	return err == nil, err
}
